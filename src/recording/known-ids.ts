import { jsonIn, listOf, textOf } from './json-value.ts';
import type { RecordedCall } from './record-form.ts';

/** A call without what is older than the recording. */
export interface KnownPart {
  readonly input: unknown;
  readonly answer: object;
  /** Whether anything was left out. */
  readonly isPart: boolean;
  /** Whether nothing is left. */
  readonly isEmpty: boolean;
}

const idsOf = (entry: unknown): readonly string[] =>
  typeof entry === 'string'
    ? [entry]
    : [jsonIn(entry)['requestId'], jsonIn(entry)['machineId'], jsonIn(entry)['name'], jsonIn(entry)['machine']]
        .map(textOf)
        .filter((id) => id !== '');

/** Which requests and machines a recording has seen come: what it asks about others, a replay cannot know. */
export const createKnownIds = () => {
  const known = new Set<string>();
  const isKnown = (entry: unknown): boolean => idsOf(entry).some((id) => known.has(id));
  /** Returns of which only a part was replayed. */
  const parts = new Set<string>();
  /** Of such a return, what it says of its machines, without the message that counts them. */
  const partOfEntry = (entry: unknown): unknown => {
    const { message: _counts, machines, ...rest } = jsonIn(entry);
    return parts.has(textOf(rest['requestId'])) ? { ...rest, machines: listOf(machines).filter(isKnown) } : entry;
  };
  const only = (answer: object): object => {
    const { requests, ...rest } = jsonIn(answer);
    return requests === undefined ? answer : { ...rest, requests: listOf(requests).filter(isKnown).map(partOfEntry) };
  };
  return {
    /** What is left of a call. */
    partOf: ({ operation, input, answer }: RecordedCall): KnownPart => {
      const field = operation === 'getRequestStatus' ? 'requests' : 'machines';
      const asked = jsonIn(input)[field];
      const all = listOf(asked);
      const kept = all.filter(isKnown);
      if (operation === 'requestMachines' || all.length === 0) return { input, answer, isPart: false, isEmpty: false };
      const told = only(answer);
      const isPart = kept.length < all.length;
      const given = textOf(jsonIn(answer)['requestId']);
      if (isPart && given !== '') parts.add(given);
      return { input: { ...jsonIn(input), [field]: kept }, answer: told, isPart, isEmpty: kept.length === 0 };
    },
    /** Once it was replayed. */
    learn: ({ answer }: RecordedCall): void => {
      const told = jsonIn(answer);
      const given = textOf(told['requestId']);
      if (given !== '') known.add(given);
      const machines = listOf(told['requests'])
        .map(jsonIn)
        .filter(({ requestId }) => isKnown({ requestId }) && !parts.has(textOf(requestId)))
        .flatMap((entry) => listOf(entry['machines']));
      for (const id of machines.flatMap(idsOf)) known.add(id);
    },
  };
};
