import { closest, distance } from 'fastest-levenshtein';

/** The known name that was probably meant. */
export const closestName = (written: string, names: readonly string[]): string | undefined => {
  const lower = new Map(names.map((name) => [name.toLowerCase(), name]));
  if (lower.size === 0) return undefined;
  const nearest = closest(written.toLowerCase(), [...lower.keys()]);
  const mostEdits = Math.max(1, Math.floor(written.length / 4));
  return distance(written.toLowerCase(), nearest) <= mostEdits ? lower.get(nearest) : undefined;
};
