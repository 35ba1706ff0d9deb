import type { IsDue } from '../../application/ports/policy.ts';
import type { Store } from '../../application/ports/store.ts';
import { PluginError } from '../../domain/errors.ts';
import { createTable, type Item, number, numberIn, type TableCall, text, textIn } from './table.ts';
import { createTableGroupLedger, createTableLedgers, type FailureHearsay } from './table-ledgers.ts';
import { createTableAnswers, createTableNotices, createTableSweepMemory, createTableTurns } from './table-memories.ts';
import { createTableStreams } from './table-streams.ts';

/** Keeps facts between calls, on this host. */
interface HostFacts {
  get(key: string, lifetime: (value: string) => number, find: () => Promise<string>): Promise<string>;
  peek(key: string): Promise<string | undefined>;
  forget(value: string): Promise<void>;
}

export interface TableStoreOptions {
  readonly name: string;
  /** `<cluster>/<provider>`: every key begins with it. */
  readonly owner: string;
  readonly call: TableCall;
  /** Milliseconds since the epoch, by AWS's clock where it was heard. */
  readonly clock: () => number;
  readonly facts: HostFacts;
  /** Whether it is time for a task by this host's own memory. */
  readonly turn: IsDue;
  readonly diagnose: Store['diagnose'];
}

/** The store's id never changes; that the store has been left for another is heard within this time, ms. */
const idLifetime = 10 * 60_000;
const failuresLifetime = 7 * 86_400_000;

const hearsayOf = (facts: HostFacts): FailureHearsay => {
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
  const { name, owner, call, clock, facts } = options;
  const table = createTable(name, call);
  const key = { pk: `${owner}#store`, sk: '0' };

  const checked = (item: Item): Item => {
    const moved = textIn(item, 'moved');
    if (moved === undefined) return item;
    const text = `the state of ${owner} in table ${name} was copied to ${moved} and is not used any more: change stateTable`;
    throw new PluginError('storage.moved', text);
  };
  const find = async (): Promise<Item | undefined> => {
    const item = await table.get(key);
    return item === undefined ? undefined : checked(item);
  };
  const make = async (): Promise<Item> => {
    const id = process.getBuiltinModule('node:crypto').randomUUID();
    const item = { pk: text(key.pk), sk: text(key.sk), id: text(id), at: number(Math.round(clock())) };
    return checked((await table.create(item)) ?? item);
  };
  // Known by `<id>;<made at, ms>`, so that most calls do not ask.
  const fact = `store:${name}:${owner}`;
  const known = async (makes: boolean): Promise<readonly string[]> => {
    const told = await facts.peek(fact);
    const item = told === undefined ? ((await find()) ?? (makes ? await make() : undefined)) : undefined;
    if (told === undefined && item === undefined) return [];
    const value = told ?? `${textIn(item, 'id') ?? ''};${numberIn(item, 'at') ?? 0}`;
    // Who only looks writes nothing.
    if (makes)
      await facts.get(
        fact,
        () => idLifetime,
        async () => value,
      );
    return value.split(';');
  };
  const id: Store['id'] = async (makes) => (await known(makes))[0];
  const madeAt = async (): Promise<number> => Number((await known(false))[1] ?? clock());

  const ledgers = createTableLedgers(table, owner, clock, hearsayOf(facts));
  return {
    streams: createTableStreams({ table, owner, clock, madeAt }),
    ...ledgers,
    ledger: (group) => createTableGroupLedger(table, owner, group, clock),
    answers: createTableAnswers(table, owner, clock),
    sweepMemory: createTableSweepMemory(table, owner),
    notices: createTableNotices(table, owner, clock),
    turn: createTableTurns(table, owner, clock, options.turn),
    id,
    diagnose: options.diagnose,
  };
};
