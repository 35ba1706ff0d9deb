import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CapacityLedger, StreamEvent } from '../../src/application/ports/streams.ts';
import { isPluginError } from '../../src/domain/errors.ts';
import { type OperationName, operationOf } from '../../src/hostfactory/operations.ts';
import { type Aws, createAws } from '../../src/providers/aws/aws.ts';
import { createAwsClock } from '../../src/providers/aws/wire/aws-clock.ts';
import { startWorld, type World } from '../unit/provider-world.ts';
import { place, templates } from './kinds.ts';
import {
  memoryLedger,
  memoryStreams,
  noAnswers,
  noProjections,
  nothingUnseen,
  refusedOfferings,
  sweepNotes,
} from './memory-store.ts';
import { mortalLedger, mortalStreams, processes, startProcess, type Trouble } from './process.ts';
import { createRegion, type Region } from './region.ts';

export interface Grid {
  readonly world: World;
  readonly region: Region;
  /** Of the administrator's own group. */
  readonly ledger: CapacityLedger;
  /** Runs one operation of Host Factory's in a process of its own, with what follows its answer; undefined without an answer. */
  readonly call: (operation: OperationName, input: object, trouble?: Trouble) => Promise<object | undefined>;
  /** The same of an administrator's command. */
  readonly administer: (work: () => Promise<unknown>, trouble?: Trouble) => Promise<void>;
}

const owner = 'hostfactory/awsinst';
const noLimit = new AbortController().signal;
const minute = 60_000;

/** The administrator's own group, with a machine of its own, and a machine of somebody else's. */
const inhabit = async (region: Region): Promise<void> => {
  await region.call('ec2', 'CreateLaunchTemplate', {
    LaunchTemplateName: 'grid',
    'LaunchTemplateData.ImageId': place.imageId,
    'LaunchTemplateData.InstanceType': 'm5.large',
  });
  await region.call('autoScaling', 'CreateAutoScalingGroup', {
    AutoScalingGroupName: 'grid',
    MinSize: '0',
    MaxSize: '1000',
    DesiredCapacity: '1',
    VPCZoneIdentifier: place.subnetId.join(','),
    NewInstancesProtectedFromScaleIn: 'true',
    'LaunchTemplate.LaunchTemplateName': 'grid',
    'LaunchTemplate.Version': '1',
  });
  await region.call('autoScaling', 'SuspendProcesses', {
    AutoScalingGroupName: 'grid',
    'ScalingProcesses.member.1': 'AZRebalance',
    'ScalingProcesses.member.2': 'ReplaceUnhealthy',
  });
  await region.call('ec2', 'RunInstances', {
    ImageId: place.imageId,
    InstanceType: 'm5.large',
    MinCount: '1',
    MaxCount: '1',
  });
};

/** Facts about AWS, kept over calls. */
const memory = () => {
  const facts = new Map<string, string>();
  return {
    remember: async (key: string, _lifetime: unknown, find: () => Promise<string>): Promise<string> => {
      const found = facts.get(key) ?? (await find());
      facts.set(key, found);
      return found;
    },
    forget: async (value: string): Promise<void> => {
      for (const [key, known] of facts) if (known === value) facts.delete(key);
    },
  };
};

export interface GridOptions {
  /** Hears of every AWS call and every append. */
  readonly tell: (line: string) => void;
  /** Hears of all events that are appended. */
  readonly note: (id: string, events: readonly StreamEvent[]) => void;
  readonly folder: string;
  /** Whether the program may launch into the administrator's group, or has to raise its size. */
  readonly hasLaunchInstances: boolean;
}

/** The program, its store and AWS in this process, where a call may die anywhere. */
export const createGrid = async ({ folder, hasLaunchInstances, tell, note }: GridOptions): Promise<Grid> => {
  const time = { now: (): number => Date.UTC(2026, 0, 1) };
  const now = (): number => time.now();
  const [first, second] = place.subnetId;
  const settings = {
    subnets: { [first]: { zone: 'us-east-1a', vpc: 'vpc-1' }, [second]: { zone: 'us-east-1b', vpc: 'vpc-1' } },
    fulfilMs: 30_000,
    pendingMs: 5000,
    forgetTerminatedAfterMs: 1e12,
    deniedActions: hasLaunchInstances ? [] : ['LaunchInstances'],
  };
  const region = createRegion(now, settings, tell);
  const ledger = memoryLedger(now);
  const offerings = refusedOfferings(now);
  const file = join(folder, 'credentials');
  const isFurnished = existsSync(file);
  if (!isFurnished) writeFileSync(file, '[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n');
  const { remember, forget } = memory();
  let connect: (() => Promise<Aws>) | undefined;
  let aws: Aws | undefined;
  const connected = (): Aws => {
    if (aws === undefined) throw new Error('no process is running');
    return aws;
  };
  const world = await startWorld(
    { consistencyWindow: minute, protectAfter: 0 },
    async ({ log }) => {
      connect = () =>
        createAws({
          connection: {
            region: 'us-east-1',
            endpoint: 'http://127.0.0.1:1',
            connectionTimeoutMs: 10_000,
            requestTimeoutMs: 10_000,
            useFips: false,
            exchange: region.exchange,
          },
          credentials: { file, renewAfter: 0, remember, forget, warn: () => undefined, signal: noLimit },
          changes: { retries: 0, interval: 0 },
          reads: { retries: 0, interval: 0 },
          log,
          observe: (_span, work) => work(),
          signal: noLimit,
          clock: now,
          awsClock: createAwsClock(now),
          owner,
          store: 'store-1',
          version: '0.0.0',
          remember,
          forget,
          offerings,
          ledger: () => mortalLedger(ledger),
        });
      return {
        get hosts() {
          return connected().hosts;
        },
        provider: (api) => connected().provider(api),
        get launchTemplates() {
          return connected().launchTemplates;
        },
      };
    },
    {
      folder,
      isFurnished,
      store: {
        streams: mortalStreams(memoryStreams(now), (id, events) => {
          tell(`${id} ${events.map(({ type }) => type).join(' ')}`);
          note(id, events);
        }),
        live: mortalLedger(memoryLedger(now)),
        answers: noAnswers,
        sweepMemory: sweepNotes(),
      },
      memory: { offerings, unseen: nothingUnseen, projections: noProjections },
    },
  );
  time.now = world.now;
  if (!isFurnished) await world.writeTemplates(...templates);
  await inhabit(region);
  world.pass(90_000);
  region.settle();

  /** A process that dies, or that fails in a way it tells. */
  const run = async <T>(work: () => Promise<T>, trouble: Trouble | undefined): Promise<T | undefined> => {
    const process = startProcess(trouble);
    aws = await connect?.();
    const done = processes.run(process, () =>
      work().catch((error: unknown) => {
        if (!isPluginError(error)) throw error;
        return undefined;
      }),
    );
    const ended = await Promise.race([process.death, done]);
    return ended === 'died' ? undefined : ended;
  };

  return {
    world,
    region,
    ledger,
    call: async (operation, input, trouble) => {
      let answered: object | undefined;
      await run(async () => {
        const { body, afterwards } = await operationOf(operation).run(
          { service: world.service, log: world.log },
          input,
        );
        answered = body;
        await afterwards?.();
      }, trouble);
      return answered;
    },
    administer: async (work, trouble) => {
      await run(work, trouble);
    },
  };
};
