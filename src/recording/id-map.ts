import { isJson } from './json-value.ts';

/** Ids, host names and addresses of a recording by those that a replay has in their place. */
export interface IdMap {
  readonly of: (recorded: string) => string | undefined;
  learn(recorded: string, replayed: string): void;
  /** Whether the replay has given it out for something else of the recording. */
  readonly isTaken: (replayed: string) => boolean;
  /** The value with every recorded id in it put into those of the replay, in whatever text it stands. */
  translate(value: unknown): unknown;
}

/** What an id, a name or an address looks like in a text. */
const word = /[\w-]+(?:[.:][\w-]+)*/g;
/** It is also a part of other names: `hf-aws-req-...`. */
const requestId = /re[qt]-[0-9a-f-]{36}/;

export const createIdMap = (): IdMap => {
  const known = new Map<string, string>();
  const taken = new Set<string>();
  const inWord = (each: string): string => known.get(each) ?? each.replace(requestId, (id) => known.get(id) ?? id);
  const inText = (text: string): string => known.get(text) ?? text.replaceAll(word, inWord);
  const translate = (value: unknown): unknown => {
    if (typeof value === 'string') return inText(value);
    if (Array.isArray(value)) return value.map(translate);
    if (!isJson(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, translate(each)]));
  };
  return {
    of: (recorded) => known.get(recorded),
    learn: (recorded, replayed) => {
      if (recorded === '' || replayed === '' || known.has(recorded)) return;
      known.set(recorded, replayed);
      taken.add(replayed);
    },
    isTaken: (replayed) => taken.has(replayed),
    translate,
  };
};
