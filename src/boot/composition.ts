import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { AwsExchange, CallRecorder, CallRecording } from '../application/ports/recording.ts';
import type { Logger, Observe, Progress } from '../application/ports/telemetry.ts';
import type { ReadModelPace, RunningReadModel } from '../application/projections/read-model.ts';
import type { AwsCall } from '../application/rehearsal.ts';
import { type Environment, type ProviderEnvironment, readEnvironment, tellsPlaces } from '../config/environment.ts';
import {
  defaultReading,
  type ProviderConfig,
  type ProviderConfigReading,
  readProviderConfig,
} from '../config/provider-config.ts';
import { hasCode, isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import { overlapWaits } from '../storage/disk-waits.ts';
import type { FileLogger } from '../telemetry/file-logger.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { budgetOf } from './call-time.ts';
import {
  connections,
  connectToStateAhead,
  ownerOf,
  regionOf,
  type ServedCall,
  startClock,
  type World,
} from './connection.ts';
import { hostMemory } from './host-memory.ts';
import { administration, newId, readSide, recordingPart } from './lazily.ts';
import type { StatePlacesOptions } from './parts/state-places.ts';
import { policyOf } from './policy.ts';
import { wirePorts } from './ports.ts';
import { rightsIn } from './rights.ts';
import { createService } from './service.ts';
import { openStores } from './stores.ts';
import { logFault, startTelemetry } from './telemetry.ts';

export interface Application {
  readonly service: ApplicationService;
  /** Its `flush` also keeps the metrics and sends the traces of the call. */
  readonly log: FileLogger;
  readonly observe: Observe;
  readonly tracing: Tracing | undefined;
  /** Where calls are to be recorded. */
  readonly recorder: CallRecorder | undefined;
  /** Writes the text file of `metricsTextfile`, where the configuration names one. */
  readonly writeMetrics: () => Promise<void>;
  /** The projections in this process' memory. */
  readonly readModel: () => Promise<RunningReadModel>;
  /** Asks AWS for next to nothing. Rejects where it does not answer. */
  readonly askAws: () => Promise<unknown>;
  readonly environment: ProviderEnvironment;
  readonly config: ProviderConfig;
  /** The file that it is in, where there is one. */
  readonly configFile: string | undefined;
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
  /** Whether to go on with the defaults where the configuration is unusable, to report what is wrong. */
  readonly forgives?: boolean;
  /** Whether somebody who may not write to the work folder may look at it. */
  readonly allowsStrangers?: boolean;
  /** For who serves Host Factory: the call under way, where the configuration wants calls to be recorded. */
  readonly recording?: () => CallRecording | undefined;
  /** Another time, and another way to AWS than the network: an emulator in this process. */
  readonly world?: World;
  /** Of the call that is being served; by default one id for the whole process. */
  readonly correlationId?: () => string;
  /** The script whose call is being served, where that is done by a process that lives on. */
  readonly scriptCall?: () => ServedCall | undefined;
  /** Whether messages come from people and other programs: then their form is checked. the scripts check their own. */
  readonly validates?: boolean;
  /** Where to append the spans of this process. */
  readonly traceFile?: string;
  /** For a process that lives on. */
  readonly server?: ServerPace;
  /**
   * Whether the call may turn out only to look, as an administrator's does: until a command that changes something begins,
   * nothing is written but log, metrics and projections, and where nothing was kept before not even those.
   */
  readonly mayOnlyLook?: boolean;
  /** Hears of the AWS calls that would go out; nothing is sent, nothing is written. */
  readonly rehearse?: (call: AwsCall) => void;
  /** Called before a sweep that follows an answer. */
  readonly letCallerGo?: () => void;
  /** Hears how far a sweep or the rebuilding of a projection has come. */
  readonly progress?: Progress;
  /** Whether the state will be asked: where it is in a table, the connection is begun as soon as that is known. */
  readonly asksState?: boolean;
  /** Ends AWS calls early, beside the budget of the call itself. */
  readonly signal?: () => AbortSignal;
  /** Whether the time of the call has run since this process began: a script's. A command may first have asked somebody something. */
  readonly isTimedFromStart?: boolean;
}

interface ServerPace {
  /** Of lists; a server without any has none to keep. */
  readonly readModel?: ReadModelPace;
  /** Milliseconds after which a connection to AWS is made anew: credentials and the budget of its calls are its own. */
  readonly connection: number;
}

/** No instance has this id. */
const nobody = 'i-00000000000000000';

/** Puts the program together: the only place that knows all folders. What a call does not use is not loaded. */
export const compose = async (options: ComposeOptions): Promise<Application> => {
  const { env, home, traceFile, server, rehearse, progress, signal, world, scriptCall = () => undefined } = options;
  if (server !== undefined) overlapWaits();
  const { environment, fault } = await locate(options);
  const { workDir } = environment;
  const rights = rightsIn(workDir, options);
  const { stranger, looksOnly, leavesTraces } = rights;
  const correlationId = idsOfCalls(options);
  const reading =
    fault === undefined
      ? await readConfig(options, environment, correlationId, leavesTraces)
      : defaultReading(messageOf(fault));
  const { config } = reading;
  if (options.asksState === true) await connectToStateAhead(config, env);
  const region = regionOf(config, env);
  const awsClock = startClock(workDir, looksOnly, () => log, world?.now);
  const clock = awsClock.now;
  const wall = world?.now;
  const memory = hostMemory({ workDir, home, clock, wall, region });
  const { usage } = memory;
  const telemetry = await startTelemetry({ environment, config, env, traceFile, correlationId, usage, leavesTraces });
  const { log, observe, tracing } = telemetry;
  for (const warning of reading.warnings) log.warn('configuration.warning', warning);
  const recorder = await recorderIn(options, stranger, { env, environment, reading, region, log });
  const record = recorder && ((exchange: AwsExchange) => options.recording?.()?.exchange(exchange));

  const places = { workDir, owner: ownerOf(config, environment) };
  const { stores, handedOn, readModel, unkeptReadModel } = await openStores(
    { ...places, table: config.stateTable, call: (action, input) => table(action, input) },
    { ...rights, server, scriptCall, memory, clock, wall, log, tracing, rehearse, progress },
  );
  const { isTimedFromStart = false } = options;
  const side = { environment, config, env, log, observe, record, signal, isTimedFromStart, awsClock, stores, world };
  const link = (lifetime: number | undefined) => connections({ ...side, looksOnly, scriptCall, lifetime });
  const { aws, table } = await link(server?.connection);

  const writeMetrics = () => writeMetricsFile(config.metricsTextfile, () => service.getMetrics(), log);
  const ports = wirePorts({
    env,
    home,
    environment,
    reading,
    policy: policyOf(config),
    clock,
    awsTime: () => (awsClock.ahead() === undefined ? undefined : awsClock.now()),
    log,
    telemetry,
    stores,
    handedOn,
    readModel,
    unkeptReadModel,
    aws,
    statePlaces: (named = config.stateTable) => bothPlaces({ ...places, clock, table: named }, link),
    writeMetrics: config.metricsTextfile === undefined ? undefined : writeMetrics,
    letCallerGo: options.letCallerGo ?? (() => undefined),
    progress,
  });
  const service = createService(ports, {
    correlationId,
    log,
    observe,
    answers: stores.store.answers,
    validates: () => options.validates === true && scriptCall() === undefined,
    commandId: () => scriptCall()?.commandId ?? newId(),
    traces: tracing !== undefined,
    // A rehearsal changes nothing, whoever makes it.
    stranger: rehearse === undefined ? stranger : undefined,
    begins: rights.begin,
  });
  return {
    service,
    log,
    observe,
    tracing,
    recorder,
    readModel,
    writeMetrics,
    askAws: async () => (await aws()).hosts.describe([nobody]),
    environment,
    config,
    configFile: reading.file,
    about: introduction(environment, region),
    stranger,
    budget: budgetOf(config),
  };
};

/** A script's environment tells the places; where it tells none, as by hand, they are looked for. */
const locate = async ({
  env,
  home,
  provider,
  forgives = false,
}: ComposeOptions): Promise<{ readonly environment: ProviderEnvironment; readonly fault?: unknown }> => {
  if (provider === undefined && tellsPlaces(env)) return { environment: readEnvironment(env) };
  try {
    return { environment: await (await administration()).findProvider(env, home, provider) };
  } catch (fault) {
    if (!forgives || !hasCode(fault, 'configuration.invalid')) throw fault;
    const { HF_TOP: top = '' } = env;
    const usual = { HF_CONFDIR: join(top, 'conf'), HF_WORKDIR: join(top, 'work'), HF_LOGDIR: join(top, 'log') };
    return { environment: readEnvironment({ ...usual, ...env }), fault };
  }
};

/** By which the lines of one call are told from others': the script's that is served, the caller's, or one for the process. */
const idsOfCalls = ({ scriptCall, correlationId: ownId = oneId() }: ComposeOptions): (() => string) =>
  scriptCall === undefined ? ownId : () => scriptCall()?.correlationId ?? ownId();

const readConfig = (
  { forgives = false }: ComposeOptions,
  environment: ProviderEnvironment,
  correlationId: () => string,
  leavesTraces: () => boolean,
): Promise<ProviderConfigReading> =>
  readProviderConfig(environment).catch(async (error: unknown) => {
    if (forgives && isPluginError(error)) return defaultReading(messageOf(error));
    if (leavesTraces()) await logFault(environment, correlationId, error);
    throw error;
  });

/** What takes down calls, where the configuration wants that and it may be written. */
const recorderIn = async (
  { recording }: ComposeOptions,
  stranger: string | undefined,
  about: Parameters<Awaited<ReturnType<typeof recordingPart>>['callRecorder']>[0],
): Promise<CallRecorder | undefined> => {
  const isRecorded = about.reading.config.recordCalls && stranger === undefined && recording !== undefined;
  return isRecorded ? (await recordingPart()).callRecorder(about) : undefined;
};

/** Milliseconds after which who copies state connects anew: that is not bound to the time of a call. */
const aMinute = 60_000;

/** The work folder and a table, to copy from one to the other. */
const bothPlaces = async (
  { table, ...place }: Omit<StatePlacesOptions, 'call' | 'table'> & { readonly table: string | undefined },
  link: (lifetime: number) => ReturnType<typeof connections>,
) => {
  if (table === undefined)
    throw new PluginError('input.invalid', 'no table is named: neither by --table nor by stateTable');
  const { table: call } = await link(aMinute);
  return (await import('./parts/state-places.ts')).statePlaces({ ...place, table, call });
};

const introduction = ({ providerName, registeredIn }: ProviderEnvironment, region = 'no Region'): string =>
  `provider ${providerName} in ${region}, ${registeredIn ?? 'as the environment tells'}`;

/** Tells the lines of one call from others': no need for a UUID, which costs more than the templates' whole answer. */
const oneId = (): (() => string) => {
  const parts = [Date.now(), process.pid, Math.floor(Math.random() * 2 ** 32)];
  const id = parts.map((each) => each.toString(36)).join('-');
  return () => id;
};

/** For node_exporter. A file that cannot be written keeps nothing else from being done. */
const writeMetricsFile = async (
  file: string | undefined,
  metrics: ApplicationService['getMetrics'],
  log: Logger,
): Promise<void> => {
  if (file === undefined) return;
  const { metricsText } = await readSide();
  const { replaceFile } = await import('../storage/atomic-file.ts');
  try {
    // The folder is node_exporter's, which is another user: it is not ours to make.
    statSync(dirname(file));
    await replaceFile(file, metricsText(await metrics()), 0o644);
  } catch (error) {
    log.warn('metrics.unwritten', `metricsTextfile ${file}: ${messageOf(error)}`);
  }
};
