import type { AwsCall } from '../application/rehearsal.ts';
import type { Terminal } from '../cli/context.ts';
import type { Environment } from '../config/environment.ts';
import type { Application } from './composition.ts';
import { version } from './version.ts';

/** Whose command line it is, and where it writes. */
export interface Administrator {
  readonly env: Environment;
  /** The installation's folder. */
  readonly home: string;
  readonly stdout?: Output;
  readonly stderr?: Output;
  /** Ends the process soon with that status, whatever still hangs in it. */
  readonly abandon?: (status: number) => void;
  /** Where somebody answers questions, in place of the terminal of this process. */
  readonly terminal?: Terminal;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How a process ends itself. */
interface Ending {
  readonly pid: number;
  exit(status: number): void;
  kill(pid: number, signal: 'SIGKILL'): void;
}

/** Ends the process, whatever hangs in it. Node would wait, for ever, for a thread that hangs in a file system: then only a signal helps. */
export const endNow = (status: number, own: Ending = process): void => {
  if (process.getActiveResourcesInfo().some((kind) => kind.startsWith('FSReq'))) own.kill(own.pid, 'SIGKILL');
  else own.exit(status);
};

/** Runs a command of the administrator's command line. Resolves with the exit status. */
export const runAdministrator = async (
  argv: readonly string[],
  { env, home, stdout = process.stdout, stderr = process.stderr, abandon = () => undefined, terminal }: Administrator,
): Promise<number> => {
  const [{ isCompletion, runCli }, { compose }] = await Promise.all([
    import('../cli/cli.ts'),
    import('./composition.ts'),
  ]);
  // A shell that asks how a line goes on shows what is said beside.
  let isIntroduced = isCompletion(argv);
  let untold: string | undefined;
  /** Whose provider is spoken of, where that is not plain, and once. */
  const introduce = <A extends Application>(application: A): A => {
    const { about, stranger, environment } = application;
    if (!isIntroduced && (environment.registeredIn !== undefined || stdout.isTTY)) stderr.write(`${about}\n`);
    if (!isIntroduced) untold = stranger;
    isIntroduced = true;
    return application;
  };
  /** Before the first output: why nothing is written, unless the output is that. */
  const say = (output: Output, text: string): void => {
    if (untold !== undefined && !text.includes(untold)) stderr.write(`warning: nothing is written: ${untold}\n`);
    untold = undefined;
    output.write(`${text}\n`);
  };
  return runCli(argv, {
    home,
    version,
    env,
    compose: async (options) =>
      introduce(
        await compose({
          env,
          home,
          validates: true,
          allowsStrangers: true,
          mayOnlyLook: true,
          ...options,
        }),
      ),
    rehearse: async (provider) => {
      const calls: AwsCall[] = [];
      const rehearse = (call: AwsCall): unknown => calls.push(call);
      const validates = true;
      const { service } = introduce(await compose({ env, home, provider, validates, allowsStrangers: true, rehearse }));
      return { service, calls };
    },
    serve: async (options) =>
      (await import('./parts/serve.ts')).serve(
        {
          env,
          home,
          version,
          say: (text) => stdout.write(`${text}\n`),
          compose: async (more) => introduce(await compose({ env, home, ...more })),
        },
        options,
      ),
    serveAssistant: async (options) =>
      (await import('./parts/assistant.ts')).serveAssistant(
        { env, home, version, compose: async (more) => introduce(await compose({ env, home, ...more })) },
        options,
      ),
    notifier: async (options) => {
      const application = introduce(await compose({ env, home, ...options }));
      return {
        notifier: await (await import('./parts/notify.ts')).notifierFor(application, env),
        log: application.log,
      };
    },
    providers: async () => (await import('./parts/administration.ts')).registeredProviders(env, home),
    setUpFault: async (option, value) => (await import('./parts/administration.ts')).setUpFault(option, value),
    setUp: async (order) => (await import('./parts/administration.ts')).setUp(env, home, order),
    unregister: async (order) => (await import('./parts/administration.ts')).unregister(env, home, order),
    discover: async (account) => (await import('./parts/discovery.ts')).discover(env, account),
    initPolicy: async () => (await import('../providers/aws/inspect/inspection.ts')).initPolicy(),
    terminal: async () => terminal ?? (await import('../cli/terminal.ts')).openTerminal(),
    importTree: async (order) => (await import('./parts/administration.ts')).importTree(order),
    replay: async (order) => (await import('./parts/replay.ts')).replay({ home, version, compose }, order),
    startEmulator: async (options) => (await import('../emulator/server.ts')).startEmulator(options),
    abandon,
    print: (text) => say(stdout, text),
    complain: (text) => say(stderr, text),
  });
};
