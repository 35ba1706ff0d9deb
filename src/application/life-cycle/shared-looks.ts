import { messageOf, PluginError } from '../../domain/errors.ts';
import type { OwnedObservation } from '../../domain/machine.ts';
import type { Hosts } from '../ports/instances.ts';

type Look = (values: readonly string[]) => Promise<readonly OwnedObservation[]>;

/** Milliseconds that those who come while EC2 is being asked wait for each other, unless it answers before. */
const patience = 50;

interface Batch {
  readonly values: Set<string>;
  readonly seen: Promise<readonly OwnedObservation[]>;
}

/** Rejects when the caller's own time is over; the look goes on for the others. */
const within = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return work;
  const over = (): PluginError => new PluginError('provider.transient', messageOf(signal.reason));
  if (signal.aborted) throw over();
  let give: (error: unknown) => void = () => undefined;
  const end = (): void => give(over());
  const ended = new Promise<never>((_, reject) => {
    give = reject;
  });
  signal.addEventListener('abort', end, { once: true });
  return Promise.race([work, ended]).finally(() => signal.removeEventListener('abort', end));
};

/** Nobody shares a look that began before he asked: EC2 may have changed since. */
const shared = (look: Look, keyOf: (found: OwnedObservation) => string): Look => {
  let waiting: Batch | undefined;
  let underWay: Promise<unknown> | undefined;
  const open = (): Batch => {
    const values = new Set<string>();
    const send = async (): Promise<readonly OwnedObservation[]> => {
      const quiet = new Promise((resolve) => setTimeout(resolve, patience));
      await (underWay === undefined
        ? new Promise((resolve) => setImmediate(resolve))
        : Promise.race([underWay, quiet]));
      waiting = undefined;
      const asked = look([...values]);
      const done = asked
        .catch(() => undefined)
        .then(() => {
          if (underWay === done) underWay = undefined;
        });
      underWay = done;
      return asked;
    };
    return { values, seen: send() };
  };
  return async (values) => {
    if (values.length === 0) return [];
    waiting ??= open();
    for (const value of values) waiting.values.add(value);
    const seen = await waiting.seen;
    const mine = new Set(values);
    return seen.filter((found) => mine.has(keyOf(found)));
  };
};

/** Looks at EC2 by several calls of one process at a time, as one where they come together. */
export const sharingLooks = (
  hosts: () => Promise<Hosts>,
  signal: () => AbortSignal | undefined,
): Pick<Hosts, 'describe' | 'describeByRequest'> => {
  const byId = shared(
    async (ids) => (await hosts()).describe(ids),
    ({ machineId }) => machineId,
  );
  const byRequest = shared(
    async (ids) => (await hosts()).describeByRequest(ids),
    ({ requestId = '' }) => requestId,
  );
  return {
    describe: (ids) => within(byId(ids), signal()),
    describeByRequest: (ids) => within(byRequest(ids), signal()),
  };
};
