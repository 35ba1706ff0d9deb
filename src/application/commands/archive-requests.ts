import { hasCode, isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import { isReturnId } from '../../domain/ids.ts';
import { liveMachines } from '../../domain/request/units.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number } from '../bus/shapes.ts';
import { eachStream, foldRequest, foldReturn } from '../life-cycle/streams.ts';
import type { Clock, IsDue, Policy } from '../ports/policy.ts';
import type { RequestStreams, Stream } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';

export const archiveRequests = defineOperation({
  name: 'ArchiveRequests',
  bus: 'command',
  role: 'admin',
  title: 'Archive requests that finished long ago, and delete outdated files',
  isHot: true,
  input: {},
  answer: closed({ archived: number }),
});

export interface ArchiveRequestsPorts {
  readonly streams: RequestStreams;
  readonly policy: Pick<Policy, 'retention' | 'archived'>;
  readonly isDue: IsDue;
  readonly letCallerGo: () => void;
  /** Writes the metrics for node_exporter; undefined where nobody wants them. */
  readonly writeMetrics: (() => Promise<void>) | undefined;
  /** Sums up what calls have counted. */
  readonly compactUsage: () => Promise<void>;
  /** Forgets the answers of commands that were given before this time, ms. */
  readonly forgetAnswers: (before: number) => Promise<void>;
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
  stream: Stream | PluginError,
): Promise<number> => {
  try {
    if (isPluginError(stream)) throw stream;
    if (!isFinished(id, stream)) return 0;
    await streams.archive(id);
    return 1;
  } catch (error) {
    if (!hasCode(error, 'storage.unreadable')) throw error;
    log.error('archive.unreadable', messageOf(error), { requestId: id });
    return 0;
  }
};

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
/** Younger streams may be in other hands just now. Milliseconds. */
const leastAge = 10 * 60_000;
/** At once: the rest has its turn an hour later. */
const most = 2000;

const archiveFinished = async (ports: ArchiveRequestsPorts): Promise<number> => {
  const { streams, policy, clock } = ports;
  const before = clock() - Math.max(policy.retention, leastAge);
  let archived = 0;
  const old = [...(await streams.changes()).changed].flatMap(([id, stamp]) => (stamp < before ? [id] : []));
  for await (const [id, stream] of eachStream(streams, old)) {
    if (archived === most) return archived;
    archived += await archiveOne(ports, id, stream);
  }
  return archived;
};

/**
 * Sets requests aside that have been finished for longer than the retention time, so that listings stay short, and tidies up what
 * else has grown old. Each at most once in a while, by whichever process comes first.
 */
export const archiveRequestsHandler =
  (ports: ArchiveRequestsPorts): HandlerOf<typeof archiveRequests> =>
  async () => {
    const { streams, policy, clock, isDue, writeMetrics } = ports;
    if (writeMetrics !== undefined && (await isDue('metrics', minute))) await writeMetrics();
    if (!(await isDue('archive', hour))) return { archived: 0 };
    ports.letCallerGo();
    const archived = await archiveFinished(ports);
    await ports.compactUsage();
    await ports.forgetAnswers(clock() - policy.retention);
    if (await isDue('pack', day)) await streams.packArchive(policy.archived === 0 ? 0 : clock() - policy.archived);
    return { archived };
  };
