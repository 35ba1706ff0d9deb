import type { InstanceEventFeed } from '../application/commands/collect-instance-events.ts';
import type { CommandPorts, QueryPorts } from '../application/handlers.ts';
import type { HandedOn } from '../application/life-cycle/handed-on.ts';
import type { AwsTime, Clock, Policy } from '../application/ports/policy.ts';
import type { ReadModel } from '../application/ports/read-model.ts';
import type { StateEnd, StatePlaces } from '../application/ports/state-copy.ts';
import type { Logger, Progress } from '../application/ports/telemetry.ts';
import type { TemplateCatalog } from '../application/ports/templates.ts';
import type { Environment, ProviderEnvironment } from '../config/environment.ts';
import { readFirst } from '../config/json-file.ts';
import type { ProviderConfigReading } from '../config/provider-config.ts';
import { type RankBy, readRankBy, usesPrices, wantsPrice } from '../domain/template/price-use.ts';
import type { Template } from '../domain/template/template.ts';
import type { Aws } from '../providers/aws/aws.ts';
import { type CatalogFacts, createTemplateCatalog } from '../templates/template-catalog.ts';
import { createTemplateReader } from '../templates/template-reader.ts';
import { ownerOf, regionOf } from './connection.ts';
import { administration, newId, pause, readSide } from './lazily.ts';
import type { Stores } from './stores.ts';
import type { Telemetry } from './telemetry.ts';
import { version } from './version.ts';

/** What the handlers' ports are made of. */
export interface Parts {
  readonly env: Environment;
  /** The installation's folder. */
  readonly home: string;
  readonly environment: ProviderEnvironment;
  readonly reading: ProviderConfigReading;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly awsTime: AwsTime;
  readonly log: Logger;
  readonly telemetry: Pick<Telemetry, 'usage' | 'recentUsage' | 'compactUsage'>;
  readonly stores: Stores;
  readonly handedOn: HandedOn;
  readonly readModel: () => Promise<ReadModel>;
  readonly aws: () => Promise<Aws>;
  /** The work folder and the table of this name, or of the configuration. */
  readonly statePlaces: (table: string | undefined) => Promise<StatePlaces<StateEnd>>;
  readonly writeMetrics: (() => Promise<void>) | undefined;
  /** For who must not even keep the projections. */
  readonly unkeptReadModel: () => Promise<ReadModel>;
  readonly letCallerGo: () => void;
  readonly progress: Progress | undefined;
}

const eventFeed = async ({ stores, reading, aws }: Parts, url: string): Promise<InstanceEventFeed> => {
  const { fullLookMinutes, rebalance } = reading.config;
  return {
    queue: async () => (await aws()).eventQueue(url),
    events: stores.store.notices,
    fullLooks: stores.memory.fullLooks(fullLookMinutes * 60_000),
    reportsRebalance: rebalance === 'report',
  };
};

/** What is asked of the projections before they are made. */
const lazy = (readModel: () => Promise<ReadModel>): ReadModel => ({
  read: async (...asked) => (await readModel()).read(...asked),
  status: async () => (await readModel()).status(),
  versionsOf: async (requestId) => (await readModel()).versionsOf(requestId),
  rebuild: async (name) => (await readModel()).rebuild(name),
});

/** None where they cannot be read, which is reported elsewhere. */
const served = (templates: TemplateCatalog): Promise<readonly Template[]> =>
  templates.read().then(
    (found) => found.templates,
    () => [],
  );

/** What templates tell for Host Factory to choose by, as its policies are named. */
const choices = (templates: readonly Template[], rankBy: RankBy | undefined): readonly ('rank' | 'cost')[] => [
  ...(rankBy === undefined ? [] : (['rank'] as const)),
  ...(templates.some(wantsPrice) ? (['cost'] as const) : []),
];

/** Done by each host for itself. */
const tasksOfHost: ReadonlySet<string> = new Set(['metrics']);

