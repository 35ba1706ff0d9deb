import type { AwsExchange, CallRecording } from '../application/ports/recording.ts';
import type { Logger, Observe } from '../application/ports/telemetry.ts';
import { type AwsConnection, awsConnection } from '../config/connection.ts';
import type { Environment, ProviderEnvironment } from '../config/environment.ts';
import type { ProviderConfig } from '../config/provider-config.ts';
import { isPluginError, PluginError } from '../domain/errors.ts';
import type { Aws, AwsOptions } from '../providers/aws/aws.ts';
import { type AwsClock, createAwsClock } from '../providers/aws/wire/aws-clock.ts';
import type { Exchange } from '../providers/aws/wire/exchange.ts';
import { createClockNote } from '../storage/clock-note.ts';
import { budgetOf, outlasting, timeForAws, timeForRecords, withinTime } from './call-time.ts';
import { once, oneForEach, readSide, renewed, stateInTable, turn } from './lazily.ts';
import type { Stores } from './stores.ts';
import { version } from './version.ts';

export const regionOf = (config: ProviderConfig, env: Environment): string | undefined =>
  config.AWS_REGION ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];

/** The value of the ownership tag. */
export const ownerOf = ({ clusterName }: ProviderConfig, { providerName }: ProviderEnvironment): string =>
  `${clusterName}/${providerName}`;

/** What a process that rehearses goes by in place of this host's clock, ms since the epoch, and of the network. */
export interface World {
  readonly now: () => number;
  readonly exchange: Exchange;
}

/** A clock that is set does not move it within this process. `performance` would take Node a millisecond to make. */
const steadyClock = (): (() => number) => {
  const begun = Date.now() - process.uptime() * 1000;
  return () => Math.round(begun + process.uptime() * 1000);
};

/** Durations are counted by AWS's clock, so that several management hosts agree on them. */
export const startClock = (
  workDir: string,
  looksOnly: () => boolean,
  log: () => Pick<Logger, 'warn'>,
  local = steadyClock(),
): AwsClock => {
  const note = createClockNote(workDir);
  const changed = (ahead: number): void => {
    const difference = `${Math.round(Math.abs(ahead) / 1000)} s ${ahead < 0 ? 'behind' : 'ahead of'} AWS`;
    if (ahead !== 0)
      log().warn('clock.differs', `the clock of this host is ${difference}: its time is taken from AWS; run NTP`);
    if (!looksOnly()) note.write(ahead);
  };
  return createAwsClock(local, changed, note.read);
};

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

const withStateEndpoint = (connection: AwsConnection, endpoint: string | undefined): AwsConnection =>
  endpoint === undefined ? connection : { ...connection, endpoints: { ...connection.endpoints, dynamodb: endpoint } };

/**
 * Begins to connect to the table of the state, where there is one: the name is looked up and the other side answers while the rest is
 * loaded, and while credentials are found. Faults show in the first call of the table.
 */
export const connectToStateAhead = async (config: ProviderConfig, env: Environment): Promise<void> => {
  const { stateTable, stateRegion, stateEndpoint } = config;
  const region = stateRegion ?? regionOf(config, env);
  if (stateTable === undefined || region === undefined) return;
  const { connectToTable } = await stateInTable();
  try {
    connectToTable({ ...withStateEndpoint(awsConnection(config, env), stateEndpoint), region });
  } catch (error) {
    if (!isPluginError(error)) throw error;
  }
};

interface ConnectContext {
  readonly environment: ProviderEnvironment;
  readonly config: ProviderConfig;
  readonly env: Environment;
  readonly log: Logger;
  readonly observe: Observe;
  /** Ends AWS calls early, beside the budget of the call itself. */
  readonly signal: (() => AbortSignal) | undefined;
  /** Whether the time of the call has run since this process began. */
  readonly isTimedFromStart: boolean;
  readonly awsClock: AwsClock;
  readonly looksOnly: boolean;
  readonly stores: Stores;
  /** Hears of each try of a call. */
  readonly record: ((exchange: AwsExchange) => void) | undefined;
  readonly world: World | undefined;
}

/** A way to AWS, and by it to the table of the state. */
interface Link {
  readonly aws: () => Promise<Aws>;
  readonly table: (action: string, input: object) => Promise<unknown>;
}

