import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ApplicationService,
  type CommandHandlers,
  createApplicationService,
  type QueryHandlers,
} from '../application/bus/application-service.ts';
import { type Command, createBus, logging, type Middleware } from '../application/bus/bus.ts';
import { idempotent, noticingChanges, observing, refusingChanges, validating } from '../application/bus/middleware.ts';
import { publishing, watchedStreams } from '../application/life-cycle/watching.ts';
import type { Hosts } from '../application/ports/instances.ts';
import type { OfferingMemory, SweepMemory } from '../application/ports/memory.ts';
import type { Policy } from '../application/ports/policy.ts';
import type { LiveRequests } from '../application/ports/streams.ts';
import type { Logger, Observe, Progress } from '../application/ports/telemetry.ts';
import type { ReadModelPace, RunningReadModel } from '../application/projections/read-model.ts';
import { sumFigures } from '../application/read-model/figures.ts';
import type { AwsCall, Rehearsal } from '../application/rehearsal.ts';
import { awsConnection } from '../config/connection.ts';
import { type Environment, type ProviderEnvironment, readEnvironment, tellsPlaces } from '../config/environment.ts';
import { defaultReading, type ProviderConfig, readProviderConfig } from '../config/provider-config.ts';
import { isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import type { Aws, AwsOptions } from '../providers/aws/aws.ts';
import { type AwsClock, createAwsClock } from '../providers/aws/wire/aws-clock.ts';
import { createClockNote } from '../storage/clock-note.ts';
import { createFactCache } from '../storage/fact-cache.ts';
import { createInstanceTypes } from '../storage/instance-types.ts';
import { createLaunchFailures } from '../storage/launch-failures.ts';
import { createLiveRequests } from '../storage/live-requests.ts';
import { createOfferingMemory } from '../storage/offering-memory.ts';
import { strangerTo } from '../storage/ownership.ts';
import { createRequestStreams } from '../storage/request-streams.ts';
import { holdsStore, knownStoreId, readStoreId } from '../storage/store-id.ts';
import { createUsage } from '../storage/usage.ts';
import { createFileLogger, type FileLogger, type LogLevel, toLogLevel } from '../telemetry/file-logger.ts';
import { createObserver } from '../telemetry/observer.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { createTemplateCatalog } from '../templates/template-catalog.ts';
import { readTemplate } from '../templates/template-document.ts';
import { budgetOf, timeForAws } from './call-time.ts';
import { version } from './version.ts';

export interface Application {
  readonly service: ApplicationService;
  /** Its `flush` also keeps the figures and sends the traces of the call. */
  readonly log: FileLogger;
  readonly observe: Observe;
  readonly tracing: Tracing | undefined;
  /** Writes the text file of `metricsTextfile`, where the configuration names one. */
  readonly writeMetrics: () => Promise<void>;
  /** The projections in this process' memory. */
  readonly readModel: () => Promise<RunningReadModel>;
  readonly environment: ProviderEnvironment;
  readonly config: ProviderConfig;
  /** Whose application it is, for people: the provider, its Region, and what tells them. */
  readonly about: string;
  /** Why nothing may be written: the work folder is another user's. */
  readonly stranger: string | undefined;
  /** Milliseconds since the start of the process by which a call must have ended. */
  readonly budget: number;
}

export interface ComposeOptions {
  readonly env: Environment;
  /** The installation's folder. */
  readonly home: string;
  /** A registered provider, instead of the one that the environment tells. */
  readonly provider?: string | undefined;
  /** Whether to go on by the defaults where the configuration is no use: to tell what is wrong. */
  readonly forgives?: boolean;
  /** Whether somebody who may not write to the work folder may look at it. */
  readonly allowsStrangers?: boolean;
  /** Of the call that is being served; one id for the whole process where nothing else is told. */
  readonly correlationId?: () => string;
  /** The script whose call is being served, where that is done by a process that lives on. */
  readonly scriptCall?: () => ServedCall | undefined;
  /** Whether messages come from people and other programs: then their form is checked. Host Factory's door checks its own. */
  readonly validates?: boolean;
  /** Where to append the spans of this process. */
  readonly traceFile?: string;
  /** For a process that lives on. */
  readonly server?: ServerPace;
  /**
   * Whether the call may turn out only to look, as an administrator's does: until a command that changes something begins,
   * nothing is written but log, figures and projections, and where nothing was kept before not even those.
   */
  readonly mayOnlyLook?: boolean;
  /** Is told of the AWS calls that would go out; nothing is sent, nothing is written. */
  readonly rehearse?: (call: AwsCall) => void;
  /** Called before a sweep that follows an answer. */
  readonly letCallerGo?: () => void;
  /** Is told how far a sweep or the rebuilding of a projection has come. */
  readonly progress?: Progress;
  /** Ends AWS calls early, beside the budget of the call itself. */
  readonly signal?: () => AbortSignal;
}

/** A call that has what it would have in a process of its own. */
export interface ServedCall {
  readonly correlationId: string;
  /** Makes what the call asks for the same command when its script repeats it. A UUID. */
  readonly commandId: string | undefined;
  /** Ends its AWS calls early. */
  readonly signal: AbortSignal;
}

interface ServerPace {
  /** Of lists; a server without any has none to keep. */
  readonly readModel?: ReadModelPace;
  /** Milliseconds after which a connection to AWS is made anew: credentials and the budget of its calls are its own. */
  readonly connection: number;
}

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const megabyte = 1_048_576;
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
  provider,
  allowsStrangers = false,
  forgives = false,
  correlationId: ownId = oneId(),
  scriptCall = () => undefined,
  signal,
  validates = false,
  traceFile,
  server,
  rehearse,
  progress,
  letCallerGo,
  mayOnlyLook = false,
}: ComposeOptions): Promise<Application> => {
  const correlationId = (): string => scriptCall()?.correlationId ?? ownId();
  const environment = await locate(env, home, provider);
  const stranger = strangerIn(environment, allowsStrangers);
  const mayWrite = stranger === undefined;
  let changes = !mayOnlyLook;
  const looksOnly = (): boolean => !mayWrite || rehearse !== undefined || !changes;
  const leavesTraces = (): boolean =>
    mayWrite && rehearse === undefined && (!mayOnlyLook || holdsStore(environment.workDir));
  const clockNote = createClockNote(environment.workDir);
  const clockChanged = (ahead: number): void => {
    if (ahead !== 0) log.warn('clock.differs', differenceTo(ahead));
    if (!looksOnly()) clockNote.write(ahead);
  };
  const awsClock = createAwsClock(steadyClock(), clockChanged, clockNote.read);
  const clock = awsClock.now;
  const logger = (config: ProviderConfig | undefined): FileLogger =>
    createFileLogger({
      file: logFileOf(environment),
      correlationId,
      clock: Date.now,
      ...logSettings(environment, config),
    });
  const reading = await readProviderConfig(environment).catch(async (error: unknown) => {
    if (forgives && isPluginError(error)) return defaultReading(messageOf(error));
    if (leavesTraces()) await logFault(logger(undefined), error);
    throw error;
  });
  const { config } = reading;
  const { workDir } = environment;
  const fileLog = rehearse === undefined && mayWrite ? logger(config) : silentLog;
  const tracing = await startTracing(env, traceFile);
  const observer = createObserver(tracing?.observe);
  const usage = createUsage(workDir, clock);
  const log: FileLogger = {
    ...fileLog,
    flush: async () => {
      const figures = observer.take();
      await Promise.all([...(leavesTraces() ? [fileLog.flush(), usage.add(figures)] : []), tracing?.flush()]);
    },
  };
  const { observe } = observer;
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
  const stage = rehearse && { ...(await administration()), record: rehearse };
  const recorded = createRequestStreams(workDir, { sweeps: mayWrite });
  const makeReadModel = async (isKept: () => boolean, pace?: ReadModelPace) => {
    const { createReadModel, createProjectionStore } = await readSide();
    const store = createProjectionStore(workDir);
    const save: typeof store.save = async (...projection) => (isKept() ? store.save(...projection) : undefined);
    return createReadModel({ streams: recorded, store: { ...store, save }, clock, pause, log, progress }, pace);
  };
  const readModel = once(() => makeReadModel(leavesTraces, server?.readModel));
  const stored = stage?.rehearsedStreams(recorded) ?? recorded;
  // Only a process that lives on has a read model that must hear of what it writes itself.
  const heard = server?.readModel === undefined ? stored : publishing(stored, tellReadModel(readModel, log), log);
  const streams = tracing === undefined ? heard : watchedStreams(heard, observe);
  const known = createLiveRequests(workDir);
  const live = stage?.rehearsedLive(known) ?? known;
  const rehearsal = stage && { record: stage.record, recall: stage.recallFrom({ streams, live, log }) };
  const [noted, refused] = [createLaunchFailures(workDir, Date.now), createOfferingMemory(workDir, clock)];
  const failures = stage?.rehearsedFailures(noted) ?? noted;
  const offerings = stage?.rehearsedOfferings(refused) ?? refused;
  const instanceTypes = createInstanceTypes(workDir, join(home, 'config', 'instance-types.json'));
  const defaults = { all: config.templateDefaults, byApi: config.templateDefaultsByApi };
  const templates = createTemplateCatalog(environment, { instanceTypes, rules: config, defaults }, log);
  const budget = budgetOf(config);
  // What a server's connection is asked for last still has two thirds of the time of a call.
  const lifetime = server === undefined ? Number.POSITIVE_INFINITY : Math.min(server.connection, budget / 3);
  const connection = (isLook: boolean, end: (() => AbortSignal) | undefined) => () =>
    connect(environment, config, {
      env,
      log,
      observe,
      signal: end,
      clock,
      awsClock,
      looksOnly: isLook,
      offerings,
      books: (book) => stage?.rehearsedLive(book) ?? book,
      ...(rehearsal && { rehearsal }),
    });
  const looking = renewed(lifetime, clock, connection(true, signal));
  const changing = renewed(lifetime, clock, connection(false, signal));
  const shared = () => (looksOnly() ? looking() : changing());
  const aws = oneForEach(scriptCall, shared, (call) => connection(looksOnly(), () => call.signal)());
  const looks = await sharedLooks(server, async () => (await shared()).hosts, scriptCall);
  const hosts = async (): Promise<Hosts> => ({ ...(await aws()).hosts, ...looks });
  const providers = async (api: Parameters<Aws['provider']>[0]) => (await aws()).provider(api);
  const imageOf = async (alias: string) => (await aws()).imageOf(alias);
  /** Noted before the work is done: work that fails is not tried again at every call. An interval of 0: never. */
  const nowAndThen = (name: string, interval: number, before?: () => void) => async (work: () => Promise<void>) => {
    let isDue = false;
    const begin = async (): Promise<string> => {
      isDue = interval > 0;
      return 'begun';
    };
    await createFactCache(workDir, 'housekeeping', clock).get(name, () => interval, begin);
    if (!isDue) return;
    before?.();
    await work();
  };
  const awsTime = (): number | undefined => (awsClock.ahead() === undefined ? undefined : awsClock.now());
  const sync = { streams, failures, live, hosts, providers, policy, clock, awsTime, log };
  const writeMetrics = async (): Promise<void> => {
    if (config.metricsTextfile === undefined) return;
    const { metricsText } = await readSide();
    const { replaceFile } = await import('../storage/atomic-file.ts');
    try {
      // The folder is node_exporter's, which is another user: it is not ours to make.
      statSync(dirname(config.metricsTextfile));
      await replaceFile(config.metricsTextfile, metricsText(await service.getMetrics()), 0o644);
    } catch (error) {
      log.warn('metrics.unwritten', `metricsTextfile ${config.metricsTextfile}: ${messageOf(error)}`);
    }
  };
  const answers = once(async () => (await readSide()).createAnswers(workDir));

  const reconcile = async (memory: SweepMemory) =>
    (await import('../application/commands/reconcile.ts')).reconcileHandler({
      ...sync,
      newId,
      progress,
      memory,
      shelf: async () => (await aws()).launchTemplates,
      openReturns: async () => (await readSide()).openReturns(await readModel()),
      nowAndThen: nowAndThen('sweep', config.sweepIntervalMinutes * minute, letCallerGo),
    });
  const collect = async () =>
    (await import('../application/commands/collect-launch-templates.ts')).collectLaunchTemplatesHandler({
      ...sync,
      shelf: async () => (await aws()).launchTemplates,
    });

  const commands: CommandHandlers = {
    CreateRequest: async () => {
      const { createRequestHandler } = await import('../application/commands/create-request.ts');
      const { recountLive } = await import('../application/life-cycle/recount.ts');
      return createRequestHandler({ ...sync, templates, imageOf, newId, recount: recountLive(sync) });
    },
    SyncRequests: async () => (await import('../application/commands/sync-requests.ts')).syncRequestsHandler(sync),
    ReturnMachines: async () =>
      (await import('../application/commands/return-machines.ts')).returnMachinesHandler({ ...sync, newId }),
    UpdateMachineStatus: async () =>
      (await import('../application/commands/update-machine-status.ts')).updateMachineStatusHandler(sync),
    ArchiveRequests: async () =>
      (await import('../application/commands/archive-requests.ts')).archiveRequestsHandler({
        ...sync,
        nowAndThen: async (work) => {
          if (config.metricsTextfile !== undefined) await nowAndThen('metrics', minute)(writeMetrics);
          await nowAndThen(
            'archive',
            hour,
            letCallerGo,
          )(async () => {
            await work();
            await usage.compact();
            await (await answers()).forgetBefore(clock() - policy.retention);
            const dropBefore = config.archiveDays === 0 ? 0 : clock() - config.archiveDays * day;
            await nowAndThen('pack', day)(() => streams.packArchive(dropBefore));
          });
        },
      }),
    Reconcile: async () => reconcile(await sweepMemory(workDir)),
    ClearOfferings: async () =>
      (await import('../application/commands/clear-offerings.ts')).clearOfferingsHandler({ offerings, failures, log }),
    CollectLaunchTemplates: collect,
    RefreshInstanceTypes: async () =>
      (await import('../application/commands/refresh-instance-types.ts')).refreshInstanceTypesHandler({
        instanceTypes,
        ask: async () => (await aws()).instanceTypes(),
        log,
      }),
    CancelRequest: async () => (await readSide()).cancelRequestHandler(sync),
    ClaimRequest: async () => (await readSide()).claimRequestHandler(sync),
    RebuildProjection: async () =>
      (await readSide()).rebuildProjectionHandler({
        readModel: await readModel(),
      }),
    ValidateTemplate: async () => {
      const { validateTemplateHandler, createTemplateChecker } = await administration();
      return validateTemplateHandler({
        checker: createTemplateChecker(environment, {
          instanceTypes,
          rules: config,
          readTemplate: (written) => readTemplate(written, defaults),
          awsFields: async (...fields) => (await import('../providers/aws/aws.ts')).rawFieldComplaints(...fields),
        }),
        inspector: async () => (await aws()).inspector(),
        log,
      });
    },
  };
  const queries: QueryHandlers = {
    Diagnose: async () => {
      const { diagnoseHandler, diagnoseInstallation, diagnoseWorkFolder } = await administration();
      const policyScope = {
        owner: `${config.clusterName}/${environment.providerName}`,
        region: regionOf(config, env),
        tagInstanceId: policy.tagInstanceId,
      };
      return diagnoseHandler({
        local: [
          () => diagnoseInstallation({ env, home, environment, reading, region: regionOf(config, env) }),
          () => diagnoseWorkFolder(workDir, stranger),
        ],
        aws: async (served) => (await aws()).diagnose(served, policyScope),
        asksAws: reading.fault === undefined,
        iamPolicy: async (served) =>
          (await import('../providers/aws/inspect/inspection.ts')).iamPolicy(served, policyScope),
        inspector: async () => (await aws()).inspector(),
        // A query: what these commands look at, without the bus and without their memory.
        unusedLaunchTemplates: async (origin) => {
          const look = { type: 'CollectLaunchTemplates', unusedFor: 30 * day } as const;
          return (await (await collect())(look, origin)).unused.length;
        },
        forgotten: async (origin) => (await reconcile(await sweepMemory(workDir)))({ type: 'Reconcile' }, origin),
        unreadable: async () => (await (await makeReadModel(() => false)).read('requests')).warnings,
        templates,
        failures,
        policy,
      });
    },
    Explain: async () => (await administration()).explainHandler({ ...sync, readModel: await readModel() }),
    GetConfiguration: async () => {
      const { configurationReport, getConfigurationHandler } = await administration();
      return getConfigurationHandler(async () => configurationReport(env, environment, reading));
    },
    GetTemplates: async () =>
      (await import('../application/queries/get-templates.ts')).getTemplatesHandler({ templates, log }),
    GetRequestStatus: async () =>
      (await import('../application/queries/get-request-status.ts')).getRequestStatusHandler({ streams, clock, pause }),
    GetReturnRequests: async () =>
      (await import('../application/queries/get-return-requests.ts')).getReturnRequestsHandler({
        ...sync,
        unseen: (await import('../storage/unseen-hosts.ts')).createUnseenHosts(workDir),
      }),
    ListRequests: async () =>
      (await readSide()).listRequestsHandler({
        readModel: await readModel(),
        log,
      }),
    ListOfferings: async () =>
      (await import('../application/queries/list-offerings.ts')).listOfferingsHandler({ ...sync, offerings }),
    ListMachines: async () =>
      (await readSide()).listMachinesHandler({
        readModel: await readModel(),
        log,
      }),
    ListTemplates: async () => (await readSide()).listTemplatesHandler({ templates, log }),
    ListEvents: async () =>
      (await readSide()).listEventsHandler({
        streams,
        readModel: await readModel(),
      }),
    GetProjections: async () =>
      (await readSide()).getProjectionsHandler({
        readModel: await readModel(),
      }),
    GetMetrics: async () =>
      (await readSide()).getMetricsHandler({
        ...sync,
        readModel: await readModel(),
        templates,
        version,
        usage: async () => sumFigures([await usage.total(), observer.peek()]),
      }),
  };
  const problemsOf = async (message: Command) =>
    scriptCall() === undefined ? (await readSide()).messageProblems(message) : [];
  // What every message passes on its way to its handler, outermost first.
  const middleware: readonly Middleware[] = [
    observing(observe, 'operation'),
    logging(log),
    ...(validates ? [validating(problemsOf)] : []),
    idempotent(answers),
    ...(tracing === undefined ? [] : [observing(observe, 'handler')]),
  ];
  const around = { correlationId, middleware };
  const identified = { ...around, commandId: () => scriptCall()?.commandId ?? newId() };
  const service = createApplicationService(
    createBus(commands, {
      name: 'command',
      ...identified,
      middleware: [
        refusingChanges(unlessRehearsed(stranger, rehearse)),
        noticingChanges(() => {
          changes = true;
        }),
        ...middleware,
      ],
    }),
    createBus(queries, { name: 'query', ...around }),
  );
  const about = introduction(environment, regionOf(config, env));
  return { service, log, environment, config, about, stranger, budget, observe, tracing, readModel, writeMetrics };
};

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A clock that is set does not move it within this process. `performance` would take Node a millisecond to make. */
const steadyClock = (): (() => number) => {
  const begun = Date.now() - process.uptime() * 1000;
  return () => Math.round(begun + process.uptime() * 1000);
};

