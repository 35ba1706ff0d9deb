import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type InstanceEvent, type InstanceEvents, instanceEventKinds } from '../application/ports/instance-events.ts';
import { attempt, createEmptyFile, discard } from './atomic-file.ts';

/** For so long after AWS was to act, ms, an event is kept: by then a full look has seen what came of it. */
const keptFor = 3_600_000;

const nameOf = ({ machineId, kind, due }: InstanceEvent): string => `${machineId}~${kind}~${due}`;

const eventIn = (name: string): InstanceEvent | undefined => {
  const [machineId = '', written = '', due = ''] = name.split('~');
  const kind = instanceEventKinds.find((each) => each === written);
  return kind === undefined || !/^\d+$/.test(due) ? undefined : { machineId, kind, due: Number(due) };
};

/**
 * One empty file for each event in `instance-events/`, named after it: processes that note the same one at once make one file, and none
 * waits for another. `clock` is AWS's.
 */
export const createInstanceEvents = (workDirectory: string, clock: () => number): InstanceEvents => {
  const folder = join(workDirectory, 'instance-events');
  const names = (): readonly string[] => attempt(() => readdirSync(folder), []);
  const isOver = ({ due }: InstanceEvent): boolean => clock() - due > keptFor;
  return {
    note: async (events) => {
      const known = new Set(names());
      for (const event of events) if (!known.has(nameOf(event))) await createEmptyFile(join(folder, nameOf(event)));
      for (const name of known) {
        const event = eventIn(name);
        if (event !== undefined && isOver(event)) discard(join(folder, name));
      }
    },
    of: async (machineIds) => {
      const asked = new Set(machineIds);
      return names()
        .flatMap((name) => eventIn(name) ?? [])
        .filter((event) => asked.has(event.machineId) && !isOver(event));
    },
  };
};
