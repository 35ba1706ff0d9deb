import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type CapacityLedger,
  loadingAll,
  type RequestStreams,
  type StreamEvent,
} from '../../src/application/ports/streams.ts';
import { PluginError } from '../../src/domain/errors.ts';

/**
 * What befalls a call at the n-th of its appends, notes in the ledger and AWS calls, that one alone or all from there on: its process
 * dies just before or just after; the disk is full; the AWS call is `lost` with its work done, `unreached` with nothing done, or refused.
 */
export interface Trouble {
  readonly at: number;
  readonly what: 'dies before' | 'dies after' | 'lost' | 'unreached' | 'throttled' | 'denied';
  readonly lasts: boolean;
}

/** One call of a script, with what becomes of it. */
export interface Process {
  /** Resolves when the process dies. What it was about to do never goes on. */
  readonly death: Promise<'died'>;
  /** Waits for ever in a dead process. */
  readonly alive: () => Promise<void>;
  /** An append or a call is due: tells what befalls it, unless the process dies before. */
  readonly meet: () => Promise<Trouble['what'] | undefined>;
  readonly die: () => Promise<void>;
}

const never = new Promise<never>(() => undefined);

export const startProcess = (trouble?: Trouble): Process => {
  let isDead = false;
  let met = 0;
  let end: (how: 'died') => void = () => undefined;
  const death = new Promise<'died'>((resolve) => {
    end = resolve;
  });
  const alive = async (): Promise<void> => {
    if (isDead) await never;
  };
  const die = (): Promise<void> => {
    isDead = true;
    end('died');
    return never;
  };
  const meet = async (): Promise<Trouble['what'] | undefined> => {
    await alive();
    met += 1;
    if (trouble === undefined || !(trouble.lasts ? met >= trouble.at : met === trouble.at)) return undefined;
    if (trouble.what === 'dies before') await die();
    return trouble.what;
  };
  return { death, alive, meet, die };
};

/** Several may run at once: each finds its own. */
export const processes = new AsyncLocalStorage<Process>();

const immortal = startProcess();
export const current = (): Process => processes.getStore() ?? immortal;

const written = async <T>(work: () => Promise<T>): Promise<T> => {
  const process = current();
  const fate = await process.meet();
  if (fate !== undefined && fate !== 'dies after')
    throw new PluginError('storage.unwritable', 'no space left on device');
  const done = await work();
  if (fate === 'dies after') await process.die();
  return done;
};

/** A store as the process of a call sees it. `hear` hears of every append. */
export const mortalStreams = (
  streams: RequestStreams,
  hear: (id: string, events: readonly StreamEvent[]) => void,
): RequestStreams => {
  const load: RequestStreams['load'] = async (id) => {
    await current().alive();
    return streams.load(id);
  };
  return {
    ...streams,
    load,
    loadAll: loadingAll(load),
    append: (id, version, events, origin) => {
      hear(id, events);
      return written(() => streams.append(id, version, events, origin));
    },
  };
};

export const mortalLedger = (ledger: CapacityLedger): CapacityLedger => ({
  ...ledger,
  reserve: (...claim) => written(() => ledger.reserve(...claim)),
  update: (claim) => written(() => ledger.update(claim)),
});
