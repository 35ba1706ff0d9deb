/** A call ends by itself at this share of Host Factory's time-out, with an answer. */
const budgetShare = 0.8;

/** Milliseconds that a call has. */
export const budgetOf = ({ actionTimeoutSeconds }: { readonly actionTimeoutSeconds: number }): number =>
  actionTimeoutSeconds * 1000 * budgetShare;

/** Its AWS calls end before, so that what they came to can be recorded. */
export const timeForAws = (budget: number): number => budget - Math.max(1000, budget / 16);

/** Milliseconds that calls of a table have beyond them for that: less than a call has to its end, also after SIGTERM. */
export const timeForRecords = 600;

/** Aborts after this time (ms), or with another signal. A third of the cost of `AbortSignal.any` and `timeout`. */
export const withinTime = (ms: number, other: AbortSignal | undefined): AbortSignal => {
  const end = new AbortController();
  setTimeout(() => end.abort(new Error(`the call had ${ms} ms`)), ms).unref();
  other?.addEventListener('abort', () => end.abort(other.reason), { once: true });
  return end.signal;
};

/** Aborts so long (ms) after another signal, for the same reason. */
export const outlasting = (signal: AbortSignal, ms: number): AbortSignal => {
  const end = new AbortController();
  const abortLater = (): void => void setTimeout(() => end.abort(signal.reason), ms).unref();
  if (signal.aborted) abortLater();
  else signal.addEventListener('abort', abortLater, { once: true });
  return end.signal;
};
