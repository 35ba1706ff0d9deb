import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../domain/errors.ts';
import { visibleLines } from './visible.ts';

/** Thrown by `print` when nobody reads any more, e.g. `hf-aws ... | head`: the command then ends quietly. */
export class ReaderGoneError extends Error {}

const isGone = (error: Error): boolean => 'code' in error && (error.code === 'EPIPE' || error.code === 'EIO');

/** Whether a pipe has lost its reader, though nothing was written to it since. Linux tells; elsewhere the next line meets EPIPE. */
export const isUnread = (descriptor: number): boolean => {
  try {
    if (!fstatSync(descriptor).isFIFO()) return false;
    // To be opened for writing a pipe needs a reader: fifo(7).
    closeSync(openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENXIO';
  }
};

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
        isReaderGone ||= isUnread(process.stdout.fd);
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