/** A script's environment tells the places; where it tells none, as by hand, they are looked for. */
const locate = async (env: Environment, home: string, provider: string | undefined): Promise<ProviderEnvironment> =>
  provider === undefined && tellsPlaces(env)
    ? readEnvironment(env)
    : (await administration()).findProvider(env, home, provider);

const strangerIn = ({ workDir }: ProviderEnvironment, isAllowed: boolean): string | undefined => {
  const stranger = strangerTo(workDir);
  if (stranger !== undefined && !isAllowed) throw new PluginError('storage.foreign', stranger);
  return stranger;
};

/** A rehearsal changes nothing, whoever makes it. */
const unlessRehearsed = <T>(value: T, rehearse: ComposeOptions['rehearse']): T | undefined =>
  rehearse === undefined ? value : undefined;

const introduction = ({ providerName, registeredIn }: ProviderEnvironment, region = 'no Region'): string =>
  `provider ${providerName} in ${region}, ${registeredIn ?? 'as the environment tells'}`;

const logFault = async (log: FileLogger, error: unknown): Promise<void> => {
  log.error('configuration.invalid', messageOf(error));
  await log.flush();
};

/** A process that serves many calls looks at EC2 once for those that come together. */
const sharedLooks = async (
  server: ServerPace | undefined,
  hosts: () => Promise<Hosts>,
  call: () => ServedCall | undefined,
): Promise<Partial<Hosts>> =>
  server === undefined ? {} : (await readSide()).sharingLooks(hosts, () => call()?.signal);

