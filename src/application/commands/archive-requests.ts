import { hasCode, messageOf } from '../../domain/errors.ts';
import { isReturnId } from '../../domain/ids.ts';
import { liveMachines } from '../../domain/request/units.ts';
import type { Command, Handler, Operation } from '../bus/bus.ts';
import { foldRequest, foldReturn } from '../life-cycle/streams.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { RequestStreams, Stream } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

export interface ArchiveRequests extends Command {
  readonly type: 'ArchiveRequests';
}

export interface ArchiveRequestsAnswer {
  readonly archived: number;
}

export interface ArchiveRequestsPorts {
  readonly streams: RequestStreams;
  readonly policy: Pick<Policy, 'retention'>;
  /** Runs the work unless it was run lately, here or in another process. */
  readonly nowAndThen: (work: () => Promise<void>) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

const isFinished = (id: string, stream: Stream): boolean => {
  if (isReturnId(id)) return foldReturn(stream).stage === 'settled';
  const request = foldRequest(stream);
  if (request.stage !== 'settled') return false;
  return (
    liveMachines(request).length === 0 && request.resources.every(({ stage, ours }) => stage === 'deleted' || !ours)
  );
};

const archiveOne = async (
  { streams, log }: Pick<ArchiveRequestsPorts, 'streams' | 'log'>,
  id: string,
): Promise<number> => {
  try {
    if (!isFinished(id, await streams.load(id))) return 0;
    await streams.archive(id);
    return 1;
  } catch (error) {
    if (!hasCode(error, 'storage.unreadable')) throw error;
    log.error('archive.unreadable', messageOf(error), { requestId: id });
    return 0;
  }
};

/** Younger streams may be in other hands just now. Milliseconds. */
const leastAge = 10 * 60_000;
/** At once: the rest has its turn an hour later. */
const most = 2000;

/** Sets requests aside that have been finished for longer than the retention time, so that listings stay short. */
export const archiveRequestsHandler =
  (ports: ArchiveRequestsPorts): Handler<Operation<ArchiveRequests, ArchiveRequestsAnswer>> =>
  async () => {
    const { streams, policy, clock } = ports;
    let archived = 0;
    await ports.nowAndThen(async () => {
      const before = clock() - Math.max(policy.retention, leastAge);
      for (const [id, mark] of await streams.marks()) {
        if (archived === most) return;
        if (mark < before) archived += await archiveOne(ports, id);
      }
    });
    return { archived };
  };
