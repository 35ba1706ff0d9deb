/** Both places of the state, to be copied from one to the other: a part of its own. */
import type { StateEnd, StatePlaces } from '../../application/ports/state-copy.ts';
import { answeredCommands } from '../../storage/answers.ts';
import { createTable, type TableCall } from '../../storage/dynamodb/table.ts';
import { createTableHead } from '../../storage/dynamodb/table-head.ts';
import { createTableStore, heardWithin } from '../../storage/dynamodb/table-store.ts';
import { createTableStreams } from '../../storage/dynamodb/table-streams.ts';
import { createRequestStreams } from '../../storage/request-streams.ts';
import { readHead, writeHead } from '../../storage/store-id.ts';
import { believedFor, writeTakes } from '../../storage/store-mark.ts';
import { fileStore } from '../stores.ts';

export interface StatePlacesOptions {
  readonly workDir: string;
  readonly clock: () => number;
  /** The name of the table. */
  readonly table: string;
  /** `<cluster>/<provider>` */
  readonly owner: string;
  readonly call: TableCall;
}

const folderPlace = ({ workDir, clock }: StatePlacesOptions): StateEnd => ({
  name: `the work folder ${workDir}`,
  store: fileStore({ workDir, clock, ignoresMark: true }),
  head: () => readHead(workDir),
  setHead: (head) => writeHead(workDir, head),
  restore: createRequestStreams(workDir).restore,
  commandIds: async () => answeredCommands(workDir),
  knownEverywhereWithin: believedFor + writeTakes,
});

const tablePlace = ({ table: name, owner, call, clock }: StatePlacesOptions): StateEnd => {
  const table = createTable(name, call);
  const head = createTableHead(table, owner, clock);
  return {
    name: `the table ${name}`,
    store: createTableStore({
      name,
      owner,
      call,
      clock,
      ignoresMark: true,
      // Nothing is believed from before, and nothing is left for others to believe.
      facts: {
        peek: async (key) => (key.startsWith('failures:') ? key : undefined),
        get: (_key, _lifetime, find) => find(),
        forget: async () => undefined,
      },
      turn: async () => false,
      diagnose: async () => [],
    }),
    head: head.read,
    setHead: head.write,
    restore: createTableStreams({ table, owner, clock, store: async () => undefined }).restore,
    commandIds: async (known) => known,
    knownEverywhereWithin: heardWithin + believedFor + writeTakes,
  };
};

export const statePlaces = (options: StatePlacesOptions): StatePlaces<StateEnd> => ({
  folder: folderPlace(options),
  table: tablePlace(options),
});
