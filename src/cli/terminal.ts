import type { Readable, Writable } from 'node:stream';
import { PluginError } from '../domain/errors.ts';
import type { Terminal } from './context.ts';

/** A terminal to ask at, by default that of this process; undefined where it is none. */
export const openTerminal = async (
  input: Readable & { readonly isTTY?: boolean } = process.stdin,
  output: Writable = process.stdout,
): Promise<Terminal | undefined> => {
  if (input.isTTY !== true) return undefined;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input, output });
  let isOver = false;
  // Without this the process would end, as if all were well, when the terminal goes away.
  const gone = new Promise<never>((_, reject) =>
    terminal.once('close', () => {
      // Ctrl-C and Ctrl-D leave the cursor behind the question.
      if (!isOver) output.write('\n');
      reject(new PluginError('input.invalid', 'the questions were not answered'));
    }),
  );
  gone.catch(() => undefined);
  return {
    ask: (question) => Promise.race([terminal.question(question), gone]),
    close: () => {
      isOver = true;
      terminal.close();
    },
  };
};
