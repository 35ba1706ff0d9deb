import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApplicationService } from '../../src/application/bus/application-service.ts';
import type { Origin } from '../../src/application/bus/origin.ts';
import { createHandedOn, followed } from '../../src/application/life-cycle/handed-on.ts';
import type { LaunchTemplateShelf } from '../../src/application/ports/capacity.ts';
import type { Policy } from '../../src/application/ports/policy.ts';
import type { HostMemory, Store } from '../../src/application/ports/store.ts';
import type { CapacityLedger, RequestStreams, StreamEvent } from '../../src/application/ports/streams.ts';
import type { Progress } from '../../src/application/ports/telemetry.ts';
import { createReadModel, type RunningReadModel } from '../../src/application/projections/read-model.ts';
import { hostMemory } from '../../src/boot/host-memory.ts';
import { policyOf } from '../../src/boot/policy.ts';
import { wirePorts } from '../../src/boot/ports.ts';
import { createService } from '../../src/boot/service.ts';
import { fileStore } from '../../src/boot/stores.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { readProviderConfig } from '../../src/config/provider-config.ts';
import type { Aws } from '../../src/providers/aws/aws.ts';
import { createLaunchFailures } from '../../src/storage/launch-failures.ts';
import { withLedger } from '../../src/storage/streams-with-ledger.ts';
import { createObserver } from '../../src/telemetry/observer.ts';
import type { EmulatedTable } from '../tables.ts';
import { createFakeCapacity, type FakeCapacity } from './fake-capacity.ts';
import { createFakeHosts, type FakeHosts } from './fake-hosts.ts';
import { createRecordingLog, type RecordingLog } from './recording-log.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface World {
  readonly service: ApplicationService;
  readonly streams: RequestStreams;
  readonly readModel: RunningReadModel;
  readonly live: CapacityLedger;
  readonly hosts: FakeHosts;
  readonly capacity: FakeCapacity;
  readonly log: RecordingLog;
  readonly workDir: string;
  readonly templatesFile: string;
  readonly policy: Policy;
  /** Moves the clock on. */
  readonly pass: (ms: number) => void;
  readonly now: () => number;
  /** From now on AWS's answers do not tell the time, and this host's clock is so much ahead, ms. */
  readonly hideAwsTime: (ahead: number) => void;
  /** Is called when the caller of a command may go though work is left. */
  readonly onCallerGo: (listener: () => void) => void;
  /** What was told of long work: `[what, done, total]`. */
  readonly steps: readonly Parameters<Progress>[];
  readonly writeTemplates: (...templates: readonly object[]) => Promise<void>;
  /** The types of the events of a stream. */
  readonly eventsOf: (id: string) => Promise<readonly StreamEvent['type'][]>;
}

export const origin: Origin = { correlationId: 'test' };

/** A UUID for the n-th command of a test. */
export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** On demand, two subnets, ten hosts at most. */
export const templateDocument = (fields: object = {}): object => ({
  templateId: 'od-a',
  maxNumber: 10,
  attributes: { type: 'X86_64', ncpus: 2, nram: 4096 },
  imageId: 'ami-12345678',
  subnetId: ['subnet-a', 'subnet-b'],
  vmType: 'm5.large',
  instanceTags: 'team=quant',
  ...fields,
});

const minute = 60_000;

/** What the world gives whoever stands in for EC2, and what that gives back. */
export type Connect = (
  world: Pick<World, 'now' | 'log' | 'workDir'>,
) => Promise<Pick<Aws, 'hosts' | 'provider' | 'launchTemplates'>>;

/** Where the world keeps what it writes: a folder of its own that is gone after the test, and the store's files in it. */
export interface Places {
  readonly folder?: string;
  /** The folder has its configuration and templates from a world before. */
  readonly isFurnished?: boolean;
  readonly store?: Partial<Store>;
  readonly memory?: Partial<HostMemory>;
}

const home = join(import.meta.dirname, '..', '..');

/**
 * The application as the composition builds it, on the real store, catalog, handlers and buses, in a folder of its own; only EC2 is
 * a fake, unless `connect` brings another. The clock stands still unless moved.
 */