const readSide = () => import('./parts/reading.ts');

const sweepMemory = async (workDir: string): Promise<SweepMemory> =>
  (await import('../storage/sweep-memory.ts')).createSweepMemory(workDir);

const oneId = (): (() => string) => {
  const id = newCorrelationId();
  return () => id;
};

/** Nothing of OpenTelemetry is loaded unless somebody wants its spans. */
const startTracing = async (env: Environment, file: string | undefined): Promise<Tracing | undefined> => {
  const isWanted = Object.keys(env).some((name) =>
    /^OTEL_(EXPORTER_OTLP_(TRACES_)?ENDPOINT|TRACES_EXPORTER)$/.test(name),
  );
  if (
    file === undefined &&
    (!isWanted || env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
  )
    return undefined;
  const tracing = await import('../telemetry/tracing.ts');
  return tracing.startTracing({ version, ...(file === undefined ? {} : { file }) });
};

const tellReadModel = (readModel: () => Promise<RunningReadModel>, log: Logger) => (requestId: string) => {
  readModel().then(
    (running) => running.touch(requestId),
    (error: unknown) => log.error('projection.untold', messageOf(error), { requestId }),
  );
};

/** Makes it again once it is older than `lifetime`, ms. */
const renewed = <T>(lifetime: number, clock: () => number, make: () => Promise<T>): (() => Promise<T>) => {
  let made: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    const age = made === undefined ? Number.POSITIVE_INFINITY : clock() - made.at;
    // Negative where the clock was set back.
    if (made === undefined || age < 0 || age > lifetime) made = { at: clock(), value: make() };
    return made.value;
  };
};

