/** HTTP dates have whole seconds and an answer takes time to arrive: less than this is no difference, ms. */
const tolerance = 5000;

/** What time it is at AWS: the clock that all management hosts have in common. */
export interface AwsClock {
  /** Milliseconds since the epoch by AWS's clock; while AWS has not been heard, by this host's and what is known of it. */
  readonly now: () => number;
  /** Milliseconds since the epoch by this host's clock. */
  readonly local: () => number;
  /** Takes the `Date` header of an answer of AWS's, which came at `at` by this host's clock. */
  readonly observe: (date: string | undefined, at?: number) => void;
  /** Milliseconds by which this host is ahead of AWS, negative when behind; undefined while AWS has not been heard. */
  readonly ahead: () => number | undefined;
}

/**
 * `known`: ms ahead as far as earlier calls can tell. `changed` is told, in ms ahead, where nothing was known, and each time the
 * difference is found to be another than before; 0: there is none.
 */
export const createAwsClock = (
  local: () => number,
  changed: (ahead: number) => void = () => undefined,
  known: () => number | undefined = () => undefined,
): AwsClock => {
  let ahead: number | undefined;
  let earlier: { readonly ahead: number | undefined } | undefined;
  const before = (): number | undefined => {
    earlier ??= { ahead: known() };
    return earlier.ahead;
  };
  const correction = (): number => {
    const difference = ahead ?? before() ?? 0;
    return Math.abs(difference) < tolerance ? 0 : difference;
  };
  return {
    now: () => local() - correction(),
    local,
    observe: (date = '', at = local()) => {
      const found = at - Date.parse(date);
      if (Number.isNaN(found)) return;
      const isFirst = ahead === undefined && before() === undefined;
      const corrected = correction();
      ahead = found;
      if (isFirst || Math.abs(correction() - corrected) >= tolerance) changed(correction());
    },
    ahead: () => ahead,
  };
};
