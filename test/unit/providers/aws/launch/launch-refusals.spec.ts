import { AutoScalingClient, CreateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import type { LaunchOrder } from '../../../../../src/application/ports/capacity.ts';
import type { PreparedLaunch } from '../../../../../src/domain/request/events.ts';
import type { Template } from '../../../../../src/domain/template/template.ts';
import type { Aws } from '../../../../../src/providers/aws/aws.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { emulatedAws } from '../emulated-aws.ts';

const requestId = 'req-00000000-0000-4000-8000-000000000001';
const orderOf = (fields: Partial<Template>): LaunchOrder => ({
  requestId,
  template: {
    ...onDemandTemplate,
    imageId: 'ami-0123456789abcdef0',
    subnetIds: ['subnet-0123456789abcdef0'],
    ...fields,
  },
  count: 2,
  earlier: [],
  attributes: {},
});
const prepared = async (aws: Aws, api: 'ASG' | 'EC2Fleet', fields: Partial<Template> = {}): Promise<PreparedLaunch> => {
  const launch = await aws.provider(api).prepare(orderOf(fields));
  if (launch === undefined) throw new Error('nothing was prepared');
  return launch;
};

describe('a group being made', () => {
  it.each(['ScalingActivityInProgress', 'ResourceContention', 'InternalFailure'])(
    'stays where AWS is busy with it (%s): the same launch finds it again',
    async (code) => {
      const { aws, emulator } = await emulatedAws();
      const launch = await prepared(aws, 'ASG');
      for (const action of ['SuspendProcesses', 'UpdateAutoScalingGroup']) {
        emulator.addFault({ action, effect: { kind: 'error', code } });
        await expect(aws.provider('ASG').launch(launch)).rejects.toMatchObject({ code: 'provider.transient' });
      }
      expect(emulator.countCalls()).not.toHaveProperty('DeleteAutoScalingGroup');
      const report = await aws.provider('ASG').launch(launch, true);
      expect(report).toMatchObject({ resource: { kind: 'ASG', id: `hf-aws-${requestId}` } });
    },
  );

  it('goes again where AWS refuses it for good', async () => {
    const { aws, emulator } = await emulatedAws();
    const launch = await prepared(aws, 'ASG');
    emulator.addFault({ action: 'UpdateAutoScalingGroup', effect: { kind: 'error', code: 'AccessDenied' } });
    expect(await aws.provider('ASG').launch(launch)).toMatchObject({ refusal: { fault: 'provider.denied' } });
    expect(emulator.countCalls()).toMatchObject({ DeleteAutoScalingGroup: 1 });
  });

  it('tells why it does not grow by the kind of AWS’s code', async () => {
    const { aws, emulator } = await emulatedAws();
    emulator.configure({ refusals: { '*:*': 'VcpuLimitExceeded' } });
    const { resource } = await aws.provider('ASG').launch(await prepared(aws, 'ASG'));
    if (resource === undefined) throw new Error('no group was made');
    const held = { ...resource, createdAt: 0, clientToken: 'c', stage: 'filling' as const };
    expect(await aws.provider('ASG').keeper?.explain(held)).toMatchObject({
      code: 'VcpuLimitExceeded',
      fault: 'provider.quota',
    });
  });
});

describe('an instant fleet', () => {
  it.each([
    ['InternalError', true, 'provider.capacity'],
    ['Server.InternalError', true, 'provider.capacity'],
    ['RequestLimitExceeded', true, 'provider.capacity'],
    ['InsufficientVolumeCapacity', false, 'provider.capacity'],
    ['MaxIOPSLimitExceeded', false, 'provider.quota'],
    ['MissingAuthenticationToken', false, 'provider.denied'],
    ['InvalidParameterCombination', false, 'provider.misconfigured'],
  ])('whose pools answer %s is worth another try: %s', async (code, tryNextPool, fault) => {
    const { aws, emulator } = await emulatedAws();
    emulator.configure({ refusals: { '*:*': code } });
    const fields = { priceType: 'spot', vmTypes: { 'm5.large': 1 } } as const;
    const report = await aws.provider('EC2Fleet').launch(await prepared(aws, 'EC2Fleet', fields));
    expect(report).toMatchObject({ machines: [], refusal: { code, fault, missing: 2 }, tryNextPool });
  });

  it('that lacks capacity because it asks for what cannot be says the latter', async () => {
    const { aws, emulator } = await emulatedAws();
    emulator.configure({
      refusals: { 'm5.large:*': 'UnfulfillableCapacity', 'm5.xlarge:*': 'InvalidParameterCombination' },
    });
    const fields = { priceType: 'spot', vmTypes: { 'm5.large': 1, 'm5.xlarge': 2 } } as const;
    const report = await aws.provider('EC2Fleet').launch(await prepared(aws, 'EC2Fleet', fields));
    expect(report.refusal).toMatchObject({
      code: 'InvalidParameterCombination',
      fault: 'provider.misconfigured',
      message: expect.stringContaining('UnfulfillableCapacity'),
    });
  });
});

describe('a launch into the administrator’s group whose answer was lost', () => {
  const shared: Partial<Template> = { autoScalingGroupName: 'grid' };
  const makeGroup = async (endpoint: string, LaunchTemplateId: string): Promise<void> => {
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'x' };
    const scaling = new AutoScalingClient({ endpoint, region: 'us-east-1', credentials });
    await scaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName: 'grid',
        MinSize: 0,
        MaxSize: 9,
        VPCZoneIdentifier: 'subnet-0123456789abcdef0',
        LaunchTemplate: { LaunchTemplateId, Version: '1' },
      }),
    );
    scaling.destroy();
  };

  it('goes by the desired capacity again where it did so before, whatever is permitted meanwhile', async () => {
    const { aws, emulator } = await emulatedAws();
    await prepared(aws, 'EC2Fleet');
    const [made] = await aws.launchTemplates.list();
    await makeGroup(emulator.url, made?.id ?? '');
    const launch = await prepared(aws, 'ASG', shared);
    emulator.configure({ deniedActions: ['LaunchInstances'] });
    expect(await aws.provider('ASG').launch(launch)).toMatchObject({ machines: [], resource: { seeks: true } });
    emulator.configure({ deniedActions: [] });
    expect(await aws.provider('ASG').launch(launch, true)).toMatchObject({ machines: [], resource: { seeks: true } });
    expect(emulator.countCalls()).toMatchObject({ LaunchInstances: 1, UpdateAutoScalingGroup: 1 });
  });
});