/** What is made for a script's call being served, whose time is its own from its beginning; outside of calls what all share. */
const oneForEach = <T>(
  call: () => ServedCall | undefined,
  shared: () => Promise<T>,
  make: (call: ServedCall) => Promise<T>,
): (() => Promise<T>) => {
  const made = new WeakMap<ServedCall, Promise<T>>();
  return () => {
    const now = call();
    if (now === undefined) return shared();
    const own = made.get(now) ?? make(now);
    made.set(now, own);
    return own;
  };
};

/** Loaded when it is first needed: a call without AWS does without. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

const newId = (): string => crypto().randomUUID();

/** Tells the lines of one call from others': no need for a UUID, which costs more than the templates' whole answer. */
const newCorrelationId = (): string =>
  [Date.now(), process.pid, Math.floor(Math.random() * 2 ** 32)].map((each) => each.toString(36)).join('-');
const administration = () => import('./parts/administration.ts');

/** A rehearsal leaves no trace. */
const silentLog: FileLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  flush: async () => undefined,
};

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** Durations are counted by AWS's clock, so that several management hosts agree on them. */
const differenceTo = (ahead: number): string =>
  `the clock of this host is ${Math.round(Math.abs(ahead) / 1000)} s ${ahead < 0 ? 'behind' : 'ahead of'} AWS: its time is taken from AWS; run NTP`;

