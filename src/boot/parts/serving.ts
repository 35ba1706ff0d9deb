/** What a server does for Host Factory's scripts: a part of its own, so that they do not load it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Caller } from '../../api/call-pipes.ts';
import { openScriptSocket, type ScriptAnswer, type ScriptCall, type ScriptSocket } from '../../api/script-socket.ts';
import type { CallRecording } from '../../application/ports/recording.ts';
import { candidates, type Environment, type ProviderEnvironment } from '../../config/environment.ts';
import { messageOf } from '../../domain/errors.ts';
import { mostInput, parseInput } from '../../hostfactory/input.ts';
import { isOperation, type OperationName, operationOf } from '../../hostfactory/operations.ts';
import { timeForAws } from '../call-time.ts';
import type { Application, ComposeOptions } from '../composition.ts';
import type { ServedCall } from '../connection.ts';

export interface ServingOptions {
  readonly env: Environment;
  readonly home: string;
  /** A registered provider, instead of the one that the environment tells. */
  readonly provider?: string | undefined;
  readonly compose: (options: Partial<ComposeOptions>) => Promise<Application>;
}

/** One provider, served. */
export interface Serving {
  /** As the configuration is now, or was when it was last any use. */
  readonly application: Application;
  /** Undefined where scripts are to go their own way. Throws `configuration.invalid`. */
  openSocket(): Promise<ScriptSocket | undefined>;
  /** Takes over a configuration that has changed. */
  renew(): Promise<void>;
}

/** Variables beside those that tell places; scripts/launcher.sh names the same in the same order. */
export const comparedVariables = [
  ...['TZ', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['NO_PROXY', 'no_proxy', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID'],
  ...['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ...['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_EC2_METADATA_DISABLED'],
  ...['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_EC2'],
  ...['AWS_ENDPOINT_URL_AUTO_SCALING', 'AWS_ENDPOINT_URL_SSM', 'AWS_ENDPOINT_URL_STS'],
  ...['AWS_ENDPOINT_URL_SERVICE_QUOTAS', 'AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT'],
  ...['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'],
  ...['OTEL_SDK_DISABLED', 'HF_AWS_NODE'],
] as const;

/** Of these a call that comes again must be the same command. */
const commands: ReadonlySet<OperationName> = new Set(['requestMachines', 'requestReturnMachines']);

const orNothing = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/** A path through links, from what it leads to. */
const real = (path: string): string => orNothing(() => realpathSync(path)) ?? path;

const isSamePlace = (one: string, other: string): boolean => one === other || real(one) === real(other);

/** Tells a file that was changed or replaced. */
const fingerprintOf = (file: string): string => {
  // Most of the places where a file is looked for are empty at each call, and an error is not for nothing.
  const stats = orNothing(() => statSync(file, { throwIfNoEntry: false }));
  return stats === undefined ? '' : `${stats.ino}.${stats.size}.${stats.mtimeMs}.${stats.ctimeMs}`;
};

const configurationFingerprint = (environment: ProviderEnvironment): string =>
  candidates(environment, 'prov_config.json').map(fingerprintOf).join(' ');

/** Whether the program is still the one that was started, by its files and the link that leads to them, and these files are as they were. */
export const changeWatch = (home: string, files: readonly string[]): (() => boolean) => {
  const started = process.argv[1] ?? '';
  const now = (): string =>
    [join(home, 'dist', 'main.cjs'), ...files].map(fingerprintOf).concat(real(started)).join(' ');
  const begun = now();
  return () => now() === begun;
};

/** What a script would go by for itself, where that is something else here. */
const differenceTo = (
  caller: Caller,
  { env, home, environment }: { env: Environment; home: string; environment: ProviderEnvironment },
  asksForCredentials: boolean,
): string | undefined => {
  if (caller.home !== home) return `it is of another installation, ${caller.home}`;
  if (caller.provider !== environment.providerName) return `its provider is ${caller.provider}`;
  if (!isSamePlace(caller.conf, environment.confDir)) return `its configuration is in ${caller.conf}`;
  if (!isSamePlace(caller.log || environment.logDir, environment.logDir)) return `its log is in ${caller.log}`;
  const own = comparedVariables.flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]));
  if (caller.environment !== `|${own.map((each) => `${each}|`).join('')}`) {
    const theirs = caller.environment.split('|').filter((each) => each !== '');
    const other = [...theirs.filter((each) => !own.includes(each)), ...own.filter((each) => !theirs.includes(each))][0];
    return `its environment has another ${other?.split('=')[0]}`;
  }
  // Where credentials are looked for in the usual places, these are at home.
  if (asksForCredentials && caller.user !== (env['HOME'] ?? '')) return 'its environment has another HOME';
  return undefined;
};

/** Host Factory's own settings of the log, where the configuration accepts them. */
const withLogging = (env: Environment, logging: string | undefined): Environment => {
  if (logging === undefined) return env;
  const [level = '', size = '', number = ''] = logging.split('|');
  return { ...env, HF_LOGLEVEL: level, HF_LOG_MAX_FILE_SIZE: size, HF_LOG_MAX_ROTATE: number };
};

/** What follows an answer, and is recorded with it where calls are recorded. */
const followUp = (
  { ok, body, afterwards }: ScriptAnswer,
  input: unknown,
  recording: CallRecording | undefined,
): ScriptAnswer['afterwards'] =>
  recording === undefined
    ? afterwards
    : async () => {
        await recording.end({ ok, input, answer: body });
        await afterwards?.();
        await recording.after();
      };

