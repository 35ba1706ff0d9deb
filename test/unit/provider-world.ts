import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ApplicationService,
  type CommandHandlers,
  createApplicationService,
  type QueryHandlers,
} from '../../src/application/bus/application-service.ts';
import { createBus, logging } from '../../src/application/bus/bus.ts';
import { idempotent, observing } from '../../src/application/bus/middleware.ts';
import type { Origin } from '../../src/application/bus/origin.ts';
import { archiveRequestsHandler } from '../../src/application/commands/archive-requests.ts';
import { cancelRequestHandler } from '../../src/application/commands/cancel-request.ts';
import { claimRequestHandler } from '../../src/application/commands/claim-request.ts';
import { clearOfferingsHandler } from '../../src/application/commands/clear-offerings.ts';
import { collectLaunchTemplatesHandler } from '../../src/application/commands/collect-launch-templates.ts';
import { createRequestHandler } from '../../src/application/commands/create-request.ts';
import { rebuildProjectionHandler } from '../../src/application/commands/rebuild-projection.ts';
import { reconcileHandler } from '../../src/application/commands/reconcile.ts';
import { refreshInstanceTypesHandler } from '../../src/application/commands/refresh-instance-types.ts';
import { returnMachinesHandler } from '../../src/application/commands/return-machines.ts';
import { syncRequestsHandler } from '../../src/application/commands/sync-requests.ts';
import { updateMachineStatusHandler } from '../../src/application/commands/update-machine-status.ts';
import { validateTemplateHandler } from '../../src/application/commands/validate-template.ts';
import { recountLive } from '../../src/application/life-cycle/recount.ts';
import type { LaunchTemplateShelf } from '../../src/application/ports/capacity.ts';
import type { Policy } from '../../src/application/ports/policy.ts';
import type { LiveRequests, RequestStreams, StreamEvent } from '../../src/application/ports/streams.ts';
import type { Progress } from '../../src/application/ports/telemetry.ts';
import { createReadModel, type RunningReadModel } from '../../src/application/projections/read-model.ts';
import { diagnoseHandler } from '../../src/application/queries/diagnose.ts';
import { explainHandler } from '../../src/application/queries/explain.ts';
import { getConfigurationHandler } from '../../src/application/queries/get-configuration.ts';
import { getMetricsHandler } from '../../src/application/queries/get-metrics.ts';
import { getProjectionsHandler } from '../../src/application/queries/get-projections.ts';
import { getRequestStatusHandler } from '../../src/application/queries/get-request-status.ts';
import { getReturnRequestsHandler } from '../../src/application/queries/get-return-requests.ts';
import { getTemplatesHandler } from '../../src/application/queries/get-templates.ts';
import { listEventsHandler } from '../../src/application/queries/list-events.ts';
import { listMachinesHandler } from '../../src/application/queries/list-machines.ts';
import { listOfferingsHandler } from '../../src/application/queries/list-offerings.ts';
import { listRequestsHandler } from '../../src/application/queries/list-requests.ts';
import { listTemplatesHandler } from '../../src/application/queries/list-templates.ts';
import { openReturns } from '../../src/application/read-model/listing.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import type { ProviderApi } from '../../src/domain/template/template.ts';
import type { Aws } from '../../src/providers/aws/aws.ts';
import { iamPolicy } from '../../src/providers/aws/inspect/policy.ts';
import { rawFieldComplaints } from '../../src/providers/aws/inspect/raw-field-check.ts';
import { createAnswers } from '../../src/storage/answers.ts';
import { createLaunchFailures } from '../../src/storage/launch-failures.ts';
import { createLiveRequests } from '../../src/storage/live-requests.ts';
import { createOfferingMemory } from '../../src/storage/offering-memory.ts';
import { createProjectionStore } from '../../src/storage/projection-store.ts';
import { createRequestStreams } from '../../src/storage/request-streams.ts';
import { createSweepMemory } from '../../src/storage/sweep-memory.ts';
import { createUnseenHosts } from '../../src/storage/unseen-hosts.ts';
import { createObserver } from '../../src/telemetry/observer.ts';
import { createTemplateCatalog } from '../../src/templates/template-catalog.ts';
import { createTemplateChecker } from '../../src/templates/template-checker.ts';
import { readTemplate } from '../../src/templates/template-document.ts';
import { catalogFacts } from './catalog-facts.ts';
import { createFakeCapacity, type FakeCapacity } from './fake-capacity.ts';
import { createFakeHosts, type FakeHosts } from './fake-hosts.ts';
import { createRecordingLog, type RecordingLog } from './recording-log.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface World {
  readonly service: ApplicationService;
  readonly streams: RequestStreams;
  readonly readModel: RunningReadModel;
  readonly live: LiveRequests;
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

