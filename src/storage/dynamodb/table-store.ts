import type { Facts } from '../../application/ports/memory.ts';
import type { IsDue } from '../../application/ports/policy.ts';
import type { Store } from '../../application/ports/store.ts';
import { guardedLedger, guardedNotices, guardedStreams, shortly, usableId } from '../store-mark.ts';
import { withLedger } from '../streams-with-ledger.ts';
import type { FeedCache } from './feed.ts';
import { createTable, type TableCall } from './table.ts';
import { createTableHead, type TableHead } from './table-head.ts';
import { createTableGroupLedger, createTableLedgers, type FailureHearsay } from './table-ledgers.ts';
import { createTableAnswers, createTableNotices, createTableSweepMemory, createTableTurns } from './table-memories.ts';
import { createTableStreams } from './table-streams.ts';

export interface TableStoreOptions {
  readonly name: string;
  /** `<cluster>/<provider>`: every key begins with it. */
  readonly owner: string;
  readonly call: TableCall;
  /** Milliseconds since the epoch, by AWS's clock where it was heard. */
  readonly clock: () => number;
  /** What this host remembers. */
  readonly facts: Facts;
  /** Where this host keeps what it has read of the feed; without it everything is read each time. */
  readonly feedCache?: FeedCache;
  /** Whether it is time for a task by this host's own memory. */
  readonly turn: IsDue;
  readonly diagnose: Store['diagnose'];
  /** Throws where no store may be made, since the state is elsewhere. */
  readonly mayMake?: () => Promise<void>;
  /** Whether it is used though it may be marked: to copy from it, or to it. */
  readonly ignoresMark?: boolean;
}

/** The store's id never changes; that the store must not be used any more is heard within this time, ms. */
export const heardWithin = 2 * 60_000;
const failuresLifetime = 7 * 86_400_000;

const hearsayOf = (facts: Facts): FailureHearsay => {
  const keyOf = (templateId: string): string => `failures:${templateId}`;
  return {
    mayHave: async (templateId) => (await facts.peek(keyOf(templateId))) !== undefined,
    note: async (templateId) => {
      await facts.get(
        keyOf(templateId),
        () => failuresLifetime,
        async () => templateId,
      );
    },
    forget: facts.forget,
  };
};

/** The state of one provider in a DynamoDB table that it may share with others. */
export const createTableStore = (options: TableStoreOptions): Store => {
  const { name, owner, call, clock, facts, feedCache } = options;
  const table = createTable(name, call);
  const head = createTableHead(table, owner, clock);

  // Known by `<id>;<made at, ms>`, so that most calls do not ask. A mark is never kept.
  const fact = `store:${name}:${owner}`;
  const noted = async (found: TableHead): Promise<readonly string[]> => {
    const id = options.ignoresMark === true ? found.id : usableId(`the table ${name}`, found);
    const value = `${id};${found.madeAt}`;
    await facts.get(
      fact,
      () => heardWithin,
      async () => value,
    );
    return value.split(';');
  };
  const lately = shortly(async (): Promise<readonly string[]> => {
    const told = await facts.peek(fact);
    if (told !== undefined) return told.split(';');
    const found = await head.read();
    return found === undefined ? [] : noted(found);
  });
  const known = async (makes: boolean): Promise<readonly string[]> => {
    const parts = await lately();
    if (parts.length > 0 || !makes) return parts;
    await options.mayMake?.();
    return noted(await head.make({ id: process.getBuiltinModule('node:crypto').randomUUID() }));
  };
  const id: Store['id'] = async (makes) => (await known(makes))[0];
  const store = async () => {
    const [storeId, madeAt] = await known(false);
    return storeId === undefined ? undefined : { id: storeId, madeAt: Number(madeAt) };
  };

  const { live, failures } = createTableLedgers(table, owner, clock, hearsayOf(facts));
  return {
    streams: guardedStreams(withLedger(createTableStreams({ table, owner, clock, store, feedCache }), live), known),
    failures,
    live: guardedLedger(live, known),
    ledger: (group) => guardedLedger(createTableGroupLedger(table, owner, group, clock), known),
    answers: createTableAnswers(table, owner, clock),
    sweepMemory: createTableSweepMemory(table, owner),
    notices: guardedNotices(async () => createTableNotices(table, owner, clock), known),
    turn: createTableTurns(table, owner, clock, options.turn),
    id,
    diagnose: options.diagnose,
  };
};
