import { join } from 'node:path';
import { messageOf } from './domain/errors.ts';
import { isOperation, type OperationName } from './hostfactory/operations.ts';
import type { FileLogger } from './telemetry/file-logger.ts';
import { version } from './version.ts';

/** The bundle lies in `<home>/dist`. */
const home = join(__dirname, '..');

/** Host Factory reads stdout and nothing else: one JSON object per call, whatever happened. */
const answer = (body: object, exitCode: 0 | 1): void => {
  process.stdout.write(`${JSON.stringify(body)}\n`);
  process.exitCode = exitCode;
};

const runOperation = async (name: OperationName, args: readonly string[]): Promise<void> => {
  let log: FileLogger | undefined;
  let answered = false;
  const fail = async (error: unknown): Promise<void> => {
    if (!answered) answer({ message: messageOf(error) }, 1);
    answered = true;
    log?.error('call.failed', `${name}: ${messageOf(error)}`, {
      stack: error instanceof Error ? error.stack : undefined,
    });
    await log?.flush();
  };
  const stop = new AbortController();
  process.on('uncaughtException', (error) => void fail(error).finally(() => process.exit(1)));
  process.on('SIGTERM', () => stop.abort(new Error('the call was ended by SIGTERM')));
  try {
    const [{ compose }, { operationOf }, { readInput }] = await Promise.all([
      import('./composition.ts'),
      import('./hostfactory/operations.ts'),
      import('./hostfactory/input.ts'),
    ]);
    const { run, inputIsOptional } = operationOf(name);
    const input = await readInput(name, args, inputIsOptional);
    const application = await compose({ env: process.env, home, signal: stop.signal });
    log = application.log;
    log.debug('call.started', name, { input: input.name });
    const { body, afterwards } = await run(application, input.value);
    answer(body, 0);
    answered = true;
    await afterwards?.();
    await log.flush();
  } catch (error) {
    await fail(error);
  }
};

const runAdministrator = async (argv: readonly string[]): Promise<void> => {
  const [{ runCli }, { compose }] = await Promise.all([import('./cli/cli.ts'), import('./composition.ts')]);
  process.exitCode = await runCli(argv, {
    home,
    version,
    env: process.env,
    compose: (correlationId) =>
      compose({ env: process.env, home, ...(correlationId === undefined ? {} : { correlationId }) }),
    startEmulator: async (options) => (await import('./emulator/server.ts')).startEmulator(options),
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${text}\n`),
  });
};

const [verb = '', ...args] = process.argv.slice(2);
if (isOperation(verb)) {
  void runOperation(verb, args).finally(() => process.exit());
} else {
  void runAdministrator(process.argv.slice(2));
}