/** One connection. Throws `configuration.missing` where no Region is named. */
const connect = async ({
  environment,
  config,
  env,
  log,
  observe,
  signal,
  isTimedFromStart,
  awsClock,
  looksOnly,
  stores,
  record,
  world,
}: ConnectContext): Promise<Link> => {
  const { store, memory, rehearsal } = stores;
  const region = regionOf(config, env);
  if (region === undefined || region === '') {
    throw new PluginError(
      'configuration.missing',
      'AWS_REGION is set neither in the provider configuration nor in the environment',
    );
  }
  const time = Math.max(1, timeForAws(budgetOf(config)) - (isTimedFromStart ? process.uptime() * 1000 : 0));
  const bounded = withinTime(time, signal?.());
  const rights = { looksOnly: () => looksOnly };
  const facts = memory.facts('aws', { ...rights, log });
  const known = memory.facts('credentials', rights);
  const { AWS_CREDENTIAL_FILE: file, AWS_CREDENTIAL_SCRIPT: script } = config;
  const options: Omit<AwsOptions, 'store'> = {
    connection: {
      region,
      ...withStateEndpoint(awsConnection(config, env), config.stateEndpoint),
      connectionTimeoutMs: config.AWS_CONNECTION_TIMEOUT_MS,
      requestTimeoutMs: Math.min(60_000, time),
      ...(world === undefined ? {} : { exchange: world.exchange }),
    },
    credentials: {
      ...(file === undefined ? {} : { file }),
      ...(script === undefined ? {} : { script }),
      renewAfter: config.AWS_CREDENTIAL_RENEW_MARGIN * 1000,
      remember: known.get,
      forget: known.forget,
      warn: (problem) => log.warn('credentials.unrenewed', problem),
      signal: bounded,
    },
    ...roleIn(config, environment.providerName),
    changes: { retries: config.AWS_REQUEST_RETRY_ATTEMPTS, interval: 0 },
    reads: { retries: config.AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS, interval: config.AWS_DESCRIBE_REQUEST_INTERVAL },
    log,
    observe,
    record,
    signal: bounded,
    clock: awsClock.now,
    awsClock,
    owner: ownerOf(config, environment),
    version,
    ...(config.AWS_KEY_FILE === undefined ? {} : { keyDirectory: config.AWS_KEY_FILE }),
    remember: facts.get,
    forget: facts.forget,
    offerings: memory.offerings,
    ledger: store.ledger,
    ...(rehearsal && { rehearsal }),
  };
  const { stateTable, stateRegion } = config;
  const client = once(async () => (await stateInTable()).createClient(options));
  const caller = once(async () =>
    (await stateInTable()).tableCaller(
      { ...options, client: await client(), random: Math.random, signal: outlasting(bounded, timeForRecords) },
      stateRegion,
    ),
  );
  return {
    aws: once(async () => {
      // Loading takes long and holds up the network: the connection to the table is made meanwhile, if it is under way.
      if (stateTable !== undefined) await turn();
      const { createAws } = await import('../providers/aws/aws.ts');
      const id = (await store.id(!looksOnly)) ?? '<id of the work directory>';
      return createAws({ ...options, store: id }, stateTable === undefined ? undefined : await client());
    }),
    table: async (action, input) => (await caller())(action, input),
  };
};

/** A call that has what it would have in a process of its own. */
export interface ServedCall {
  readonly correlationId: string;
  /** Makes what the call asks for the same command when its script repeats it. A UUID. */
  readonly commandId: string | undefined;
  /** Ends its AWS calls early. */
  readonly signal: AbortSignal;
  /** What takes it down, once its application is known, where calls are recorded. */
  recording?: CallRecording | undefined;
}

interface Connections extends Omit<ConnectContext, 'looksOnly'> {
  readonly looksOnly: () => boolean;
  /** Milliseconds after which a process that lives on connects anew; undefined for one that serves one call. */
  readonly lifetime: number | undefined;
  readonly scriptCall: () => ServedCall | undefined;
}

/**
 * The AWS side of the program, connected when it is first asked for. A script's call that is served has a connection of its own, since
 * its time begins with it; all that are served look at EC2 once for those that come together.
 */
export const connections = async ({ lifetime, scriptCall, ...side }: Connections): Promise<Link> => {
  const { looksOnly, awsClock, config } = side;
  const budget = budgetOf(config);
  // What a server's connection is asked for last still has two thirds of the time of a call.
  const age = lifetime === undefined ? Number.POSITIVE_INFINITY : Math.min(lifetime, budget / 3);
  const lasting = (isLook: boolean) => renewed(age, awsClock.now, () => connect({ ...side, looksOnly: isLook }));
  const [looking, changing] = [lasting(true), lasting(false)];
  const shared = () => (looksOnly() ? looking() : changing());
  const link = oneForEach(scriptCall, shared, ({ signal }) =>
    connect({ ...side, looksOnly: looksOnly(), signal: () => signal, isTimedFromStart: false }),
  );
  const table: Link['table'] = async (action, input) => (await link()).table(action, input);
  const aws = async () => (await link()).aws();
  if (lifetime === undefined) return { aws, table };
  const { sharingLooks } = await readSide();
  const looks = sharingLooks(
    async () => (await (await shared()).aws()).hosts,
    () => scriptCall()?.signal,
  );
  return {
    table,
    aws: async () => {
      const own = await aws();
      return { ...own, hosts: { ...own.hosts, ...looks } };
    },
  };
};
