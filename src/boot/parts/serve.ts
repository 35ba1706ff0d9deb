/** `hf-aws serve`: a part of its own. */
import { spawn } from 'node:child_process';
import { startChores } from '../../api/background.ts';
import { createReadiness } from '../../api/readiness.ts';
import type { ScriptSocket } from '../../api/script-socket.ts';
import type { ServeOptions } from '../../application/ports/setup.ts';
import { type Environment, tellsPlaces } from '../../config/environment.ts';
import { messageOf, PluginError } from '../../domain/errors.ts';
import { registeredProviders } from '../../setup/registration.ts';
import { diagnoseWorkFolder } from '../../storage/work-folder.ts';
import type { Application, ComposeOptions } from '../composition.ts';
import { once } from '../lazily.ts';
import { serviceManager } from './service-manager.ts';
import { changeWatch, createServing, type Serving } from './serving.ts';

export interface ServeContext {
  readonly env: Environment;
  readonly home: string;
  readonly version: string;
  readonly compose: (options: Partial<ComposeOptions>) => Promise<Application>;
  readonly say: (text: string) => void;
}

/** Milliseconds between two looks at what a server goes by: its sockets, its configuration, its own program. */
const lookPause = 1000;
const [flushPause, metricsPause, noticePause] = [1000, 15_000, 60_000];
/** Looks after which a provider that could not be served is tried again. */
const looksBetweenTries = 10;

/** Notifies people of trouble; loaded where channels are configured. */
const notices = (current: () => Application, env: Environment): (() => Promise<void>) => {
  const begun = once(async () => (await import('./notify.ts')).notifying(current, env));
  return async () => {
    if (Object.keys(current().config.notify).length > 0) await (await begun())();
  };
};

type End = 'told' | 'outdated' | 'replaced';

const untilTold = (): Promise<End> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve('told'));
  });

/** The program that was installed meanwhile takes over. Systemd starts it itself. */
const startSuccessor = ({ env, say }: ServeContext): void => {
  if (env['NOTIFY_SOCKET'] !== undefined || env['INVOCATION_ID'] !== undefined) return;
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: 'inherit',
  });
  say(`Another version has been installed: process ${child.pid} goes on.`);
  child.unref();
};

/** Names of the providers to serve; undefined for the one that the environment tells. */
const providersOf = async ({ env, home }: ServeContext, { provider }: ServeOptions) => {
  if (provider !== undefined || tellsPlaces(env)) return { names: [provider], files: [] };
  const registered = await registeredProviders(env, home);
  const ours = registered?.providers.filter(({ isOurs, enabled }) => isOurs && enabled) ?? [];
  if (registered === undefined || ours.length === 0) return { names: [undefined], files: [] };
  return { names: ours.map(({ name }) => name), files: [registered.file] };
};

/** A provider whose scripts are answered. */
interface Served {
  readonly serving: Serving;
  readonly listener: ScriptSocket;
  readonly notify: () => Promise<void>;
}