export const startWorld = async (
  changes: Partial<Policy> = {},
  connect?: Connect,
  places: Places = {},
): Promise<World> => {
  const folder = places.folder ?? (await temporaryFolder());
  const confDir = join(folder, 'conf');
  const workDir = join(folder, 'work');
  if (places.isFurnished !== true) await mkdir(confDir, { recursive: true });
  const started = Date.UTC(2026, 0, 1);
  const time = { now: started, ahead: 0, isTold: true };
  const pass = (ms: number): void => {
    time.now += ms;
  };
  const pause = async (ms: number): Promise<void> => pass(ms);
  const clock = () => time.now + time.ahead;
  const ids = { next: 1 };
  const newId = () => uuid(ids.next++);

  const env = {
    HF_PROVIDER_NAME: 'awsinst',
    HF_PROVIDER_CONFDIR: confDir,
    HF_PROVIDER_WORKDIR: workDir,
    AWS_REGION: 'us-east-1',
  };
  const environment = readEnvironment(env);
  const reading = await readProviderConfig(environment);
  const log = createRecordingLog();
  const fakeHosts = createFakeHosts();
  const capacity = createFakeCapacity(fakeHosts, clock);
  const policy: Policy = {
    ...policyOf(reading.config),
    consistencyWindow: 2 * minute,
    pendingTimeout: 3 * minute,
    ...changes,
  };
  const { keeper } = capacity;
  const withoutFleets = { ...capacity, keeper: { ...keeper, owned: async () => [] } };
  const emptyShelf: LaunchTemplateShelf = { list: async () => [], remove: async () => {} };
  const connected = await connect?.({ now: clock, log, workDir });
  // Asked for anew at each use: what `connect` gave may stand for one connection after the other.
  const aws = async (): Promise<Aws> => ({
    hosts: fakeHosts,
    provider: (api) => (api === 'SpotFleet' || api === 'ASG' ? withoutFleets : capacity),
    launchTemplates: emptyShelf,
    instanceTypes: async () => new Map(),
    prices: async () => ({ onDemand: {}, spot: {}, zones: {}, warnings: [] }),
    inspector: async () => ({ inspect: async () => [], inspectGroup: async () => [] }),
    checks: async () => ({ reach: { subject: 'AWS', look: async () => [] }, others: [] }),
    ...connected,
    eventQueue: async () => ({ receive: async () => [], remove: async () => undefined }),
    imageOf: async () => 'ami-0a11a5',
  });
  const handedOn = createHandedOn();
  const caller = { go: () => {} };
  const onDisk = fileStore({ workDir, clock });
  const given = places.store;
  const written = given?.streams === undefined ? onDisk.streams : withLedger(given.streams, given.live ?? onDisk.live);
  const store = {
    ...onDisk,
    failures: createLaunchFailures(workDir, () => Date.now() + time.now - started),
    ...given,
    streams: followed(written, handedOn),
  };
  const memory = { ...hostMemory({ workDir, home, clock, region: 'us-east-1' }), ...places.memory };
  const stores = { store, memory };
  const { streams, live } = store;
  const observer = createObserver();
  const steps: Parameters<Progress>[] = [];
  const progress: Progress = (...step) => void steps.push(step);
  const readModel = createReadModel({
    streams,
    progress,
    store: memory.projections,
    // The clock of files is not the world's: an hour later no stamp is fresh any more.
    clock: () => Date.now() + 60 * minute + time.now - started,
    pause,
    log,
  });
  let table: EmulatedTable | undefined;
  const ports = wirePorts({
    env,
    home,
    environment,
    reading,
    policy,
    clock,
    awsTime: () => (time.isTold ? time.now : undefined),
    log,
    telemetry: {
      usage: async () => observer.peek(),
      recentUsage: async () => ({ since: 0, metrics: observer.peek() }),
      compactUsage: async () => undefined,
    },
    stores,
    handedOn,
    readModel: async () => readModel,
    aws,
    statePlaces: async () => {
      const { emulatedTable, tableName } = await import('../tables.ts');
      const { statePlaces } = await import('../../src/boot/parts/state-places.ts');
      table ??= emulatedTable();
      return statePlaces({ workDir, clock, table: tableName, owner: 'test/awsinst', call: table.call });
    },
    writeMetrics: undefined,
    unkeptReadModel: async () => readModel,
    letCallerGo: () => caller.go(),
    progress,
  });
  const calls = { made: 0 };
  const service = createService(
    { ...ports, newId, pause, isDue: async () => true },
    {
      // No two calls have the same: what two write at once is told apart by it.
      correlationId: () => `${origin.correlationId}-${++calls.made}`,
      log,
      observe: observer.observe,
      answers: store.answers,
      // As for Host Factory’s scripts, whose odd ids and counts the handlers themselves must stand.
      validates: () => false,
      commandId: newId,
      traces: false,
      stranger: undefined,
    },
  );
  const templatesFile = join(confDir, 'awsinstprov_templates.json');
  const writeTemplates = (...list: readonly object[]): Promise<void> =>
    writeFile(templatesFile, JSON.stringify({ templates: list }));
  if (places.isFurnished !== true) await writeTemplates(templateDocument());

  return {
    service,
    streams,
    readModel,
    live,
    hosts: fakeHosts,
    capacity,
    log,
    workDir,
    templatesFile,
    policy,
    pass,
    now: clock,
    hideAwsTime: (ahead) => {
      time.isTold = false;
      time.ahead = ahead;
    },
    onCallerGo: (listener) => {
      caller.go = listener;
    },
    steps,
    writeTemplates,
    eventsOf: async (id) => (await streams.load(id)).events.map(({ type }) => type),
  };
};