/** Everything that handlers work with. What a call does not use is not loaded. */
export const wirePorts = (parts: Parts): CommandPorts & QueryPorts => {
  const { env, home, environment, reading, policy, log, aws, progress } = parts;
  const { store, memory } = parts.stores;
  const { config } = reading;
  const { workDir } = environment;
  const { eventQueue: queueUrl } = config;
  const { instanceTypes, prices } = memory;
  const defaults = { all: config.templateDefaults, byApi: config.templateDefaultsByApi };
  const facts: CatalogFacts = {
    instanceTypes,
    rules: config,
    read: createTemplateReader(environment.confDir, defaults),
    awsFields: async (...fields) =>
      (await import('../providers/aws/inspect/raw-field-check.ts')).rawFieldComplaints(...fields),
  };
  const region = regionOf(config, env);
  const rankBy = readRankBy(config.rankBy);
  const policyScope = {
    owner: ownerOf(config, environment),
    region,
    tagInstanceId: policy.tagInstanceId,
    eventQueue: queueUrl,
    rankBy,
    stateTable:
      config.stateTable === undefined ? undefined : { name: config.stateTable, region: config.stateRegion ?? region },
  };
  const templates = createTemplateCatalog(environment, facts, log);
  return {
    streams: store.streams,
    live: store.live,
    failures: store.failures,
    offerings: memory.offerings,
    ...parts.telemetry,
    policy,
    log,
    version,
    newId,
    pause,
    progress,
    handedOn: parts.handedOn,
    instanceTypes,
    clock: parts.clock,
    awsTime: parts.awsTime,
    isDue: (task, interval) => (tasksOfHost.has(task) ? memory : store).turn(task, interval),
    letCallerGo: parts.letCallerGo,
    forgetAnswers: store.answers.forgetBefore,
    writeMetrics: parts.writeMetrics,
    templates,
    templatesIn: async (file) => createTemplateCatalog(environment, facts, log, readFirst, [file]).read(),
    rankBy,
    prices,
    priced: async (all) => {
      if (!usesPrices(all, rankBy)) return all;
      const { withPrices } = await import('../domain/template/price.ts');
      return withPrices(all, await prices.read(), rankBy);
    },
    askPrices: async (wanted) => (await aws()).prices(wanted),
    origins: async (template) =>
      (await administration()).createTemplateOrigins(environment, { read: facts.read, defaults })(template),
    statePlaces: parts.statePlaces,
    readModel: lazy(parts.readModel),
    openReturns: async () => (await readSide()).openReturns(await parts.readModel()),
    memory: store.sweepMemory,
    unseen: memory.unseen,
    feed: queueUrl === undefined ? undefined : () => eventFeed(parts, queueUrl),
    hosts: async () => (await aws()).hosts,
    providers: async (api) => (await aws()).provider(api),
    imageOf: async (alias) => (await aws()).imageOf(alias),
    shelf: async () => (await aws()).launchTemplates,
    inspector: async () => (await aws()).inspector(),
    offeredTypes: async () => (await aws()).instanceTypes(),
    checker: async () => (await administration()).createTemplateChecker(environment, facts),
    configuration: async () => (await administration()).configurationReport(env, environment, reading),
    hostChecks: async () => {
      const { diagnoseScriptWay, installationChecks } = await administration();
      const installation = { env, home, environment, reading, region };
      const way = { env, workDir, useServer: config.useServer, recent: parts.telemetry.recentUsage };
      return [
        ...installationChecks(installation, async () => choices(await served(templates), rankBy)),
        { subject: config.stateTable === undefined ? 'work folder' : 'state table', look: store.diagnose },
        { subject: 'script calls', look: () => diagnoseScriptWay(way) },
      ];
    },
    unreadable: async () => (await (await parts.unkeptReadModel()).read('requests')).warnings,
    asksAws: reading.fault === undefined,
    awsChecks: async (served) => (await aws()).checks(served, policyScope, instanceTypes.table),
    cureOfAws: async (fault) => (await import('../providers/aws/inspect/inspection.ts')).cureOfAws(fault),
    iamPolicy: async (served) =>
      (await import('../providers/aws/inspect/inspection.ts')).iamPolicy(served, policyScope),
  };
};
