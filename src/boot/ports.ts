import { join } from 'node:path';
import type { InstanceEventFeed } from '../application/commands/collect-instance-events.ts';
import type { CommandPorts, QueryPorts } from '../application/handlers.ts';
import type { PriceMemory, SweepMemory } from '../application/ports/memory.ts';
import type { AwsTime, Clock, Policy } from '../application/ports/policy.ts';
import type { ReadModel } from '../application/ports/read-model.ts';
import type { Logger, Progress } from '../application/ports/telemetry.ts';
import type { TemplateCatalog } from '../application/ports/templates.ts';
import type { Environment, ProviderEnvironment } from '../config/environment.ts';
import type { ProviderConfigReading } from '../config/provider-config.ts';
import { type RankBy, readRankBy, usesPrices, wantsPrice } from '../domain/template/price-use.ts';
import type { Template } from '../domain/template/template.ts';
import type { Aws } from '../providers/aws/aws.ts';
import { createInstanceTypes } from '../storage/instance-types.ts';
import { createLastDone } from '../storage/last-done.ts';
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
  readonly stores: Pick<Stores, 'streams' | 'live' | 'failures' | 'offerings'>;
  readonly readModel: () => Promise<ReadModel>;
  readonly aws: () => Promise<Aws>;
  readonly forgetAnswers: (before: number) => Promise<void>;
  readonly writeMetrics: (() => Promise<void>) | undefined;
  /** Why nothing may be written: the work folder is another user's. */
  readonly stranger: string | undefined;
  /** For who must not even keep the projections. */
  readonly unkeptReadModel: () => Promise<ReadModel>;
  readonly letCallerGo: () => void;
  readonly progress: Progress | undefined;
}

const sweepMemory = (workDir: string): SweepMemory => {
  const memory = async () => (await import('../storage/sweep-memory.ts')).createSweepMemory(workDir);
  return {
    read: async () => (await memory()).read(),
    write: async (notes) => (await memory()).write(notes),
  };
};

const eventFeed = async ({ environment, reading, clock, aws }: Parts, url: string): Promise<InstanceEventFeed> => {
  const { fullLookMinutes, rebalance } = reading.config;
  const { createInstanceEvents } = await import('../storage/instance-events.ts');
  const { createFullLooks } = await import('../storage/full-looks.ts');
  return {
    queue: async () => (await aws()).eventQueue(url),
    events: createInstanceEvents(environment.workDir, clock),
    fullLooks: createFullLooks(environment.workDir, clock, fullLookMinutes * 60_000),
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

/** None where they cannot be read, which is told elsewhere. */
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

const priceMemory = (workDir: string, home: string, region: string | undefined): PriceMemory => {
  const shipped = join(home, 'config', 'on-demand-prices.json');
  const memory = async () => (await import('../storage/price-memory.ts')).createPriceMemory(workDir, shipped, region);
  return {
    read: async () => (await memory()).read(),
    replace: async (prices) => (await memory()).replace(prices),
  };
};

/** Everything that handlers work with. What a call does not use is not loaded. */
export const wirePorts = (parts: Parts): CommandPorts & QueryPorts => {
  const { env, home, environment, reading, policy, log, aws, stranger, progress } = parts;
  const { config } = reading;
  const { workDir } = environment;
  const { eventQueue: queueUrl } = config;
  const instanceTypes = createInstanceTypes(workDir, join(home, 'config', 'instance-types.json'));
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
  const prices = priceMemory(workDir, home, region);
  const policyScope = {
    owner: ownerOf(config, environment),
    region,
    tagInstanceId: policy.tagInstanceId,
    eventQueue: queueUrl,
    rankBy,
  };
  const templates = createTemplateCatalog(environment, facts, log);
  const ports: Omit<CommandPorts & QueryPorts, 'forgotten'> = {
    ...parts.stores,
    ...parts.telemetry,
    policy,
    log,
    version,
    newId,
    pause,
    progress,
    instanceTypes,
    clock: parts.clock,
    awsTime: parts.awsTime,
    isDue: createLastDone(workDir, parts.clock),
    letCallerGo: parts.letCallerGo,
    forgetAnswers: parts.forgetAnswers,
    writeMetrics: parts.writeMetrics,
    templates,
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
    readModel: lazy(parts.readModel),
    openReturns: async () => (await readSide()).openReturns(await parts.readModel()),
    memory: sweepMemory(workDir),
    unseen: {
      note: async (look) => (await import('../storage/unseen-hosts.ts')).createUnseenHosts(workDir).note(look),
    },
    feed: queueUrl === undefined ? undefined : () => eventFeed(parts, queueUrl),
    hosts: async () => (await aws()).hosts,
    providers: async (api) => (await aws()).provider(api),
    imageOf: async (alias) => (await aws()).imageOf(alias),
    shelf: async () => (await aws()).launchTemplates,
    inspector: async () => (await aws()).inspector(),
    offeredTypes: async () => (await aws()).instanceTypes(),
    checker: async () => (await administration()).createTemplateChecker(environment, facts),
    configuration: async () => (await administration()).configurationReport(env, environment, reading),
    checkHost: [
      async () => {
        const { diagnoseInstallation } = await administration();
        const chosenBy = choices(await served(templates), rankBy);
        return diagnoseInstallation({ env, home, environment, reading, region, chosenBy });
      },
      async () => (await administration()).diagnoseWorkFolder(workDir, stranger),
      async () =>
        (await administration()).diagnoseScriptWay({
          env,
          workDir,
          useServer: config.useServer,
          recent: parts.telemetry.recentUsage,
        }),
    ],
    unreadable: async () => (await (await parts.unkeptReadModel()).read('requests')).warnings,
    asksAws: reading.fault === undefined,
    checkAws: async (served) => (await aws()).diagnose(served, policyScope),
    iamPolicy: async (served) =>
      (await import('../providers/aws/inspect/inspection.ts')).iamPolicy(served, policyScope),
  };
  return {
    ...ports,
    forgotten: async (origin) => {
      const { reconcileHandler } = await import('../application/commands/reconcile.ts');
      const look = reconcileHandler(ports);
      return look({ type: 'Reconcile' }, origin);
    },
  };
};
