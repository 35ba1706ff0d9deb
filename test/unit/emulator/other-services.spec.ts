import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import {
  CreateFleetCommand,
  DescribeInstanceStatusCommand,
  DescribeInstanceTypesCommand,
  GetInstanceTypesFromInstanceRequirementsCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectRefusal, idsOf, startRegion } from './region.ts';

const getParameter = async (url: string, Name: string) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: 'Credential=A/x', 'x-amz-target': 'AmazonSSM.GetParameter' },
    body: JSON.stringify({ Name, WithDecryption: true }),
  });
  return { status: response.status, body: (await response.json()) as unknown };
};

describe('Systems Manager', () => {
  it('gives configured parameters, and some image for Amazon’s aliases', async () => {
    const { emulator } = await startRegion({ settings: { parameters: { '/hf/image': 'ami-87654321' } } });
    expect(await getParameter(emulator.url, '/hf/image')).toMatchObject({
      status: 200,
      body: { Parameter: { Name: '/hf/image', Value: 'ami-87654321' } },
    });
    const alias = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';
    expect(await getParameter(emulator.url, alias)).toMatchObject({
      body: { Parameter: { Value: expect.stringMatching(/^ami-0[0-9a-f]{16}$/) } },
    });
    expect(emulator.countCalls()).toEqual({ GetParameter: 2 });
  });

  it('refuses unknown parameters and denied actions in its own words', async () => {
    const { emulator } = await startRegion({ settings: { deniedActions: ['GetParameter'] } });
    expect(await getParameter(emulator.url, '/none')).toMatchObject({ body: { __type: 'AccessDeniedException' } });
    emulator.configure({ deniedActions: [] });
    expect(await getParameter(emulator.url, '/none')).toMatchObject({
      status: 400,
      body: { __type: 'ParameterNotFound' },
    });
  });
});

describe('Auto Scaling', () => {
  it('is denied, throttled and made to fail like EC2, in its own words', async () => {
    const { autoScaling, emulator } = await startRegion({ settings: { deniedActions: ['DescribeAutoScalingGroups'] } });
    const call = () => autoScaling.send(new DescribeAutoScalingGroupsCommand({}));
    await expectRefusal(call(), 'AccessDenied', 403, /autoscaling:DescribeAutoScalingGroups/);
    emulator.configure({ deniedActions: [] });
    emulator.addFault({ action: 'DescribeAutoScalingGroups', effect: { kind: 'error', code: 'Throttling' } });
    await expectRefusal(call(), 'Throttling', 400);
    emulator.configure({ throttle: true });
    for (let n = 0; n < 100; n++) await call();
    await expectRefusal(call(), 'Throttling', 400);
  });
});

describe('instance types', () => {
  it('have sizes, architectures and networks', async () => {
    const { client } = await startRegion();
    const ask = (...InstanceTypes: string[]) =>
      client.send(new DescribeInstanceTypesCommand({ InstanceTypes: InstanceTypes as 'm5.large'[] }));
    expect((await ask('m6g.xlarge', 'r5.2xlarge')).InstanceTypes).toMatchObject([
      {
        VCpuInfo: { DefaultVCpus: 4, DefaultCores: 4, DefaultThreadsPerCore: 1 },
        ProcessorInfo: { SupportedArchitectures: ['arm64'] },
      },
      {
        VCpuInfo: { DefaultVCpus: 8, DefaultCores: 4 },
        MemoryInfo: { SizeInMiB: 65_536 },
        NetworkInfo: { EfaSupported: false },
      },
    ]);
    await expectRefusal(ask('m5.huge'), 'InvalidInstanceType', 400, /\[m5\.huge\]/);
    const { NextToken } = await client.send(new DescribeInstanceTypesCommand({ MaxResults: 5 }));
    expect(NextToken).toBeDefined();
  });

  it('are chosen by requirements', async () => {
    const { client } = await startRegion();
    const { InstanceTypes } = await client.send(
      new GetInstanceTypesFromInstanceRequirementsCommand({
        ArchitectureTypes: ['x86_64'],
        VirtualizationTypes: ['hvm'],
        InstanceRequirements: {
          VCpuCount: { Min: 2, Max: 2 },
          MemoryMiB: { Min: 8192, Max: 8192 },
          ExcludedInstanceTypes: ['m5a.*'],
        },
      }),
    );
    expect(InstanceTypes).toEqual([{ InstanceType: 'm5.large' }, { InstanceType: 'm6i.large' }]);
  });
});

it('scheduled events are shown with the status, on command', async () => {
  const { client, run, pass, emulator } = await startRegion();
  const [id = ''] = idsOf(await run());
  pass(1000);
  emulator.setInstance(id, { scheduledEvent: { code: 'instance-retirement', notBefore: '2026-02-01T00:00:00.000Z' } });
  const Filters = [{ Name: 'event.code', Values: ['instance-retirement'] }];
  const { InstanceStatuses } = await client.send(new DescribeInstanceStatusCommand({ Filters }));
  expect(InstanceStatuses).toMatchObject([
    { Events: [{ Code: 'instance-retirement', NotBefore: new Date(Date.UTC(2026, 1, 1)) }] },
  ]);
});

it('the state file carries fleets and templates, which go on where they were', async () => {
  const path = await mkdtemp(join(tmpdir(), 'emulator-'));
  onTestFinished(() => rm(path, { recursive: true }));
  const stateFile = join(path, 'state.json');
  const first = await startRegion({ stateFile });
  const LaunchTemplateSpecification = { LaunchTemplateId: await first.template(), Version: '1' };
  const TargetCapacitySpecification = { TotalTargetCapacity: 2 };
  const LaunchTemplateConfigs = [{ LaunchTemplateSpecification }];
  await first.client.send(new CreateFleetCommand({ LaunchTemplateConfigs, TargetCapacitySpecification }));
  await first.emulator.close();
  const second = await startRegion({ stateFile });
  second.pass(1000);
  expect(second.emulator.instances()).toHaveLength(2);
});
