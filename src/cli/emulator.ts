import { isatty } from 'node:tty';
import type { Argv } from 'yargs';
import { messageOf, PluginError } from '../domain/errors.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { checkPort, reporting } from './run.ts';

/** Node sets back what nohup has set: one that was started without any terminal is to outlive its shell. */
const outlivesTerminal = (): boolean => ![0, 1, 2].some((descriptor) => isatty(descriptor));

export const emulatorOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('port', { type: 'number', default: 4566, describe: 'Port to listen on; 0 takes any free one' })
    .check(checkPort)
    .option('state', { type: 'string', describe: 'File that keeps the instances across restarts' })
    .example('hf-aws emulator --port 4566', 'then set AWS_ENDPOINT_URL to http://127.0.0.1:4566');

interface EmulatorOptions extends CommonOptions {
  readonly port: number;
  readonly state?: string | undefined;
}

const serve = async (context: CliContext, { port, state }: EmulatorOptions): Promise<number> => {
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

/** Serves until it is interrupted, or its terminal is closed. */
export const runEmulator = (context: CliContext, options: EmulatorOptions): Promise<number> =>
  reporting(context, options, () => serve(context, options));
