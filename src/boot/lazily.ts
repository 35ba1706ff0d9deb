/** Makes it when it is first asked for. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Makes it again once it is older than `lifetime`, ms. */
export const renewed = <T>(lifetime: number, clock: () => number, make: () => Promise<T>): (() => Promise<T>) => {
  let made: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    const age = made === undefined ? Number.POSITIVE_INFINITY : clock() - made.at;
    // Negative where the clock was set back.
    if (made === undefined || age < 0 || age > lifetime) made = { at: clock(), value: make() };
    return made.value;
  };
};

/** What is made for each of some things, outside of them what all share. */
export const oneForEach = <K extends object, T>(
  current: () => K | undefined,
  shared: () => Promise<T>,
  make: (key: K) => Promise<T>,
): (() => Promise<T>) => {
  const made = new WeakMap<K, Promise<T>>();
  return () => {
    const now = current();
    if (now === undefined) return shared();
    const own = made.get(now) ?? make(now);
    made.set(now, own);
    return own;
  };
};

/** Loaded when it is first needed: a call without AWS does without. */
export const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

export const newId = (): string => crypto().randomUUID();

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Lets the network go on with what is under way. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** What administrators use, and what lists are read from: parts of their own, which no script of Host Factory needs to load. */
export const administration = () => import('./parts/administration.ts');
export const readSide = () => import('./parts/reading.ts');

/** The state in a table: a part of its own, which nobody loads who keeps it in the work folder. */
export const stateInTable = () => import('./parts/table-state.ts');

/** What takes down the calls of Host Factory, where that is wanted. */
export const recordingPart = () => import('./parts/recording.ts');
