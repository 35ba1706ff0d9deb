import { PluginError } from '../domain/errors.ts';
import type { Terminal } from './context.ts';

/** The terminal of this process; undefined where there is none. */
export const openTerminal = async (): Promise<Terminal | undefined> => {
  if (process.stdin.isTTY !== true) return undefined;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Without this the process would end, as if all were well, when the terminal goes away.
  const gone = new Promise<never>((_, reject) =>
    terminal.once('close', () => reject(new PluginError('input.invalid', 'the questions were not answered'))),
  );
  gone.catch(() => undefined);
  return {
    ask: (question) => Promise.race([terminal.question(question), gone]),
    close: () => terminal.close(),
  };
};
