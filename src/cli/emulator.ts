import { isatty } from 'node:tty';
import { messageOf, PluginError } from '../domain/errors.ts';
import type { CliContext } from './context.ts';

/** Node sets back what nohup has set: one that was started without any terminal is to outlive its shell. */
const outlivesTerminal = (): boolean => ![0, 1, 2].some((descriptor) => isatty(descriptor));

/** Serves until it is interrupted, or its terminal is closed. */
export const runEmulator = async (
  context: CliContext,
  { port, state }: { readonly port: number; readonly state?: string | undefined },
): Promise<number> => {
  const started = context.startEmulator({ port, ...(state === undefined ? {} : { stateFile: state }) });
  const emulator = await started.catch((cause: unknown) => {
    throw new PluginError('configuration.invalid', `cannot start the emulator: ${messageOf(cause)}`, { cause });
  });
  const ended = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    process.on('SIGHUP', outlivesTerminal() ? () => undefined : resolve);
  });
  // Who reads this may send a signal at once.
  context.print(`EC2 emulator at ${emulator.url} (control: ${emulator.url}/_emulator/; Ctrl-C ends it)`);
  await ended;
  await emulator.close();
  return 0;
};