/**
 * The application as the composition builds it, on the real store, catalog and buses, in a folder of its own; only EC2 is a
 * fake, unless `connect` brings another. The clock stands still unless moved.
 */
export const startWorld = async (changes: Partial<Policy> = {}, connect?: Connect): Promise<World> => {
  const folder = await temporaryFolder();
  const confDir = join(folder, 'conf');
  const workDir = join(folder, 'work');
  await mkdir(confDir);
  const started = Date.UTC(2026, 0, 1);
  const time = { now: started, ahead: 0, isTold: true };
  const pass = (ms: number): void => {
    time.now += ms;
  };
  const pause = async (ms: number): Promise<void> => pass(ms);
  const clock = () => time.now + time.ahead;
  const ids = { next: 1 };
  const newId = () => uuid(ids.next++);

  const environment = readEnvironment({
    HF_PROVIDER_NAME: 'awsinst',
    HF_PROVIDER_CONFDIR: confDir,
    HF_PROVIDER_WORKDIR: workDir,
  });
  const log = createRecordingLog();
  const streams = createRequestStreams(workDir);
  const live = createLiveRequests(workDir);
  const facts = catalogFacts(workDir);
  const templates = createTemplateCatalog(environment, facts, log);
  const fakeHosts = createFakeHosts();
  const capacity = createFakeCapacity(fakeHosts, clock);
  const policy: Policy = {
    consistencyWindow: 2 * minute,
    pendingTimeout: 3 * minute,
    launchDeadline: 15 * minute,
    tagInstanceId: false,
    protectAfter: 10,
    protectFor: 60 * minute,
    retention: 30 * 24 * 60 * minute,
    unclaimed: 60 * minute,
    orphanAge: 15 * minute,
    ...changes,
  };
  const aws = await connect?.({ now: clock, log, workDir });
  const hosts = async () => aws?.hosts ?? fakeHosts;
  const failures = createLaunchFailures(workDir, () => Date.now() + time.now - started);
  const offerings = createOfferingMemory(workDir, clock);
  const { keeper } = capacity;
  const withoutFleets = { ...capacity, keeper: { ...keeper, owned: async () => [] } };
  const providers = async (api: ProviderApi) =>
    aws?.provider(api) ?? (api === 'SpotFleet' || api === 'ASG' ? withoutFleets : capacity);
  const emptyShelf: LaunchTemplateShelf = { list: async () => [], remove: async () => {} };
  const shelf = async () => aws?.launchTemplates ?? emptyShelf;
  const observer = createObserver();
  // The clock of files is not the world's: an hour later no mark is fresh any more.
  const steps: Parameters<Progress>[] = [];
  const progress: Progress = (...step) => void steps.push(step);
  const readModel = createReadModel({
    streams,
    progress,
    store: createProjectionStore(workDir),
    clock: () => Date.now() + 60 * minute + time.now - started,
    pause,
    log,
  });
  const awsTime = (): number | undefined => (time.isTold ? time.now : undefined);
  const sync = { streams, failures, live, hosts, providers, policy, clock, awsTime, log };

  const commands: CommandHandlers = {
    CreateRequest: async () =>
      createRequestHandler({
        ...sync,
        templates,
        imageOf: async () => 'ami-0a11a5',
        newId,
        recount: recountLive(sync),
      }),
    SyncRequests: async () => syncRequestsHandler(sync),
    ReturnMachines: async () => returnMachinesHandler({ ...sync, newId }),
    UpdateMachineStatus: async () => updateMachineStatusHandler(sync),
    Reconcile: async () =>
      reconcileHandler({
        ...sync,
        newId,
        memory: createSweepMemory(workDir),
        shelf,
        openReturns: () => openReturns(readModel),
        nowAndThen: (work) => work(),
        progress,
      }),
    ArchiveRequests: async () => archiveRequestsHandler({ ...sync, nowAndThen: (work) => work() }),
    ClearOfferings: async () => clearOfferingsHandler({ offerings, failures, log }),
    CollectLaunchTemplates: async () => collectLaunchTemplatesHandler({ ...sync, shelf }),
    RefreshInstanceTypes: async () => refreshInstanceTypesHandler({ ...facts, ask: async () => new Map(), log }),
    CancelRequest: async () => cancelRequestHandler(sync),
    ClaimRequest: async () => claimRequestHandler(sync),
    RebuildProjection: async () => rebuildProjectionHandler({ readModel }),
    ValidateTemplate: async () =>
      validateTemplateHandler({
        checker: createTemplateChecker(environment, {
          ...facts,
          readTemplate,
          awsFields: rawFieldComplaints,
        }),
        inspector: async () => ({ inspect: async () => [], inspectGroup: async () => [] }),
        log,
      }),
  };
  const queries: QueryHandlers = {
    Diagnose: async () =>
      diagnoseHandler({
        local: [],
        aws: async () => [],
        inspector: async () => ({ inspectGroup: async () => [] }),
        unusedLaunchTemplates: async () => 0,
        forgotten: async () => ({ findings: [], warnings: [] }),
        unreadable: async () => [],
        asksAws: true,
        failures,
        policy,
        templates,
        iamPolicy: async (served) => iamPolicy(served, { owner: 'hostfactory/awsinst' }),
      }),
    Explain: async () => explainHandler({ ...sync, readModel }),
    GetConfiguration: async () => getConfigurationHandler(async () => ({ values: [], warnings: [], errors: [] })),
    GetTemplates: async () => getTemplatesHandler({ templates, log }),
    GetRequestStatus: async () => getRequestStatusHandler({ streams, clock, pause }),
    GetReturnRequests: async () => getReturnRequestsHandler({ ...sync, unseen: createUnseenHosts(workDir) }),
    ListRequests: async () => listRequestsHandler({ readModel, log }),
    ListOfferings: async () => listOfferingsHandler({ ...sync, offerings }),
    ListMachines: async () => listMachinesHandler({ readModel, log }),
    ListTemplates: async () => listTemplatesHandler({ templates, log }),
    ListEvents: async () => listEventsHandler({ streams, readModel }),
    GetProjections: async () => getProjectionsHandler({ readModel }),
    GetMetrics: async () =>
      getMetricsHandler({ ...sync, readModel, templates, version: '1.2.3', usage: async () => observer.peek() }),
  };
  const middleware = [
    observing(observer.observe, 'operation'),
    logging(log),
    idempotent(async () => createAnswers(workDir)),
  ];
  const around = { correlationId: () => origin.correlationId, middleware };
  const service = createApplicationService(
    createBus(commands, { name: 'command', ...around }),
    createBus(queries, { name: 'query', ...around }),
  );
  const templatesFile = join(confDir, 'awsinstprov_templates.json');
  const writeTemplates = (...list: readonly object[]): Promise<void> =>
    writeFile(templatesFile, JSON.stringify({ templates: list }));
  await writeTemplates(templateDocument());

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
    steps,
    writeTemplates,
    eventsOf: async (id) => (await streams.load(id)).events.map(({ type }) => type),
  };
};
