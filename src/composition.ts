import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type ApplicationService,
  type CommandHandlers,
  createApplicationService,
  type QueryHandlers,
} from './application/application-service.ts';
import { createBus, logging } from './application/bus.ts';
import type { Hosts, Logger, Policy } from './application/ports.ts';
import { type Environment, type ProviderEnvironment, readEnvironment } from './config/environment.ts';
import { type ProviderConfig, readProviderConfig } from './config/provider-config.ts';
import { createTemplateCatalog } from './config/template-catalog.ts';
import { messageOf, PluginError } from './domain/errors.ts';
import type { Aws } from './providers/aws/aws.ts';
import { createFactCache } from './storage/fact-cache.ts';
import { createInstanceTypes } from './storage/instance-types.ts';
import { createLaunchFailures } from './storage/launch-failures.ts';
import { createLiveRequests } from './storage/live-requests.ts';
import { createOfferingMemory } from './storage/offering-memory.ts';
import { createRequestStreams } from './storage/request-streams.ts';
import { readStoreId } from './storage/store-id.ts';
import { createFileLogger, type FileLogger, type LogLevel, toLogLevel } from './telemetry/file-logger.ts';
import { version } from './version.ts';

export interface Application {
  readonly service: ApplicationService;
  readonly log: FileLogger;
  readonly environment: ProviderEnvironment;
  /** Milliseconds since the start of the process by which a call must have ended. */
  readonly budget: number;
}

