/** HTTP dates have whole seconds and an answer takes time to arrive: less than this is no difference, ms. */
const tolerance = 5000;

/** What time it is at AWS: the clock that all management hosts have in common. */
export interface AwsClock {
  /** Milliseconds since the epoch by AWS's clock; by this host's while AWS has not been heard. */
  readonly now: () => number;
  /** Takes the `Date` header of an answer of AWS's. */
  readonly heard: (date: string | undefined) => void;
  /** Milliseconds by which this host is ahead of AWS, negative when behind; undefined while AWS has not been heard. */
  readonly ahead: () => number | undefined;
}

/** `differs` is told, in ms ahead, each time a difference is found that was not there before. */
export const createAwsClock = (local: () => number, differs: (ahead: number) => void = () => undefined): AwsClock => {
  let ahead: number | undefined;
  const correction = (): number => (ahead === undefined || Math.abs(ahead) < tolerance ? 0 : ahead);
  return {
    now: () => local() - correction(),
    heard: (date = '') => {
      const found = local() - Date.parse(date);
      if (Number.isNaN(found)) return;
      const before = correction();
      ahead = found;
      if (Math.abs(correction() - before) >= tolerance && correction() !== 0) differs(ahead);
    },
    ahead: () => ahead,
  };
};
