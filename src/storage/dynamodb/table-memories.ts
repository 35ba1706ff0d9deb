import type { Answered } from '../../application/bus/middleware.ts';
import {
  type InstanceEvent,
  type InstanceEvents,
  instanceEventKinds,
} from '../../application/ports/instance-events.ts';
import type { SweepMemory } from '../../application/ports/memory.ts';
import type { IsDue } from '../../application/ports/policy.ts';
import type { KeptAnswers } from '../../application/ports/store.ts';
import { hasCode } from '../../domain/errors.ts';
import { checkedCommandId, readAnswered } from '../answers.ts';
import { type Item, number, type Table, text, textIn } from './table.ts';

const parse = (content: string | undefined): unknown => {
  try {
    return JSON.parse(content ?? '');
  } catch {
    return undefined;
  }
};

/** DynamoDB's time to live, in the attribute `ttl`: seconds since the epoch after which it removes an item by itself. */
const until = (time: number): Item => ({ ttl: number(Math.ceil(time / 1000)) });

const dayMs = 86_400_000;
/** Who repeats a command does so within minutes. */
const answersKeptFor = 30 * dayMs;

/** Answers of commands that came with an id: written once, removed by the table's time to live. */
export const createTableAnswers = (table: Table, owner: string, clock: () => number): KeptAnswers => {
  const partitionOf = (commandId: string): string => `${owner}#answer#${checkedCommandId(commandId)}`;
  const read = <A>(item: Item | undefined): Answered<A> | undefined => readAnswered(textIn(item, 'a'));
  return {
    find: async (commandId) => read(await table.get({ pk: partitionOf(commandId), sk: '0' })),
    keep: async (commandId, answered) => {
      const item = { pk: text(partitionOf(commandId)), sk: text('0'), a: text(JSON.stringify(answered)) };
      try {
        const inTheWay = await table.create({ ...item, ...until(clock() + answersKeptFor) });
        return inTheWay === undefined ? answered : (read(inTheWay) ?? answered);
      } catch (error) {
        // The command was carried out: its answer goes out, though it cannot be repeated.
        if (!hasCode(error, 'storage.unavailable')) throw error;
        return answered;
      }
    },
    forgetBefore: async () => undefined,
  };
};

const isOrphans = (value: unknown): value is Readonly<Record<string, number>> =>
  typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite);

/** What sweeps remember, in one item. */
export const createTableSweepMemory = (table: Table, owner: string): SweepMemory => {
  const key = { pk: `${owner}#sweep`, sk: '0' };
  return {
    read: async () => {
      const orphans = parse(textIn(await table.get(key), 'a'));
      return { orphans: new Map(isOrphans(orphans) ? Object.entries(orphans) : []) };
    },
    write: ({ orphans }) =>
      table.put({ pk: text(key.pk), sk: text(key.sk), a: text(JSON.stringify(Object.fromEntries(orphans))) }),
  };
};

/** For so long after AWS was to act, ms, an event is kept: by then a full look has seen what came of it. */
const noticesKeptFor = 3_600_000;

const noticeIn = (item: Item): readonly InstanceEvent[] => {
  const [machineId = '', written = '', due = ''] = (textIn(item, 'sk') ?? '').split('~');
  const kind = instanceEventKinds.find((each) => each === written);
  return kind === undefined || !/^\d+$/.test(due) ? [] : [{ machineId, kind, due: Number(due) }];
};

/** One item for each event, named after it: the same one noted twice is there once. */
export const createTableNotices = (table: Table, owner: string, clock: () => number): InstanceEvents => {
  const pk = `${owner}#notices`;
  return {
    note: async (events) => {
      await Promise.all(
        events.map(({ machineId, kind, due }) =>
          table.put({ pk: text(pk), sk: text(`${machineId}~${kind}~${due}`), ...until(due + noticesKeptFor) }),
        ),
      );
    },
    of: async (machineIds) => {
      const asked = new Set(machineIds);
      const noted = (await table.list({ pk })).flatMap(noticeIn);
      // Time to live may take days.
      return noted.filter(({ machineId, due }) => asked.has(machineId) && clock() - due <= noticesKeptFor);
    },
  };
};

/** Of several hosts one goes: each asks the table only when by its own memory it is time. */
export const createTableTurns =
  (table: Table, owner: string, clock: () => number, ofHost: IsDue): IsDue =>
  async (task, interval) => {
    if (!(await ofHost(task, interval))) return false;
    const now = Math.round(clock());
    // A time that lies ahead was noted by a clock that was wrong.
    const isFree = 'attribute_not_exists(#at) OR #at <= :then OR #at > :now';
    const values = { ':now': number(now), ':then': number(now - interval) };
    return table.update({ pk: `${owner}#due`, sk: task }, 'SET #at = :now', values, isFree);
  };
