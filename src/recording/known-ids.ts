import { type Json, jsonIn, listOf, textOf } from './json-value.ts';
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
  const only = (list: unknown): readonly unknown[] => listOf(list).filter(isKnown);
  return {
    /** What is left of a call. */
    partOf: ({ operation, input, answer }: RecordedCall): KnownPart => {
      const field = operation === 'getRequestStatus' ? 'requests' : 'machines';
      const asked = jsonIn(input)[field];
      const all = listOf(asked);
      const kept = all.filter(isKnown);
      if (operation === 'requestMachines' || kept.length === all.length)
        return { input, answer, isPart: false, isEmpty: false };
      const told: Json = jsonIn(answer);
      const requests = told['requests'];
      const rest = requests === undefined ? told : { ...told, requests: only(requests) };
      return { input: { ...jsonIn(input), [field]: kept }, answer: rest, isPart: true, isEmpty: kept.length === 0 };
    },
    /** Once it was replayed. */
    learn: ({ answer }: RecordedCall): void => {
      const told = jsonIn(answer);
      const given = textOf(told['requestId']);
      if (given !== '') known.add(given);
      const machines = listOf(told['requests'])
        .map(jsonIn)
        .filter(({ requestId }) => isKnown({ requestId }))
        .flatMap((entry) => listOf(entry['machines']));
      for (const id of machines.flatMap(idsOf)) known.add(id);
    },
  };
};
