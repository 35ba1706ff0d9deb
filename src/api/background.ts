import { setTimeout as wait } from 'node:timers/promises';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Logger } from '../application/ports/telemetry.ts';
import { messageOf } from '../domain/errors.ts';

interface Chore {
  /** Milliseconds from the end of one round to the next; a round may ask for another pause. */
  readonly pause: number;
  readonly work: () => Promise<number | undefined>;
}

export interface Chores {
  /** Resolves when no round is under way any more. */
  stop(): Promise<void>;
}

/** Does each chore again and again, its rounds never overlapping. A round that fails is said in the log. */
export const startChores = (chores: readonly Chore[], log: Logger): Chores => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async ({ pause, work }: Chore): Promise<void> => {
    while (!signal.aborted) {
      const asked = await work().catch((error: unknown) => {
        log.error('server.chore', messageOf(error));
        return undefined;
      });
      await wait(asked ?? pause, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = chores.map(run);
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
};

/** Requests looked at in one round: one batched call to EC2, and few enough that a thousand open ones do not throttle it. */
const syncedAtATime = 100;
/** After trouble with AWS, ms. */
const troublePause = 30_000;

/** Brings open requests up to date with AWS, those that waited longest first. */
export const syncOpenRequests = (current: () => ApplicationService): Chore['work'] => {
  let lastRound: ReadonlyMap<string, number> = new Map();
  let round = 0;
  return async () => {
    round++;
    const service = current();
    const [running, cancelled] = await Promise.all([
      service.listRequests({ status: 'running', limit: 10_000 }),
      service.listRequests({ status: 'cancelled', limit: 10_000 }),
    ]);
    const open = [...running.items, ...cancelled.items.filter(({ settledAt }) => settledAt === undefined)];
    const waited = open.map(({ requestId }) => ({ requestId, last: lastRound.get(requestId) ?? 0 }));
    const turn = waited.sort((a, b) => a.last - b.last).slice(0, syncedAtATime);
    const requestIds = turn.map(({ requestId }) => requestId);
    lastRound = new Map([
      ...waited.map(({ requestId, last }) => [requestId, last] as const),
      ...requestIds.map((id) => [id, round] as const),
    ]);
    if (requestIds.length === 0) return undefined;
    const { unverified } = await service.syncRequests({ requestIds });
    return Object.keys(unverified).length > 0 ? troublePause : undefined;
  };
};
