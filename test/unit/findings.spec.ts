import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  checkGroups,
  checkLaunchTemplates,
  checkOrphans,
  checkPrices,
  checkProtection,
  checkRecords,
  checkTemplates,
} from '../../src/application/diagnosis/checks.ts';
import { faultFinding } from '../../src/application/diagnosis/fault-cures.ts';
import { loadingAll, type StreamReader } from '../../src/application/ports/streams.ts';
import type { RejectedTemplate, TemplateCatalog } from '../../src/application/ports/templates.ts';
import { type DiagnosePorts, diagnoseHandler } from '../../src/application/queries/diagnose.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { defaultReading, readProviderConfig } from '../../src/config/provider-config.ts';
import { type ErrorCode, PluginError } from '../../src/domain/errors.ts';
import type { Check, Diagnosis, FindingCode, Trouble } from '../../src/domain/finding.ts';
import type { OwnedObservation } from '../../src/domain/machine.ts';
import type { Template } from '../../src/domain/template/template.ts';
import { cureOfAws } from '../../src/providers/aws/inspect/cures.ts';
import { diagnoseClock } from '../../src/providers/aws/inspect/diagnosis.ts';
import { diagnoseEventWay } from '../../src/providers/aws/inspect/event-way.ts';
import { checkImages, checkSubnets } from '../../src/providers/aws/inspect/used-things.ts';
import { diagnoseQuotas } from '../../src/providers/aws/services/quotas.ts';
import { createAwsClock } from '../../src/providers/aws/wire/aws-clock.ts';
import type { JsonConnection } from '../../src/providers/aws/wire/json-call.ts';
import { installationChecks } from '../../src/setup/installation.ts';
import { diagnoseScriptWay } from '../../src/setup/script-way.ts';
import { diagnoseTable } from '../../src/storage/dynamodb/table-doctor.ts';
import { diagnoseWorkFolder, lowOnSpace } from '../../src/storage/work-folder.ts';
import { onDemandTemplate as template } from './domain/template/template-fixture.ts';
import { createRecordingLog } from './recording-log.ts';
import { temporaryFolder } from './temporary-folder.ts';

const nothing = Object.create(null);

/** As a check tells it, or the whole of doctor. */
type Told = Pick<Diagnosis, 'subject' | 'status' | 'what'> & {
  readonly [Name in 'code' | 'why' | 'cure']?: string;
};
type Make = () => Promise<readonly Told[]>;

const fault =
  (code: ErrorCode, message = 'seen'): Make =>
  async () => [await faultFinding('any', new PluginError(code, message), async (each) => cureOfAws(each))];

const write = async (path: string, value: unknown): Promise<void> => {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
};

interface Given {
  /** By its path beneath the folder. */
  readonly files?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether Host Factory's own folders are told. */
  readonly isRegistered?: boolean;
  readonly fault?: string;
  readonly chosenBy?: readonly ('rank' | 'cost')[];
}

const plugins = 'top/conf/providerplugins/hostProviderPlugins.json';
const providers = 'top/conf/providers/hostProviders.json';
const requestors = 'top/conf/requestors/hostRequestors.json';
const known = { name: 'awsinst', plugin: 'awsts' };

/** As Host Factory knows the provider where all is well. */
const register = async (folder: string, scriptPath: string): Promise<void> => {
  await write(join(folder, plugins), { providerplugins: [{ name: 'awsts', scriptPath }] });
  await write(join(folder, providers), { providers: [known] });
  await write(join(folder, requestors), { requestors: [{ name: 'sym', providers: ['awsinst'] }] });
};

