import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../domain/errors.ts';
import { visibleLines } from './visible.ts';

/** Thrown by `print` when nobody reads any more, e.g. `hf-aws ... | head`: the command then ends quietly. */
export class ReaderGoneError extends Error {}

const isGone = (error: Error): boolean => 'code' in error && (error.code === 'EPIPE' || error.code === 'EIO');

interface Writing {
  print(text: string): void;
  complain(text: string): void;
}

/** Watches over the output of a command: a reader that went away is no fault, a full disk is one. */
export const watchOutput = <D extends Writing>(context: D) => {
  let [isReaderGone, isUnwritten] = [false, false];
  process.stdout.on('error', (error) => {
    if (isGone(error)) {
      isReaderGone = true;
      return;
    }
    if (!isUnwritten) context.complain(`the output cannot be written: ${messageOf(error)}`);
    isUnwritten = true;
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
  const expectReader = (): void => {
    if (isReaderGone) throw new ReaderGoneError('the output was closed');
  };
  return {
    context: {
      ...context,
      pause: async (ms: number): Promise<void> => {
        await wait(ms);
        expectReader();
      },
      print: (text: string): void => {
        expectReader();
        context.print(visibleLines(text));
      },
      complain: (text: string): void => context.complain(visibleLines(text)),
    },
    /** The exit status, once all has been written. */
    statusOf: async (status: number): Promise<number> => {
      await new Promise(setImmediate);
      if (isReaderGone) return 0;
      return isUnwritten ? 1 : status;
    },
  };
};