/** Aborts after this time (ms), or with another signal. A third of the cost of `AbortSignal.any` and `timeout`. */
const withinTime = (ms: number, other: AbortSignal | undefined): AbortSignal => {
  const end = new AbortController();
  setTimeout(() => end.abort(new Error(`the call had ${ms} ms`)), ms).unref();
  other?.addEventListener('abort', () => end.abort(other.reason), { once: true });
  return end.signal;
};

const regionOf = (config: ProviderConfig, env: Environment): string | undefined =>
  config.AWS_REGION ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];

/** STS: characters of a session's name. */
const longestSessionName = 64;

const roleIn = (
  { AWS_ROLE_ARN: arn, AWS_ROLE_EXTERNAL_ID: externalId, AWS_ROLE_SESSION_NAME: name }: ProviderConfig,
  providerName: string,
): Pick<AwsOptions, 'role'> => {
  if (arn === undefined) return {};
  const sessionName = name ?? `hf-${providerName}`.slice(0, longestSessionName);
  return { role: { arn, sessionName, ...(externalId === undefined ? {} : { externalId }) } };
};

interface ConnectContext {
  readonly env: Environment;
  readonly log: Logger;
  readonly observe: Observe;
  readonly signal: (() => AbortSignal) | undefined;
  readonly clock: () => number;
  readonly awsClock: AwsClock;
  readonly looksOnly: boolean;
  readonly offerings: OfferingMemory;
  /** A ledger of claims as this call may use it. */
  readonly books: (book: LiveRequests) => LiveRequests;
  readonly rehearsal?: Rehearsal;
}