/** What is said of an installation in which only this is wrong. */
const installed =
  ({ files = {}, env = {}, isRegistered = false, fault: broken, chosenBy = [] }: Given): Make =>
  async () => {
    const folder = await temporaryFolder();
    const home = join(folder, 'home');
    const scripts = ['getAvailableTemplates', 'requestMachines', 'getRequestStatus', 'requestReturnMachines'];
    for (const name of [...scripts, 'getReturnRequests']) await write(join(home, 'scripts', `${name}.sh`), '');
    await Promise.all(scripts.map((name) => chmod(join(home, 'scripts', `${name}.sh`), 0o755)));
    await chmod(join(home, 'scripts', 'getReturnRequests.sh'), env['mode'] === 'closed' ? 0o644 : 0o755);
    await write(join(folder, 'conf', 'awsinstprov_config.json'), { AWS_REGION: 'us-east-1' });
    if (isRegistered) await register(folder, join(home, 'scripts'));
    for (const [path, value] of Object.entries(files)) await write(join(folder, path), value);
    const whole = {
      HF_PROVIDER_NAME: 'awsinst',
      HF_PROVIDER_CONFDIR: join(folder, 'conf'),
      HF_PROVIDER_WORKDIR: join(folder, 'work'),
      HF_PROVIDER_LOGDIR: join(folder, 'log'),
      ...(isRegistered ? { HF_TOP: join(folder, 'top') } : {}),
      ...env,
    };
    const environment = readEnvironment(whole);
    const reading = broken === undefined ? await readProviderConfig(environment) : defaultReading(broken);
    const config = { ...reading.config, AWS_CREDENTIAL_FILE: join(folder, 'credentials') };
    const installation = { env: whole, home, environment, reading: { ...reading, config }, region: 'us-east-1' };
    const checks = installationChecks(installation, async () => chosenBy);
    return (await Promise.all(checks.map(({ look }) => look()))).flat();
  };

/** What is said of a table by DescribeTable's answer, or where DynamoDB refuses the call. */
const table =
  (answer: object | PluginError): Make =>
  () => {
    const items = new Set<string>();
    const put = (key: string): object => {
      if (items.has(key)) return { __type: 'ConditionalCheckFailedException' };
      items.add(key);
      return {};
    };
    const call = async (action: string, input: object): Promise<unknown> => {
      if (answer instanceof PluginError) throw answer;
      const { Item, Key } = Object(input);
      const { pk, sk } = Object(Item ?? Key);
      const key = JSON.stringify([pk, sk]);
      if (action === 'DescribeTable') return { Table: answer };
      if (action === 'PutItem') return put(key);
      return action === 'GetItem' && items.has(key) ? { Item: Key } : {};
    };
    return diagnoseTable({ name: 'grid', owner: 'hostfactory/awsinst', call });
  };

const fit = {
  TableStatus: 'ACTIVE',
  KeySchema: [{ AttributeName: 'pk' }, { AttributeName: 'sk' }],
  GlobalSecondaryIndexes: [{ IndexName: 'feed', KeySchema: [{ AttributeName: 'f' }, { AttributeName: 'o' }] }],
};

const folderOf = async (mode: number): Promise<string> => {
  const folder = await temporaryFolder();
  await chmod(folder, mode);
  return folder;
};

const catalog = (templates: readonly Template[], rejected: readonly RejectedTemplate[]): TemplateCatalog => ({
  read: async () => ({ file: '/conf/templates.json', templates, rejected, warnings: [] }),
});
const rejected: RejectedTemplate = { templateId: 'bad', problems: [] };

const policy = { protectAfter: 2, protectFor: 60_000, unclaimed: 0, orphanAge: 0 };
const load: StreamReader['load'] = async () => ({ events: [], version: 0 });
const noStreams: StreamReader = {
  load,
  loadAll: loadingAll(load),
  changes: async () => ({ position: undefined, isIncrement: false, changed: new Map(), setAside: [] }),
  archived: async () => [],
};

const sweep =
  (owned: readonly OwnedObservation[], now: number | undefined): Make =>
  () =>
    checkOrphans({
      hosts: async () => ({ ours: async () => owned }),
      providers: async () => ({ keeper: { owned: async () => [] } }),
      shelf: async () => ({ list: async () => [] }),
      streams: noStreams,
      live: { list: async () => [] },
      memory: { read: async () => ({ orphans: new Map() }) },
      awsTime: () => now,
      policy,
    });