/** Serves nothing but Host Factory's scripts, those of every provider of this installation. Resolves with the exit status. */
const serveScripts = async (context: ServeContext, options: ServeOptions): Promise<number> => {
  const { env, home, say } = context;
  const { names, files } = await providersOf(context, options);
  const manager = serviceManager(env);
  const isCurrent = changeWatch(home, files);
  const served = new Map<string | undefined, Served>();
  const faults = new Map<string | undefined, string>();
  const open = async (provider: string | undefined): Promise<void> => {
    const compose = (more: Partial<ComposeOptions>): Promise<Application> =>
      context.compose({ ...more, server: { connection: 60_000 } });
    const serving = await createServing({ env, home, provider, compose });
    const listener = await serving.openSocket();
    if (listener === undefined)
      throw new PluginError(
        'configuration.invalid',
        'scripts are not to be served: useServer is false, or HF_AWS_SERVER=off',
      );
    served.set(provider, { serving, listener, notify: notices(() => serving.application, env) });
    say(`Serving scripts of ${serving.application.about} at ${listener.path}.`);
  };
  const openMissing = async (): Promise<void> => {
    for (const provider of names.filter((name) => !served.has(name))) {
      await open(provider).catch((error: unknown) => {
        const fault = `${provider === undefined ? '' : `provider ${provider}: `}${messageOf(error)}`;
        if (faults.get(provider) !== fault) say(fault);
        faults.set(provider, fault);
      });
    }
  };
  const told = untilTold();
  await openMissing();
  if (served.size === 0)
    throw new PluginError('configuration.invalid', [...faults.values()].join('; ') || 'there is no provider to serve');

  let over: (end: End) => void = () => undefined;
  const ended = new Promise<End>((resolve) => {
    over = resolve;
  });
  let looks = 0;
  const look = async (): Promise<undefined> => {
    looks += 1;
    if (!isCurrent()) over('outdated');
    for (const [provider, { serving, listener }] of served) {
      await serving.renew().catch(() => undefined);
      if (listener.isOpen()) continue;
      say(`Another server answers for ${serving.application.about}.`);
      served.delete(provider);
      await listener.close();
    }
    if (served.size === 0) over('replaced');
    if (served.size < names.length && looks % looksBetweenTries === 0) await openMissing();
    manager.alive();
    return undefined;
  };
  const everywhere = (work: (application: Application) => Promise<unknown>) => async (): Promise<undefined> => {
    for (const { serving } of served.values()) await work(serving.application);
  };
  const notifyAll = async (): Promise<undefined> => {
    for (const { notify } of served.values()) await notify();
  };
  const [first] = served.values();
  if (first === undefined) return 1;
  const chores = startChores(
    [
      { pause: lookPause, work: look },
      { pause: flushPause, work: everywhere(({ log }) => log.flush()) },
      { pause: noticePause, work: notifyAll },
      { pause: metricsPause, work: everywhere(({ writeMetrics }) => writeMetrics()) },
    ],
    first.serving.application.log,
  );
  manager.ready();
  const end = await Promise.race([told, ended]);
  manager.stopping();
  await Promise.all([...served.values()].map(({ listener }) => listener.close()));
  await chores.stop();
  await everywhere(({ log }) => log.flush())();
  if (end === 'outdated') startSuccessor(context);
  return 0;
};

/** Tells what keeps a server from its work. */
const readinessOf = (current: () => Application): (() => Promise<string | undefined>) =>
  createReadiness(
    {
      store: async () => {
        const { environment, stranger } = current();
        const [found] = await diagnoseWorkFolder(environment.workDir, stranger);
        if (found?.status === 'error') throw new Error(found.what);
      },
      templates: () => current().service.getTemplates(),
      aws: () => current().askAws(),
    },
    {
      clock: () => performance.now(),
      lost: (what, why) => current().log.warn('server.unready', `${what}: ${why}`),
    },
  );

/** Serves REST, and scripts beside it. */
const serveRest = async (context: ServeContext, options: ServeOptions): Promise<number> => {
  const { env, home, say, version } = context;
  const { provider, traceFile, readOnly } = options;
  const isCurrent = changeWatch(home, []);
  let isOutdated = false;
  const status = await (await import('../../api/server.ts')).serve({
    ...options,
    version,
    say,
    start: async (correlationId) => {
      const compose = (more: Partial<ComposeOptions>): Promise<Application> =>
        context.compose({
          ...more,
          correlationId,
          validates: true,
          server: {
            // One look at the store serves the queries of a moment, files are saved and AWS is connected to now and then.
            readModel: { scan: 450, answer: 100, save: 10_000 },
            connection: 60_000,
          },
          ...(traceFile === undefined ? {} : { traceFile }),
        });
      const serving = await createServing({ env, home, provider, compose });
      let listener: ScriptSocket | undefined;
      return {
        current: () => serving.application,
        fault: readinessOf(() => serving.application),
        openScripts: async () => {
          if (readOnly) return undefined;
          listener = await serving.openSocket().catch((error: unknown) => void say(`warning: ${messageOf(error)}`));
          return listener;
        },
        notify: notices(() => serving.application, env),
        assist: async (asked) =>
          (await import('./assistant.ts')).answerAssistant({ env, version }, serving.application, asked),
        look: async () => {
          await serving.renew().catch(() => undefined);
          isOutdated = !isCurrent();
          return isOutdated;
        },
      };
    },
  });
  if (isOutdated) startSuccessor(context);
  return status;
};

/** Serves until it is asked to stop, or another version has been installed. Resolves with the exit status. */
export const serve = (context: ServeContext, options: ServeOptions): Promise<number> => {
  // Before any is made: four threads are few where many calls wait for the disk.
  process.env['UV_THREADPOOL_SIZE'] ??= '16';
  return options.scriptsOnly ? serveScripts(context, options) : serveRest(context, options);
};
