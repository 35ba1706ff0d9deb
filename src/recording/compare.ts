import type { ReplayDifference } from '../application/ports/replay.ts';
import { isJson, type Json, jsonIn, listOf, textOf } from './json-value.ts';

type Place = Pick<ReplayDifference, 'where' | 'recorded' | 'replayed'>;

/** Counted from another day, in a replay. */
const times: ReadonlySet<string> = new Set(['launchtime', 'gracePeriod']);
/** Given out by AWS when it likes: the replay must have them where the recording has. */
const assignedLater: ReadonlySet<string> = new Set(['name', 'privateIpAddress']);
/** Of the subnet, which the emulator does not know. */
const ofTheSubnet = 'publicIpAddress';

const keyOf = (item: Json): string =>
  textOf(item['requestId']) || textOf(item['machineId']) || textOf(item['templateId']) || textOf(item['machine']);

const isKeyed = (items: readonly unknown[]): items is readonly Json[] =>
  items.every((item) => isJson(item) && keyOf(item) !== '');

/** Their names begin with the provider's, and they lie elsewhere in a replay. */
const ownFiles = ['prov_templates.json', 'prov_config.json'];

/** `a=1;b=2` whatever the order, and messages wherever the files lie that they name. */
const comparable = (name: string, value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (name === 'instanceTags') return value.split(';').sort().join(';');
  return value
    .split(' ')
    .map((word) => ownFiles.find((name) => word.includes(name)) ?? word)
    .join(' ');
};

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const fieldDifferences = (name: string, before: unknown, now: unknown, where: string): readonly Place[] => {
  if (times.has(name) || name === ofTheSubnet) return [];
  // Of a part, the recorded message counts something else.
  if (name === 'message' && before === undefined && where.startsWith('requests[')) return [];
  if (assignedLater.has(name) && (before === '' || before === undefined)) return [];
  return differences(comparable(name, before), comparable(name, now), where);
};

/** Objects of a list by what they are about, whatever their order. */
const byKey = (items: readonly Json[]): ReadonlyMap<string, Json> => new Map(items.map((item) => [keyOf(item), item]));

const differences = (before: unknown, now: unknown, where: string): readonly Place[] => {
  if (Array.isArray(before) && Array.isArray(now) && isKeyed(before) && isKeyed(now)) {
    const [then, there] = [byKey(before), byKey(now)];
    return [...new Set([...then.keys(), ...there.keys()])].flatMap((key) =>
      differences(then.get(key), there.get(key), `${where}[${key}]`),
    );
  }
  if (isJson(before) && isJson(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) =>
      fieldDifferences(name, before[name], now[name], where === '' ? name : `${where}.${name}`),
    );
  }
  return isSame(before, now) ? [] : [{ where, recorded: before, replayed: now }];
};

/** How fast AWS was is no difference: what a request comes to is looked at once it has come to it. */
const withoutRunning = (answer: Json): readonly Json[] =>
  listOf(answer['requests'])
    .filter(isJson)
    .filter((entry) => entry['status'] !== 'running');

const statusDifferences = (before: Json, now: Json): readonly Place[] => {
  const settled = withoutRunning(before);
  const ids = new Set(settled.map(keyOf));
  const same = listOf(now['requests'])
    .filter(isJson)
    .filter((entry) => ids.has(keyOf(entry)));
  const { requests: _then, ...rest } = before;
  const { requests: _now, ...others } = now;
  return [...differences(settled, same, 'requests'), ...differences(rest, others, '')];
};

interface Ended {
  readonly status: number;
  readonly answer: unknown;
}

/**
 * Where an answer says something else than the recorded one, whose ids are those of the replay already. Order, times and the pace of
 * AWS are no difference. `isPart`: only a part of the call was replayed, so that its message counts otherwise.
 */
export const answerDifferences = (operation: string, before: Ended, now: Ended, isPart: boolean): readonly Place[] => {
  const exit =
    before.status === now.status ? [] : [{ where: 'exit status', recorded: before.status, replayed: now.status }];
  const drop = (answer: unknown): Json => {
    const { message, ...rest } = jsonIn(answer);
    return isPart || message === undefined ? rest : { ...rest, message };
  };
  const [then, there] = [drop(before.answer), drop(now.answer)];
  const compared = operation === 'getRequestStatus' && before.status === 0 && now.status === 0;
  return [...exit, ...(compared ? statusDifferences(then, there) : differences(then, there, ''))];
};