/** A connection that has this answer to everything; undefined: a refusal. */
const answering = (answer: object | undefined): JsonConnection => ({
  log: createRecordingLog(),
  signal: new AbortController().signal,
  random: Math.random,
  reads: { retries: 0, interval: 0 },
  client: {
    region: 'us-east-1',
    connectionTimeoutMs: 1000,
    requestTimeoutMs: 1000,
    useFips: false,
    credentials: async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }),
    clock: createAwsClock(Date.now),
    agents: {},
    exchange: async () => ({
      status: answer === undefined ? 400 : 200,
      contentType: 'application/x-amz-json-1.0',
      requestId: 'r',
      errorType: undefined,
      date: undefined,
      at: Date.now(),
      text: JSON.stringify(answer ?? { __type: 'QueueDoesNotExist', message: 'there is none' }),
      isFromProxy: false,
    }),
  },
});

/** What EC2 says of images and subnets. */
const ec2 = (answer: object): Parameters<typeof checkImages>[0] => ({ read: async () => Object(answer) });

const hosts = new Map([['m5.large', { architecture: 'x86_64', vcpus: 2, cores: 1, memoryMiB: 8192 }]]);
const unasked = { refreshedAt: 0, region: 'us-east-1', onDemand: {}, spot: {}, zones: {} };