export interface ComposeOptions {
  readonly env: Environment;
  /** The installation's folder. */
  readonly home: string;
  readonly correlationId?: string;
  /** Ends AWS calls early, beside the budget of the call itself. */
  readonly signal?: AbortSignal;
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const megabyte = 1_048_576;
/** A call ends by itself at this share of Host Factory's time-out, with an answer. */
const budgetShare = 0.8;
/** Its AWS calls end so long before, ms, so that what they came to can be recorded. */
const timeToRecord = (budget: number): number => Math.max(1000, budget / 16);
/** Longer than any consistency window, shorter than Host Factory's patience. */
const launchDeadline = 15 * 60_000;

const logFileOf = ({ logDir, providerName }: ProviderEnvironment): string =>
  join(logDir, `${providerName}-provider.${hostname()}.log`);

const logSettings = (
  environment: ProviderEnvironment,
  config: Pick<ProviderConfig, 'ACCEPT_PROPAGATED_LOG_SETTING' | 'LogLevel'> | undefined,
): { readonly level: LogLevel; readonly maxBytes: number; readonly maxFiles: number } => {
  const positive = (text: string | undefined, fallback: number): number => {
    const value = Number(text);
    return Number.isFinite(value) && value > 0 ? value : fallback;
  };
  const { hfLogLevel, hfLogMaxFileSize, hfLogMaxRotate } =
    config?.ACCEPT_PROPAGATED_LOG_SETTING === true ? environment : {};
  return {
    level: toLogLevel(hfLogLevel) ?? toLogLevel(config?.LogLevel) ?? 'INFO',
    maxBytes: positive(hfLogMaxFileSize, 10) * megabyte,
    maxFiles: positive(hfLogMaxRotate, 5),
  };
};

/** The only place that knows all rooms. What a call does not use is not loaded. */
export const compose = async ({
  env,
  home,
  correlationId = newCorrelationId(),
  signal,
}: ComposeOptions): Promise<Application> => {
  const clock = Date.now;
  const environment = readEnvironment(env, home);
  const logger = (config: ProviderConfig | undefined): FileLogger =>
    createFileLogger({ file: logFileOf(environment), correlationId, clock, ...logSettings(environment, config) });
  const reading = await readProviderConfig(environment).catch(async (error: unknown) => {
    const log = logger(undefined);
    log.error('configuration.invalid', messageOf(error));
    await log.flush();
    throw error;
  });
  const { config } = reading;
  const log = logger(config);
  for (const warning of reading.warnings) log.warn('configuration.warning', warning);

  const policy: Policy = {
    consistencyWindow: config.consistencyWindowSeconds * 1000,
    pendingTimeout: config.AWS_INSTANCE_PENDING_TIMEOUT_SEC * 1000,
    launchDeadline,
    tagInstanceId: config.AWS_TAG_InstanceID,
    retention: config.retentionDays * day,
    protectAfter: config.protectAfterFailures,
    protectFor: config.protectMinutes * 60_000,
    unclaimed: config.unclaimedRequestMinutes * minute,
    orphanAge: config.orphanMinutes * minute,
  };
  const { workDir } = environment;
  const streams = createRequestStreams(workDir);
  const live = createLiveRequests(workDir);
  const instanceTypes = createInstanceTypes(workDir, join(home, 'config', 'instance-types.json'));
  const templates = createTemplateCatalog(environment, { instanceTypes, rules: config }, log);
  const aws = once(() => connect(environment, config, { env, log, signal, clock }));
  const hosts = async (): Promise<Hosts> => (await aws()).hosts;
  const providers = async (api: Parameters<Aws['provider']>[0]) => (await aws()).provider(api);
  const imageOf = async (alias: string) => (await aws()).imageOf(alias);
  const failures = createLaunchFailures(workDir);
  const offerings = createOfferingMemory(workDir, clock);
  /** Noted before the work is done: work that fails is not tried again at every call. An interval of 0: never. */
  const nowAndThen = (name: string, interval: number) => async (work: () => Promise<void>) => {
    let isDue = false;
    const begin = async (): Promise<string> => {
      isDue = interval > 0;
      return 'begun';
    };
    await createFactCache(workDir, 'housekeeping', clock).get(name, () => interval, begin);
    if (isDue) await work();
  };
  const sync = { streams, failures, live, hosts, providers, policy, clock, log };

  const commands: CommandHandlers = {
    CreateRequest: async () => {
      const { createRequestHandler } = await import('./application/commands/create-request.ts');
      const { recountLive } = await import('./application/recount.ts');
      return createRequestHandler({ ...sync, templates, imageOf, newId, recount: recountLive(sync) });
    },
    SyncRequests: async () => (await import('./application/commands/sync-requests.ts')).syncRequestsHandler(sync),
    ReturnMachines: async () =>
      (await import('./application/commands/return-machines.ts')).returnMachinesHandler({ ...sync, newId }),
    UpdateMachineStatus: async () =>
      (await import('./application/commands/update-machine-status.ts')).updateMachineStatusHandler(sync),
    ArchiveRequests: async () =>
      (await import('./application/commands/archive-requests.ts')).archiveRequestsHandler({
        ...sync,
        nowAndThen: nowAndThen('archive', hour),
      }),
    Reconcile: async () =>
      (await import('./application/commands/reconcile.ts')).reconcileHandler({
        ...sync,
        newId,
        memory: (await import('./storage/sweep-memory.ts')).createSweepMemory(workDir),
        nowAndThen: nowAndThen('sweep', config.sweepIntervalMinutes * minute),
      }),
    ClearOfferings: async () =>
      (await import('./application/commands/clear-offerings.ts')).clearOfferingsHandler({ offerings, failures, log }),
    CollectLaunchTemplates: async () =>
      (await import('./application/commands/collect-launch-templates.ts')).collectLaunchTemplatesHandler({
        ...sync,
        shelf: async () => (await aws()).launchTemplates,
      }),
    RefreshInstanceTypes: async () =>
      (await import('./application/commands/refresh-instance-types.ts')).refreshInstanceTypesHandler({
        instanceTypes,
        ask: async () => (await aws()).instanceTypes(),
        log,
      }),
    ValidateTemplate: async () =>
      (await import('./application/commands/validate-template.ts')).validateTemplateHandler({ templates, log }),
  };
  const queries: QueryHandlers = {
    GetTemplates: async () =>
      (await import('./application/queries/get-templates.ts')).getTemplatesHandler({ templates, log }),
    GetRequestStatus: async () =>
      (await import('./application/queries/get-request-status.ts')).getRequestStatusHandler({ streams }),
    GetReturnRequests: async () =>
      (await import('./application/queries/get-return-requests.ts')).getReturnRequestsHandler(sync),
    ListRequests: async () => (await import('./application/queries/list-requests.ts')).listRequestsHandler({ streams }),
    ListOfferings: async () =>
      (await import('./application/queries/list-offerings.ts')).listOfferingsHandler({ ...sync, offerings }),
    ListMachines: async () => (await import('./application/queries/list-machines.ts')).listMachinesHandler({ streams }),
  };
  const around = { correlationId: () => correlationId, middleware: [logging(log)] };
  const identified = { ...around, commandId: newId };
  const service = createApplicationService(
    createBus(commands, { name: 'command', ...identified }),
    createBus(queries, { name: 'query', ...around }),
  );
  return { service, log, environment, budget: config.actionTimeoutSeconds * 1000 * budgetShare };
};

/** Loaded when it is first needed: a call without AWS does without. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

const newId = (): string => crypto().randomUUID();

/** Tells the lines of one call from others': no need for a UUID, which costs more than the templates' whole answer. */
const newCorrelationId = (): string =>
  [Date.now(), process.pid, Math.floor(Math.random() * 2 ** 32)].map((each) => each.toString(36)).join('-');

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Aborts after this time (ms), or with another signal. A third of the cost of `AbortSignal.any` and `timeout`. */
const withinTime = (ms: number, other: AbortSignal | undefined): AbortSignal => {
  const end = new AbortController();
  setTimeout(() => end.abort(new Error(`the call had ${ms} ms`)), ms).unref();
  other?.addEventListener('abort', () => end.abort(other.reason), { once: true });
  return end.signal;
};

interface ConnectContext {
  readonly env: Environment;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
  readonly clock: () => number;
}

const connect = async (
  { workDir, providerName }: ProviderEnvironment,
  config: ProviderConfig,
  { env, log, signal, clock }: ConnectContext,
): Promise<Aws> => {
  const region = config.AWS_REGION ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region === undefined || region === '') {
    throw new PluginError(
      'configuration.missing',
      'AWS_REGION is set neither in the provider configuration nor in the environment',
    );
  }
  const budget = config.actionTimeoutSeconds * 1000 * budgetShare;
  const timeForAws = budget - timeToRecord(budget);
  const bounded = withinTime(timeForAws, signal);
  const facts = createFactCache(workDir, 'aws', clock);
  const credentials = createFactCache(workDir, 'credentials', clock);
  const { AWS_ENDPOINT_URL: endpoint, AWS_CREDENTIAL_FILE: file, AWS_CREDENTIAL_SCRIPT: script } = config;
  const { createAws } = await import('./providers/aws/aws.ts');
  return createAws({
    connection: {
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(config.AWS_PROXY_HOST === undefined
        ? {}
        : { proxy: `http://${config.AWS_PROXY_HOST}:${config.AWS_PROXY_PORT}` }),
      connectionTimeoutMs: config.AWS_CONNECTION_TIMEOUT_MS,
      requestTimeoutMs: Math.min(60_000, timeForAws),
      useFips: env['AWS_USE_FIPS_ENDPOINT'] === 'true',
    },
    credentials: {
      ...(file === undefined ? {} : { file }),
      ...(script === undefined ? {} : { script }),
      renewAfter: config.AWS_CREDENTIAL_RENEW_MARGIN * 1000,
      remember: credentials.get,
      signal: bounded,
    },
    changes: { retries: config.AWS_REQUEST_RETRY_ATTEMPTS, interval: 0 },
    reads: { retries: config.AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS, interval: config.AWS_DESCRIBE_REQUEST_INTERVAL },
    log,
    signal: bounded,
    clock,
    owner: `${config.clusterName}/${providerName}`,
    store: await readStoreId(workDir),
    version,
    ...(config.AWS_KEY_FILE === undefined ? {} : { keyDirectory: config.AWS_KEY_FILE }),
    remember: facts.get,
    forget: facts.forget,
    offerings: createOfferingMemory(workDir, clock),
    ledger: (group) =>
      createLiveRequests(join(workDir, 'groups', crypto().createHash('sha256').update(group).digest('hex'))),
  });
};
