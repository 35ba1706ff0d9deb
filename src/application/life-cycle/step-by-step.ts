/** How a request or a return is brought on: what is due, and what came of doing it. */
interface Course<S, T> {
  readonly due: (standing: S) => T | undefined;
  readonly take: (step: T, standing: S) => Promise<S>;
}

/** Does what is due, step by step, until nothing is. Each step must see to it that it is not due again on the same look. */
export const stepByStep = async <S, T>({ due, take }: Course<S, T>, start: S): Promise<S> => {
  let standing = start;
  for (;;) {
    const step = due(standing);
    if (step === undefined) return standing;
    standing = await take(step, standing);
  }
};