/** Each finding, made by the check itself, with the one next step. */
const made: Readonly<Record<FindingCode, readonly [make: Make, cure: RegExp]>> = {
  'node.unusable': [installed({ env: { HF_AWS_NODE: '/nowhere/node' } }), /^set HF_AWS_NODE to .*node/],
  'scripts.unusable': [installed({ env: { mode: 'closed' } }), /^chmod 755 .*getReturnRequests\.sh$/],
  'configuration.invalid': [installed({ fault: 'line 1' }), /hf-aws config validate$/],
  'configuration.missing': [fault('configuration.missing'), /^hf-aws init/],
  'configuration.replaced': [
    installed({ files: { 'conf/awsinstprov_config.json': { AWS_REGION: 'us-east-1', colour: 'red' } } }),
    /^edit .*awsinstprov_config\.json, then hf-aws config validate$/,
  ],
  'storage.foreign': [() => diagnoseWorkFolder('/work', 'it is of user 7'), /^run hf-aws as the user .* \/work/],
  'storage.unwritable': [() => diagnoseWorkFolder('/proc/none', undefined), /^make \/proc\/none writable/],
  'storage.unfit': [table({ TableStatus: 'ACTIVE', KeySchema: [] }), /state-table\.cloudformation\.yaml/],
  'storage.unavailable': [
    table(new PluginError('provider.misconfigured', 'no', { aws: { code: 'ResourceNotFoundException', action: 'x' } })),
    /^make grid by config\/aws\/state-table/,
  ],
  'storage.unreadable': [() => checkRecords({ unreadable: async () => ['1.json: }'] }), /restore it from a backup$/],
  'storage.conflict': [fault('storage.conflict'), /^hf-aws doctor again/],
  'storage.moved': [fault('storage.moved'), /stateTable/],
  'storage.low': [async () => [lowOnSpace('/work', 5_000_000)], /df -h \/work/],
  'storage.open': [async () => diagnoseWorkFolder(await folderOf(0o770), undefined), /^chmod go-w \//],
  'templates.none': [() => checkTemplates(catalog([], [])), /^add a template to .*templates\.json/],
  'templates.rejected': [() => checkTemplates(catalog([template], [rejected])), /^hf-aws templates validate$/],
  'template.invalid': [fault('template.invalid'), /^hf-aws templates validate$/],
  'template.protected': [
    () =>
      checkProtection([template], { policy, failures: { of: async () => ({ machineIds: ['i-1', 'i-2'], age: 1 }) } }),
    /hf-aws offerings clear --template od-a$/,
  ],
  'registration.unreadable': [
    installed({ isRegistered: true, files: { [plugins]: '{' } }),
    /hostProviderPlugins\.json .* correct it/,
  ],
  'registration.missing': [
    installed({ isRegistered: true, files: { [plugins]: { providerplugins: [] } } }),
    /^hf-aws init --register/,
  ],
  'registration.disabled': [
    installed({ isRegistered: true, files: { [providers]: { providers: [{ ...known, enabled: 0 }] } } }),
    /^set "enabled": 1 in .*hostProviders\.json$/,
  ],
  'requestors.none': [
    installed({ isRegistered: true, files: { [requestors]: { requestors: [] } } }),
    /hostRequestors\.json: "providers": \["awsinst"\]$/,
  ],
  'requestors.policy': [
    installed({ isRegistered: true, chosenBy: ['rank'] }),
    /"hostSelectionPolicy": "rank" in .* sym/,
  ],
  'log.unwritable': [installed({ env: { HF_PROVIDER_LOGDIR: '/proc/none' } }), /^make \/proc\/none writable/],
  'credentials.open': [installed({ files: { credentials: '[default]' } }), /^chmod 600 .*credentials$/],
  'provider.unreachable': [fault('provider.unreachable'), /AWS_PROXY_HOST/],
  'provider.denied': [
    fault('provider.denied', 'x is not authorized to perform: ec2:CreateFleet'),
    /^allow ec2:CreateFleet/,
  ],
  'provider.throttled': [fault('provider.throttled'), /^wait a minute/],
  'provider.transient': [fault('provider.transient'), /^hf-aws doctor again/],
  'provider.misconfigured': [fault('provider.misconfigured'), /hf-aws config show$/],
  'provider.missing': [fault('provider.missing'), /hf-aws templates validate --aws/],
  'provider.quota': [fault('provider.quota'), /Service Quotas/],
  'provider.capacity': [fault('provider.capacity'), /hf-aws offerings list$/],
  'clock.off': [
    async () => diagnoseClock({ ...createAwsClock(Date.now), ahead: () => 400_000 }),
    /^set the clock of this host: chronyc makestep/,
  ],
  'image.missing': [() => checkImages(ec2({ Images: [] }), [template], async () => ''), /imageId of od-a/],
  'subnet.missing': [() => checkSubnets(ec2({ Subnets: [] }), [template]), /^take subnet-a out of subnetId of od-a/],
  'subnet.full': [
    () =>
      checkSubnets(ec2({ Subnets: [{ SubnetId: 'subnet-a', AvailableIpAddressCount: 0 }] }), [
        { ...template, subnetIds: ['subnet-a'] },
      ]),
    /^add another subnet to subnetId of od-a/,
  ],
  'group.unfit': [
    () =>
      checkGroups([{ ...template, autoScalingGroupName: 'grid' }], {
        inspector: async () => ({ inspectGroup: async () => [{ severity: 'error', field: '', rule: 'is too small' }] }),
      }),
    /^change the Auto Scaling group grid/,
  ],
  'events.unsent': [
    () => diagnoseEventWay(answering({ Attributes: {} }), 'https://sqs.us-east-1.amazonaws.com/1/q'),
    /event-queue\.cloudformation\.yaml$/,
  ],
  'events.unreadable': [
    () => diagnoseEventWay(answering(undefined), 'https://sqs.us-east-1.amazonaws.com/1/q'),
    /event-queue\.cloudformation\.yaml$/,
  ],
  'quotas.unreadable': [
    () => diagnoseQuotas(answering(undefined), [], new Map()),
    /^allow servicequotas:GetServiceQuota/,
  ],
  'quotas.low': [
    () => diagnoseQuotas(answering({ Quota: { Value: 32 } }), [{ ...template, maxNumber: 17 }], hosts),
    /^ask for a higher quota L-1216C47A .*, or lower maxNumber of od-a$/,
  ],
  'prices.old': [
    () => checkPrices([template], { prices: { read: async () => unasked }, rankBy: 'price', clock: Date.now }),
    /^hf-aws prices refresh/,
  ],
  'orphans.found': [
    sweep(
      [{ ...nothing, machineId: 'i-1', name: 'x', state: 'running', requestId: 'req-1', launchTime: 1 }],
      Date.now(),
    ),
    /^hf-aws reconcile, then hf-aws reconcile --apply$/,
  ],
  'orphans.unseen': [sweep([], undefined), /hf-aws reconcile$/],
  'launch-templates.unused': [
    () =>
      checkLaunchTemplates({
        clock: Date.now,
        shelf: async () => ({ list: async () => [{ id: 'lt-1', name: 'hf-aws', createdAt: 0 }] }),
        streams: noStreams,
      }),
    /^hf-aws launch-templates gc --apply$/,
  ],
  'server.stale': [
    async () => {
      const workDir = await temporaryFolder();
      await writeFile(join(workDir, 'server.sock'), '');
      const recent = async () => ({ since: 0, metrics: {} });
      return diagnoseScriptWay({ env: {}, workDir, useServer: true, recent });
    },
    /^start the server again, or rm .*server\.sock$/,
  ],
  'table.unprotected': [table(fit), /^aws dynamodb update-(table|continuous-backups) --table-name grid/],
  'table.shared': [table(fit), /hf-aws doctor --iam-policy/],
  'check.late': [
    () => doctor({ subject: 'slow', look: () => new Promise(() => undefined) }),
    /df .* hf-aws config show/,
  ],
  internal: [
    () => doctor({ subject: 'odd', look: () => Promise.reject(new TypeError('odd')) }),
    /^hf-aws support --since 1h/,
  ],
};

it.each(Object.entries(made))('%s is told with the one step to take next', async (code, [make, cure]) => {
  const troubles = (await make()).filter(({ status }) => status !== 'ok');
  expect(troubles).toContainEqual(expect.objectContaining({ code, cure: expect.stringMatching(cure) }));
  for (const { what, why } of troubles) expect([what, why]).not.toContain('');
});

/** What doctor makes of these checks, each with a hundredth of a second. */
const doctor = (...checks: readonly Check[]) => doctorWith({}, checks);

const doctorWith = async (
  more: Partial<Pick<DiagnosePorts, 'asksAws' | 'awsChecks' | 'progress'>>,
  checks: readonly Check[],
) => {
  const { diagnoses } = await diagnoseHandler(
    {
      ...nothing,
      hostChecks: async () => checks,
      templates: { ...nothing.templates, ...catalog([template], []) },
      failures: { of: async () => ({ machineIds: [], age: 0 }) },
      policy: { protectAfter: 0, protectFor: 0, unclaimed: 0, orphanAge: 0 },
      unreadable: async () => [],
      prices: { read: async () => unasked },
      rankBy: undefined,
      clock: Date.now,
      asksAws: false,
      awsChecks: async () => ({ reach: { subject: 'AWS', look: async () => [] }, others: [] }),
      iamPolicy: async () => ({ policy: {}, notes: [] }),
      cureOfAws: async (each) => cureOfAws(each),
      progress: undefined,
      ...more,
    },
    { host: 10, aws: 10 },
  )({ type: 'Diagnose', aws: more.asksAws === true }, { correlationId: 'test' });
  return diagnoses;
};

it('what blocks most comes first, and a check that hangs holds up nothing and no other', async () => {
  const told = (code: FindingCode, status: Trouble['status']): Check => ({
    subject: code,
    look: async () => [{ subject: code, status, code, what: 'seen', why: 'known', cure: 'done' }],
  });
  const found = await doctor(
    told('server.stale', 'warning'),
    told('provider.denied', 'error'),
    { subject: 'slow', look: () => new Promise(() => undefined) },
    { subject: 'good', look: async () => [{ subject: 'good', status: 'ok', what: 'seen' }] },
    told('credentials.open', 'warning'),
    told('node.unusable', 'error'),
  );
  expect(found.map((each) => each.code ?? each.subject)).toEqual([
    'node.unusable',
    'provider.denied',
    'check.late',
    'credentials.open',
    'server.stale',
    'good',
    'templates',
    'prices',
  ]);
});

it('while a check of AWS hangs, its name is what is shown', async () => {
  const steps: string[] = [];
  await doctorWith(
    {
      asksAws: true,
      awsChecks: async () => ({ reach: { subject: 'AWS', look: () => new Promise(() => undefined) }, others: [] }),
      progress: (name, done, total) => steps.push(`${name} ${done} of ${total}`),
    },
    [],
  );
  // In front of the last step, which is the end of the wait.
  expect(steps.at(-2)).toBe('AWS 4 of 5');
});

it('of a table that does not answer is said what helps against what keeps AWS from answering', async () => {
  const cause = new PluginError('provider.denied', 'AssumeRole failed', {
    aws: { action: 'AssumeRole', code: 'AccessDenied' },
  });
  const away = new PluginError('storage.unavailable', 'the table hf-state does not answer', { cause });
  const said = await faultFinding('records', away, async (each) => cureOfAws(each));
  expect(said).toMatchObject({ code: 'storage.unavailable', cure: cureOfAws(cause) });
});
