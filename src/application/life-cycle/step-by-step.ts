/** What is due about a request or return, and how to do it. */
interface Course<S, T> {
  readonly due: (state: S) => T | undefined;
  readonly take: (step: T, state: S) => Promise<S>;
}

/** Does what is due, step by step, until nothing is. Each step must see to it that it is not due again on the same look. */
export const stepByStep = async <S, T>({ due, take }: Course<S, T>, start: S): Promise<S> => {
  let state = start;
  for (;;) {
    const step = due(state);
    if (step === undefined) return state;
    state = await take(step, state);
  }
};
