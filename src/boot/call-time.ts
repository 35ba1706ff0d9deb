/** A call ends by itself at this share of Host Factory's time-out, with an answer. */
const budgetShare = 0.8;

/** Milliseconds that a call has. */
export const budgetOf = ({ actionTimeoutSeconds }: { readonly actionTimeoutSeconds: number }): number =>
  actionTimeoutSeconds * 1000 * budgetShare;

/** Its AWS calls end before, so that what they came to can be recorded. */
export const timeForAws = (budget: number): number => budget - Math.max(1000, budget / 16);