/** Serves one provider. Throws what a wrong configuration gives. */
export const createServing = async ({ env, home, provider, compose }: ServingOptions): Promise<Serving> => {
  const calls = new AsyncLocalStorage<ServedCall>();
  const isCurrent = changeWatch(home, []);
  const make = (logging: string | undefined): Promise<Application> =>
    compose({
      env: withLogging(env, logging),
      provider,
      scriptCall: () => calls.getStore(),
      recording: () => calls.getStore()?.recording,
    });
  let application = await make(undefined);
  const { environment } = application;
  let fingerprint = configurationFingerprint(environment);
  let logging: string | undefined;
  let listener: ScriptSocket | undefined;
  let making: { readonly fingerprint: string; readonly made: Promise<Application> } | undefined;

  /** The application by the configuration as it is now. Throws `configuration.*` as long as that is no use. */
  const current = async (wanted = logging): Promise<Application> => {
    const found = configurationFingerprint(environment);
    const isHeard = application.config.ACCEPT_PROPAGATED_LOG_SETTING && wanted !== logging;
    if (found === fingerprint && !isHeard) return application;
    if (making?.fingerprint !== `${found} ${wanted}`)
      making = { fingerprint: `${found} ${wanted}`, made: make(wanted) };
    const { made } = making;
    try {
      const next = await made;
      if (application !== next) {
        const before = application;
        [application, fingerprint, logging] = [next, found, wanted];
        listener?.allow(next.budget);
        await before.log.flush();
      }
      return next;
    } finally {
      if (making?.made === made) making = undefined;
    }
  };

  let refused = '';
  const refusal = async (caller: Caller, fault: string | undefined): Promise<string | undefined> => {
    const { config, log } = await current().catch(() => application);
    const asksForCredentials = (config.AWS_CREDENTIAL_FILE ?? config.AWS_CREDENTIAL_SCRIPT) === undefined;
    const isWanted = config.useServer ? undefined : 'useServer is false';
    const outdated = isCurrent() ? undefined : 'another version has been installed';
    const why = fault ?? isWanted ?? outdated ?? differenceTo(caller, { env, home, environment }, asksForCredentials);
    // Not at each call.
    if (why !== undefined && why !== refused) log.warn('call.elsewhere', `a script does its call itself: ${why}`);
    refused = why ?? '';
    return why;
  };

  const answer = async (call: ScriptCall, caller: Caller): Promise<ScriptAnswer> => {
    const { operation: name, input, id } = call;
    if (!isOperation(name)) return { ok: false, body: { message: `there is no operation ${name}` } };
    const began = performance.now();
    let served: Application | undefined;
    let asked: unknown;
    const failed = (error: unknown): ScriptAnswer => {
      const stack = error instanceof Error ? error.stack : undefined;
      served?.log.error('call.failed', `${name}: ${messageOf(error)}`, { stack });
      return { ok: false, body: { message: messageOf(error) } };
    };
    const stop = new AbortController();
    const commandId = commands.has(name) ? id : undefined;
    const timers: NodeJS.Timeout[] = [];
    const end = (): void => stop.abort(call.signal.reason);
    call.signal.addEventListener('abort', end, { once: true });
    const underWay: ServedCall = { correlationId: id.slice(0, 13), commandId, signal: stop.signal };
    const work = async (): Promise<ScriptAnswer> => {
      served = await current(caller.logging);
      const { budget, log, observe, recorder } = served;
      underWay.recording = recorder?.begin(name, 'server');
      const timeIsUp = new Error('the time of the call was used up');
      timers.push(setTimeout(() => stop.abort(timeIsUp), timeForAws(budget)));
      const isOver = new Promise<never>((_, reject) => {
        timers.push(setTimeout(() => reject(timeIsUp), budget - (performance.now() - began)));
      });
      const { run, inputIsOptional } = operationOf(name);
      log.debug('call.started', name, { input: input.name });
      asked = await parseInput(input.name, input.text, inputIsOptional);
      const operated = run(served, asked);
      // Else the process ends, where it fails after its time.
      operated.catch(() => undefined);
      const span = { kind: 'entry', name, way: 'server' } as const;
      const { body, afterwards } = await observe(span, () => Promise.race([operated, isOver]));
      return { ok: true, body, afterwards };
    };
    return calls
      .run(underWay, async () => {
        const answered = await work().catch(failed);
        // Whoever reads the log after the script has ended finds its lines.
        await served?.log.flush();
        const afterwards = followUp(answered, asked, underWay.recording);
        return { ...answered, afterwards: afterwards && AsyncLocalStorage.bind(afterwards) };
      })
      .finally(() => {
        for (const timer of timers) clearTimeout(timer);
        call.signal.removeEventListener('abort', end);
      });
  };

  return {
    get application() {
      return application;
    },
    openSocket: async () => {
      if (env['HF_AWS_SERVER'] === 'off' || !application.config.useServer) return undefined;
      listener = await openScriptSocket({
        workDir: environment.workDir,
        mostInput,
        refusal,
        answer,
        failed: (error) => application.log.error('server.call', messageOf(error)),
        health: () => ({
          status: isCurrent() ? 'ok' : 'outdated',
          provider: environment.providerName,
          pid: process.pid,
        }),
      });
      listener.allow(application.budget);
      return listener;
    },
    renew: async () => {
      await current();
    },
  };
};
