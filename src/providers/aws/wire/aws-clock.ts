/** HTTP dates have whole seconds and an answer takes time to arrive: less than this is no difference, ms. */
const tolerance = 5000;

/** What time it is at AWS: the clock that all management hosts have in common. */
export interface AwsClock {
  /** Milliseconds since the epoch by AWS's clock; while AWS has not been heard, by this host's and what is known of it. */
  readonly now: () => number;
  /** Milliseconds since the epoch by this host's clock. */
  readonly local: () => number;
  /** Takes the `Date` header of an answer of AWS's, which came at `at` by this host's clock. */
  readonly heard: (date: string | undefined, at?: number) => void;
  /** Milliseconds by which this host is ahead of AWS, negative when behind; undefined while AWS has not been heard. */
  readonly ahead: () => number | undefined;
}

/**
 * `known`: ms ahead as an earlier call has measured. `changed` is told, in ms ahead, each time the difference is found to be
 * another than before; 0: there is none any more.
 */
export const createAwsClock = (
  local: () => number,
  changed: (ahead: number) => void = () => undefined,
  known?: number,
): AwsClock => {
  let ahead: number | undefined;
  const correction = (): number => {
    const difference = ahead ?? known ?? 0;
    return Math.abs(difference) < tolerance ? 0 : difference;
  };
  return {
    now: () => local() - correction(),
    local,
    heard: (date = '', at = local()) => {
      const found = at - Date.parse(date);
      if (Number.isNaN(found)) return;
      const before = correction();
      ahead = found;
      if (Math.abs(correction() - before) >= tolerance) changed(correction());
    },
    ahead: () => ahead,
  };
};