const connect = async (
  { workDir, providerName }: ProviderEnvironment,
  config: ProviderConfig,
  { env, log, observe, signal, clock, awsClock, looksOnly, offerings, books, rehearsal }: ConnectContext,
): Promise<Aws> => {
  const region = regionOf(config, env);
  if (region === undefined || region === '') {
    throw new PluginError(
      'configuration.missing',
      'AWS_REGION is set neither in the provider configuration nor in the environment',
    );
  }
  const time = timeForAws(budgetOf(config));
  const bounded = withinTime(time, signal?.());
  // By this host's clock throughout: it is asked before AWS has been heard.
  const facts = createFactCache(workDir, 'aws', Date.now, log);
  const credentials = createFactCache(workDir, 'credentials', Date.now);
  const { AWS_CREDENTIAL_FILE: file, AWS_CREDENTIAL_SCRIPT: script } = config;
  const { createAws } = await import('../providers/aws/aws.ts');
  return createAws({
    connection: {
      region,
      ...awsConnection(config, env),
      connectionTimeoutMs: config.AWS_CONNECTION_TIMEOUT_MS,
      requestTimeoutMs: Math.min(60_000, time),
    },
    credentials: {
      ...(file === undefined ? {} : { file }),
      ...(script === undefined ? {} : { script }),
      renewAfter: config.AWS_CREDENTIAL_RENEW_MARGIN * 1000,
      remember: looksOnly ? async (key, _lifetime, find) => (await credentials.peek(key)) ?? find() : credentials.get,
      forget: looksOnly ? async () => undefined : credentials.forget,
      warn: (problem) => log.warn('credentials.unrenewed', problem),
      signal: bounded,
    },
    ...roleIn(config, providerName),
    changes: { retries: config.AWS_REQUEST_RETRY_ATTEMPTS, interval: 0 },
    reads: { retries: config.AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS, interval: config.AWS_DESCRIBE_REQUEST_INTERVAL },
    log,
    observe,
    signal: bounded,
    clock,
    awsClock,
    owner: `${config.clusterName}/${providerName}`,
    store: looksOnly ? ((await knownStoreId(workDir)) ?? '<id of the work directory>') : await readStoreId(workDir),
    version,
    ...(config.AWS_KEY_FILE === undefined ? {} : { keyDirectory: config.AWS_KEY_FILE }),
    remember: !looksOnly ? facts.get : async (key, _lifetime, find) => (await facts.peek(key)) ?? find(),
    forget: looksOnly ? async () => undefined : facts.forget,
    offerings,
    ledger: (group) =>
      books(createLiveRequests(join(workDir, 'groups', crypto().createHash('sha256').update(group).digest('hex')))),
    ...(rehearsal && { rehearsal }),
  });
};
