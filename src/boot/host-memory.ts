import { join } from 'node:path';
import type { HostMemory } from '../application/ports/store.ts';
import { createFactCache } from '../storage/fact-cache.ts';
import { createInstanceTypes } from '../storage/instance-types.ts';
import { createLastDone, createUnseenHosts } from '../storage/noted-times.ts';
import { createOfferingMemory } from '../storage/offering-memory.ts';
import { createUsage } from '../storage/usage.ts';
import { once, readSide } from './lazily.ts';

interface HostMemoryOptions {
  readonly workDir: string;
  /** The installation's folder. */
  readonly home: string;
  readonly clock: () => number;
  /** By which facts are dated, also before AWS has been heard; the system's clock unless said. */
  readonly wall?: (() => number) | undefined;
  readonly region: string | undefined;
}

/** In the work folder, whatever store there is. */
export const hostMemory = ({ workDir, home, clock, wall = Date.now, region }: HostMemoryOptions): HostMemory => {
  const prices = once(async () => {
    const shipped = join(home, 'config', 'on-demand-prices.json');
    return (await import('../storage/price-memory.ts')).createPriceMemory(workDir, shipped, region);
  });
  const history = once(async () => (await readSide()).createPriceHistory(workDir, region));
  const projections = once(async () => (await readSide()).createProjectionStore(workDir));
  const lastDone = createLastDone(workDir, clock);
  return {
    facts: (kind, options) => createFactCache(workDir, kind, wall, options),
    offerings: createOfferingMemory(workDir, clock),
    instanceTypes: createInstanceTypes(workDir, join(home, 'config', 'instance-types.json')),
    prices: {
      read: async () => (await prices()).read(),
      replace: async (found) => (await prices()).replace(found),
      history: async () => (await history()).history(),
      note: async (heard) => (await history()).note(heard),
    },
    projections: {
      load: async (name) => (await projections()).load(name),
      save: async (...projection) => (await projections()).save(...projection),
    },
    unseen: createUnseenHosts(workDir),
    fullLooks: (interval) => ({
      isDue: () => lastDone.isDue('fullLook', interval),
      note: () => lastDone.note('fullLook'),
    }),
    usage: createUsage(workDir, clock),
    turn: lastDone.turn,
  };
};
