import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as autoScaling from '@aws-sdk/client-auto-scaling';
import * as ec2 from '@aws-sdk/client-ec2';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ApplicationService } from '../../../../../src/application/bus/application-service.ts';
import { compose } from '../../../../../src/boot/composition.ts';
import type { Template } from '../../../../../src/domain/template/template.ts';
import type { Call } from '../../../../../src/emulator/calls.ts';
import { type Emulator, startEmulator } from '../../../../../src/emulator/server.ts';
import { iamPolicy, neededActions } from '../../../../../src/providers/aws/inspect/policy.ts';
import { readTemplate } from '../../../../../src/templates/template-document.ts';
import { type Authorization, isAllowed } from '../../../iam.ts';
import { account, authorizationsOf, ec2Arn, passRole, type Tagging } from '../../../iam-calls.ts';

const owner = 'hostfactory/awsinst';
const fleetRole = `arn:aws:iam::${account}:role/spot-fleet`;
const reservationGroup = `arn:aws:resource-groups:us-east-1:${account}:group/grid`;
const single = { vmTypes: { 'm5.large': 1 } };

/** In the zone that the emulator has for the subnet. */
const capacityReservations = { 'cr-00000001': { instanceType: 'm5.large', zone: 'us-east-1b', total: 9 } };

/** One template for each way of getting capacity. */
const kinds: Readonly<Record<string, object>> = {
  od: { vmType: 'm5.large', rootDeviceVolumeSize: 20 },
  spot: { providerApi: 'RunInstances', priceType: 'spot', vmType: 'm5.large' },
  alias: { vmType: 'm5.large', imageId: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64' },
  instant: { priceType: 'spot', ...single, priceInfo: 'auto' },
  request: { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot', ...single },
  maintain: { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot', ...single },
  spotFleet: { priceType: 'spot', fleetRole, ...single },
  spotMaintain: { priceType: 'spot', fleetType: 'maintain', fleetRole, ...single },
  spotFleetWithoutRole: { providerApi: 'SpotFleet', priceType: 'spot', ...single },
  group: { providerApi: 'ASG', ...single },
  reserved: { vmType: 'm5.large', capacityReservation: 'cr-00000001' },
  reservedGroup: { providerApi: 'EC2Fleet', vmType: 'm5.large', capacityReservation: reservationGroup },
  grid: { providerApi: 'ASG', autoScalingGroupName: 'grid', imageId: undefined, ...single },
};

const templates = Object.entries(kinds).map(([templateId, fields]) => ({
  templateId,
  maxNumber: 10,
  attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
  imageId: 'ami-0123456789abcdef0',
  subnetId: 'subnet-0123456789abcdef0',
  securityGroupIds: ['sg-0123456789abcdef0'],
  instanceProfile: 'grid-host',
  instanceTags: 'team=quant',
  ...fields,
}));

/** The group of the administrator's. */
const makeGroup = async (endpoint: string): Promise<void> => {
  const config = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'x' } };
  const [client, scaling] = [new ec2.EC2Client(config), new autoScaling.AutoScalingClient(config)];
  const LaunchTemplateData = { ImageId: 'ami-0123456789abcdef0', InstanceType: 'm5.large' } as const;
  await client.send(new ec2.CreateLaunchTemplateCommand({ LaunchTemplateName: 'grid', LaunchTemplateData }));
  await scaling.send(
    new autoScaling.CreateAutoScalingGroupCommand({
      AutoScalingGroupName: 'grid',
      MinSize: 0,
      MaxSize: 10,
      LaunchTemplate: { LaunchTemplateName: 'grid', Version: '1' },
      VPCZoneIdentifier: 'subnet-0123456789abcdef0',
      NewInstancesProtectedFromScaleIn: true,
    }),
  );
  client.destroy();
  scaling.destroy();
};

const settled = async (service: ApplicationService, requestId: string): Promise<readonly string[]> => {
  const deadline = Date.now() + 20_000;
  for (;;) {
    await service.syncRequests({ requestIds: [requestId] });
    const { status, machines = [] } = await service.getRequestStatus({ requestId, includeMachines: true });
    if (status !== 'running') return machines.map(({ machineId }) => machineId);
    if (Date.now() > deadline) throw new Error(`${requestId} did not finish`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};

/** Everything the program does, for all kinds of capacity: its calls, as they went out. */
const liveAndRecord = async (emulator: Emulator, folder: string): Promise<readonly Call[]> => {
  const places = { CONFDIR: join(folder, 'conf'), WORKDIR: join(folder, 'work'), LOGDIR: join(folder, 'log') };
  for (const place of Object.values(places)) await mkdir(place);
  const credentials = join(folder, 'credentials');
  await writeFile(credentials, '[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = x\n', { mode: 0o600 });
  const config = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: emulator.url,
    AWS_CREDENTIAL_FILE: credentials,
    AWS_TAG_InstanceID: true,
  };
  await writeFile(join(places.CONFDIR, 'awsinstprov_config.json'), JSON.stringify(config));
  await writeFile(join(places.CONFDIR, 'awsinstprov_templates.json'), JSON.stringify({ templates }));
  const env = Object.fromEntries(Object.entries(places).map(([name, path]) => [`HF_PROVIDER_${name}`, path]));
  const home = join(import.meta.dirname, '..', '..', '..', '..', '..');
  const { service } = await compose({ env: { ...env, HF_PROVIDER_NAME: 'awsinst' }, home });
  const held: (readonly string[])[] = [];
  for (const { templateId } of templates) {
    const { requestId } = await service.createRequest({ templateId, maxNumber: 2 });
    held.push(await settled(service, requestId));
  }
  const hosts = (ids: readonly string[]) => ids.map((machineId) => ({ machineId, name: '' }));
  await service.getReturnRequests({ machines: hosts(held.flat()) });
  await service.diagnose({});
  await service.validateTemplate({ aws: true });
  await service.refreshInstanceTypes();
  await service.refreshPrices();
  // One of each, then the last.
  for (const ids of [held.flatMap(([first]) => first ?? []), held.flatMap(([, ...rest]) => rest)]) {
    const { requestId } = await service.returnMachines({ machines: hosts(ids) });
    await settled(service, requestId);
  }
  await service.collectLaunchTemplates({ unusedFor: 0, apply: true });
  await service.reconcile({ apply: true });
  // Without LaunchInstances the group's desired capacity is raised instead.
  emulator.configure({ deniedActions: ['LaunchInstances'] });
  const { requestId } = await service.createRequest({ templateId: 'grid', maxNumber: 1 });
  await settled(service, requestId);
  // Only what still looks for capacity is told to be content with less.
  return [
    ...emulator.calls(),
    { seq: 0, at: 0, action: 'ModifyFleet', parameters: { FleetId: 'fleet-1' } },
    { seq: 0, at: 0, action: 'ModifySpotFleetRequest', parameters: { SpotFleetRequestId: 'sfr-1' } },
  ];
};

const served: readonly Template[] = templates.flatMap((written) => {
  const { template } = readTemplate(JSON.parse(JSON.stringify(written)));
  return template === undefined ? [] : [template];
});
const scope = { owner, region: 'us-east-1', tagInstanceId: true };

/** The SDK's schemas begin with a number that tells their kind. */
const isOperation = (schema: unknown): boolean => Array.isArray(schema) && schema[0] === 9;

/** Names of the operations that the code of the AWS part imports from the SDK. */
const operations = (): readonly string[] =>
  [...new Set(sources.flatMap((text) => text.match(/\b[A-Z]\w+(?=\$,)/g) ?? []))].filter((name) =>
    [ec2, autoScaling].some((sdk) => isOperation(new Map<string, unknown>(Object.entries(sdk)).get(name))),
  );

const without = ({ context, ...rest }: Authorization, pattern: RegExp): Authorization => ({
  ...rest,
  context: Object.fromEntries(Object.entries(context).filter(([key]) => !pattern.test(key))),
});

const changes = /^ec2:(Create|Delete|Terminate|Run|Request|Cancel|Modify)|^autoscaling:(?!Describe)|^iam:/;

let sources: readonly string[] = [];
beforeAll(async () => {
  const folder = join(import.meta.dirname, '..', '..', '..', '..', '..', 'src', 'providers', 'aws');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  sources = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
});

describe('the policy that doctor prints', () => {
  let calls: readonly Call[];
  let policy: ReturnType<typeof iamPolicy>['policy'];

  const ask = (tagging: Tagging): readonly Authorization[] => {
    let told = { template: {}, group: '' };
    return calls.flatMap((call) => {
      if (call.action === 'CreateLaunchTemplate') told = { ...told, template: call.parameters };
      told = { ...told, group: call.parameters['AutoScalingGroupName'] ?? told.group };
      return authorizationsOf(call, tagging, told);
    });
  };
  const ours = { 'hf-aws:owner': owner };
  const member = { 'aws:autoscaling:groupName': 'grid' };
  const labelsOf = (asked: readonly Authorization[]): readonly string[] => [
    ...new Set(asked.map(({ action, resource, context }) => `${action} ${resource} ${JSON.stringify(context)}`)),
  ];
  const allowed = (asked: readonly Authorization[]) => labelsOf(asked.filter((each) => isAllowed(policy, each)));
  const denied = (asked: readonly Authorization[]) => labelsOf(asked.filter((each) => !isAllowed(policy, each)));

  beforeAll(async () => {
    const emulator = await startEmulator({
      settings: { pendingMs: 0, shuttingDownMs: 0, fulfilMs: 20, capacityReservations },
    });
    const folder = await mkdtemp(join(tmpdir(), 'hf-aws-unit-'));
    await makeGroup(emulator.url);
    emulator.forgetCalls();
    calls = await liveAndRecord(emulator, folder);
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
    ({ policy } = iamPolicy(served, scope));
  });

  it('allows every call that this program makes', () => {
    expect(denied(ask({ resource: ours, member }))).toEqual([]);
    // All kinds of capacity were there.
    const made = new Set(calls.map(({ action }) => action));
    const isChange = (name: string): boolean => !/^Describe/.test(name);
    expect(operations().filter((name) => isChange(name) && !made.has(name))).toEqual([]);
  });

  it('names every operation of AWS that the program knows', () => {
    const actions = neededActions(served, scope).map(({ action }) => action.replace(/^.*:/, ''));
    // Those that no operation of the program stands for: what others do in its name, or what it asks of other services.
    const others = ['CreateOrUpdateTags', 'GetParameter', 'GetProducts', 'GetServiceQuota', 'PassRole'];
    expect(actions).toEqual(expect.arrayContaining([...operations(), ...others]));
  });

  it('denies every change of what does not carry our tag', () => {
    for (const foreign of [{}, { 'hf-aws:owner': 'hostfactory/other' }, { 'aws:autoscaling:groupName': 'other' }]) {
      const asked = ask({ resource: foreign, member: foreign }).filter(
        ({ action, context }) =>
          changes.test(action) &&
          !/:(RunInstances|Create(?!Tags)|RequestSpotFleet|PassRole)/.test(action) &&
          context['ec2:CreateAction'] === undefined,
      );
      // The group that a template names is the administrator's: its name is what is trusted. Of its members' volumes nothing tells
      // whose they are: they may get the one tag that says nothing of ownership.
      const ofOthers = asked.filter(({ resource }) => !/\/grid$|:volume\//.test(resource));
      expect(allowed(ofOthers)).toEqual([]);
      expect(new Set(ofOthers.map(({ action }) => action)).size).toBe(12);
    }
  });

  it('denies every launch without our tag, or with that of another owner', () => {
    const made = /instance\/|fleet\/|spot-fleet-request\/|autoScalingGroupName/;
    const asked = ask({ resource: ours, member }).filter(
      ({ action, resource }) =>
        /:(RunInstances|CreateFleet|RequestSpotFleet|CreateAutoScalingGroup|CreateLaunchTemplate)$/.test(action) &&
        (made.test(resource) || action === 'ec2:CreateLaunchTemplate') &&
        // A fleet is what confines its instances.
        !(action === 'ec2:CreateFleet' && resource.includes('instance/')),
    );
    expect(new Set(asked.map(({ action }) => action)).size).toBe(5);
    expect(allowed(asked.map((each) => without(each, /RequestTag/)))).toEqual([]);
    const other = asked.map((each) => ({
      ...each,
      context: { ...each.context, 'aws:RequestTag/hf-aws:owner': ['hostfactory/other'] },
    }));
    expect(allowed(other)).toEqual([]);
  });

  it('denies marking what is there: only what is being made, and members of the named groups, may get our tag', () => {
    const mark = (resourceTags: Readonly<Record<string, string>>, more = {}): Authorization => ({
      action: 'ec2:CreateTags',
      resource: ec2Arn('instance', 'i-0123456789abcdef0'),
      context: {
        'aws:TagKeys': ['hf-aws:owner'],
        'aws:RequestTag/hf-aws:owner': [owner],
        ...Object.fromEntries(Object.entries(resourceTags).map(([key, value]) => [`aws:ResourceTag/${key}`, [value]])),
        ...more,
      },
    });
    expect(allowed([mark({}), mark({ 'aws:autoscaling:groupName': 'other' }), mark({ Name: 'grid' })])).toEqual([]);
    expect(denied([mark(member), mark({}, { 'ec2:CreateAction': ['RunInstances'] })])).toEqual([]);
    // A member of the group does not become another owner's.
    expect(allowed([mark(member, { 'aws:RequestTag/hf-aws:owner': ['hostfactory/other'] })])).toEqual([]);
    // The id tag goes on what is ours, and nothing goes with it.
    const idTag = { 'aws:TagKeys': ['InstanceID'], 'aws:RequestTag/InstanceID': ['i-1'] };
    expect(denied([mark(ours, idTag)])).toEqual([]);
    const volume = { resource: ec2Arn('volume', 'vol-1') };
    expect(denied([{ ...mark({}, idTag), ...volume }])).toEqual([]);
    expect(allowed([{ ...mark({}), ...volume }])).toEqual([]);
    expect(allowed([mark({}, idTag), mark(ours, { ...idTag, 'aws:TagKeys': ['InstanceID', 'Name'] })])).toEqual([]);
  });

  it('passes the roles that templates name to the services they are for, and no other', () => {
    const role = (name: string): string => `arn:aws:iam::${account}:role/${name}`;
    expect(
      denied([
        passRole(role('grid-host'), 'ec2'),
        passRole(role('some/path/grid-host'), 'ec2'),
        passRole(fleetRole, 'spotfleet'),
      ]),
    ).toEqual([]);
    expect(
      allowed([
        passRole(role('admin'), 'ec2'),
        passRole(role('grid-host-admin'), 'ec2'),
        passRole(role('grid-host'), 'lambda'),
        passRole(role('grid-host'), 'spotfleet'),
        passRole(fleetRole, 'ec2'),
      ]),
    ).toEqual([]);
  });

  it('asks for no more than the templates need', () => {
    const of = (...ids: readonly string[]): readonly string[] =>
      neededActions(
        served.filter(({ templateId }) => ids.includes(templateId)),
        { owner },
      ).flatMap(({ action }) => (changes.test(action) ? [action] : []));
    expect(of('od')).toEqual(['ec2:CreateTags', 'ec2:RunInstances', 'ec2:TerminateInstances', 'iam:PassRole']);
    expect(of('grid')).toEqual([
      'autoscaling:LaunchInstances',
      'autoscaling:SetInstanceProtection',
      'autoscaling:TerminateInstanceInAutoScalingGroup',
      'autoscaling:UpdateAutoScalingGroup',
      'ec2:CreateTags',
      'ec2:TerminateInstances',
    ]);
    expect(of('instant')).not.toContain('ec2:RequestSpotFleet');
  });

  it('fits into one managed policy', () => {
    expect(JSON.stringify(policy).length).toBeLessThanOrEqual(6144);
  });

  it('tells of the roles that it cannot know', () => {
    const [od] = served;
    const { instanceProfile: _profile, ...plain } = od ?? served[0] ?? expect.fail('no template');
    const byOwn: Template = { ...plain, templateId: 'own', launchTemplateId: 'lt-0123456789abcdef0' };
    const { policy: printed, notes } = iamPolicy([byOwn], scope);
    expect(notes).toEqual([expect.stringMatching(/lt-0123456789abcdef0 \(template own\)/)]);
    expect(JSON.stringify(printed)).not.toContain('PassRole');
    expect(iamPolicy([plain], scope).notes).toEqual([]);
  });

  it('is written for the partition of its Region', () => {
    expect(JSON.stringify(iamPolicy(served, { owner, region: 'cn-north-1' }).policy)).not.toContain('arn:aws:ec2');
    expect(JSON.stringify(iamPolicy(served, { owner, region: 'us-gov-west-1' }).policy)).toContain(
      'arn:aws-us-gov:ec2:us-gov-west-1:*:instance/*',
    );
  });

  it('confines the state in a table to the keys of its owner', () => {
    const stateTable = { name: 'hf-state', region: 'eu-west-1' };
    const { policy: printed } = iamPolicy(served, { ...scope, stateTable });
    const arn = `arn:aws:dynamodb:eu-west-1:${account}:table/hf-state`;
    const asked = (name: string, key: string, resource = arn): boolean =>
      isAllowed(printed, { action: `dynamodb:${name}`, resource, context: { 'dynamodb:LeadingKeys': [key] } });
    for (const name of ['DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem']) {
      expect([name, asked(name, `${owner}#r#req-1`)]).toEqual([name, true]);
      expect([name, asked(name, 'hostfactory/other#r#req-1')]).toEqual([name, false]);
      expect([name, asked(name, `${owner}x#r#req-1`)]).toEqual([name, false]);
      expect([name, asked(name, `${owner}#r#req-1`, `${arn}-other`)]).toEqual([name, false]);
    }
    expect(asked('Query', `${owner}#feed`, `${arn}/index/feed`)).toBe(true);
    expect(asked('Scan', `${owner}#r#req-1`)).toBe(false);
    expect(JSON.stringify(iamPolicy(served, scope).policy)).not.toContain('dynamodb');
  });
});
