import { DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deleteLaunchTemplates, type EmulatorBackend, emulatorBackend } from './backends.ts';
import { runCli } from './entries.ts';
import { createOwnGroup } from './own-group.ts';
import { createPlugin, hostOf, type Json, type Plugin } from './plugin.ts';

const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';

describe('fleets and groups', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, consistencyWindowSeconds: 0 }, []);
  });
  afterEach(async () => {
    await plugin.remove();
    backend.emulator.configure({ capacity: {}, fulfilMs: 100, pendingMs: 300 });
    await backend.clear();
  });

  const offer = (template: Json): Promise<void> =>
    plugin.offer([
      {
        templateId: 'cell',
        maxNumber: 50,
        attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
        instanceTags: 'team=quant',
        vmTypes: { 'm5.large': 1 },
        ...backend.place,
        ...template,
      },
    ]);

  const callsDuring = async (work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> => {
    backend.emulator.forgetCalls();
    await work();
    return backend.emulator.countCalls();
  };

  it.each([
    ['instant', { providerApi: 'EC2Fleet' }, { CreateFleet: 1 }, 'shared'],
    ['maintain', { providerApi: 'EC2Fleet', fleetType: 'maintain' }, { CreateFleet: 1 }, 'own'],
    ['Spot Fleet', { fleetRole }, { RequestSpotFleet: 1 }, 'own'],
    [
      'group',
      { providerApi: 'ASG' },
      { CreateAutoScalingGroup: 1, SuspendProcesses: 1, UpdateAutoScalingGroup: 1 },
      'shared',
    ],
  ])('cost for a request: %s', async (_kind, fields, calls, launchTemplate) => {
    await offer({ priceType: 'spot', ...fields });
    const first = { CreateLaunchTemplate: 1, ...calls };
    expect(await callsDuring(() => plugin.request('cell', 1))).toEqual(first);
    const second = launchTemplate === 'shared' ? calls : first;
    expect(await callsDuring(() => plugin.request('cell', 1))).toEqual(second);
  });

  it('cost two calls for a request of a group of the administrator’s', async () => {
    const group = await createOwnGroup(backend, 'ondemand');
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    expect(await callsDuring(() => plugin.request('cell', 1))).toEqual({ LaunchInstances: 1, CreateTags: 1 });
    await group.remove();
  });

  it.each([
    ['an EC2 Fleet', { providerApi: 'EC2Fleet' }],
    ['a group', { providerApi: 'ASG' }],
  ])('make a launch template again that somebody deleted, within the call: %s', async (_kind, fields) => {
    await offer({ priceType: 'spot', ...fields });
    await plugin.request('cell', 1);
    await deleteLaunchTemplates(backend);
    const requestId = await plugin.request('cell', 1);
    expect((await plugin.settled(requestId)).machines).toHaveLength(1);
    // Nor does the next one build on the one that is gone.
    const calls = await callsDuring(() => plugin.request('cell', 1));
    expect(Object.values(calls).every((count) => count === 1)).toBe(true);
    expect(calls).not.toHaveProperty('CreateLaunchTemplate');
  });

  it('forget a launch template that launch-templates gc has removed', async () => {
    await offer({ providerApi: 'EC2Fleet', priceType: 'spot' });
    await plugin.settled(await plugin.request('cell', 1));
    const { stdout } = await runCli(plugin, 'launch-templates', 'gc', '--unused-for', '0', '--apply');
    expect(stdout).toContain('1 unused, 1 removed, 0 kept.');
    expect(await callsDuring(() => plugin.request('cell', 1))).toEqual({ CreateLaunchTemplate: 1, CreateFleet: 1 });
  });

  it('launch with the groups of the template on interfaces given raw', async () => {
    await offer({
      providerApi: 'EC2Fleet',
      priceType: 'spot',
      securityGroupIds: ['sg-0123456789abcdef0'],
      launchTemplateSpec: { NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true }] },
    });
    backend.emulator.forgetCalls();
    await plugin.request('cell', 1);
    expect(backend.emulator.calls().find(({ action }) => action === 'CreateLaunchTemplate')?.parameters).toMatchObject({
      'LaunchTemplateData.NetworkInterface.1.AssociatePublicIpAddress': 'true',
      'LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1': 'sg-0123456789abcdef0',
    });
  });

  it('cost two calls for the status while AWS looks for capacity', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 1 } });
    await offer({ priceType: 'spot', fleetRole });
    const requestId = await plugin.request('cell', 2);
    await expect.poll(async () => (await plugin.status(requestId))[0]?.machines.length).toBe(1);
    expect(await callsDuring(() => plugin.status(requestId))).toEqual({
      DescribeSpotFleetRequests: 1,
      DescribeInstances: 1,
    });
  });

  it('cost two more calls once, to end the fleet that has brought all, and one from then on', async () => {
    await offer({ priceType: 'spot', fleetRole, maxNumber: 200 });
    const requestId = await plugin.request('cell', 200);
    await expect.poll(() => backend.instanceIds('running'), { timeout: 10_000 }).toHaveLength(200);
    // They are pending again: the request is not complete by the first of the two looks.
    backend.emulator.configure({ pendingMs: 60_000 });
    const looks = { DescribeSpotFleetRequests: 1, DescribeInstances: 1 };
    expect(await callsDuring(() => plugin.status(requestId))).toEqual({
      ...looks,
      CancelSpotFleetRequests: 1,
      DeleteLaunchTemplate: 1,
    });
    expect(await callsDuring(() => plugin.status(requestId))).toEqual({ DescribeInstances: 1 });
  });

  it.each([
    ['instant', { providerApi: 'EC2Fleet' }, { TerminateInstances: 1 }],
    ['maintain', { providerApi: 'EC2Fleet', fleetType: 'maintain' }, { TerminateInstances: 1 }],
    ['Spot Fleet', { fleetRole }, { TerminateInstances: 1 }],
    [
      'group',
      { providerApi: 'ASG' },
      { DescribeAutoScalingGroups: 1, SetInstanceProtection: 1, TerminateInstanceInAutoScalingGroup: 1 },
    ],
  ])('cost two calls for a partial return, groups four: %s', async (_kind, fields, calls) => {
    await offer({ priceType: 'spot', ...fields });
    const { machines } = await plugin.settled(await plugin.request('cell', 3));
    expect(await callsDuring(() => plugin.giveBack(machines.slice(0, 1).map(hostOf)))).toEqual({
      DescribeInstances: 1,
      ...calls,
    });
  });

  it('count units and machines apart, and say both', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 0 } });
    await offer({ providerApi: 'EC2Fleet', priceType: 'spot', vmTypes: { 'm5.large': 1, 'm5.2xlarge': 4 } });
    const ready = await plugin.settled(await plugin.request('cell', 8));
    expect(ready.machines).toHaveLength(2);
    expect(ready.message).toBe('8 of 8 units granted on 2 machines.');
  });

  it('say why capacity is missing when EC2 answers with errors alone, and fail the call', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 0 } });
    await offer({ providerApi: 'EC2Fleet', priceType: 'ondemand' });
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'cell', machineCount: 2 },
    });
    expect(exitCode).toBe(1);
    expect(body['message']).toContain('Error Code: InsufficientInstanceCapacity');
    expect(body['message']).toContain('m5.large in ');
  });

  it('leave spot its time before a heterogeneous request turns to on demand', async () => {
    // The first look comes before the spot fleet has brought anything.
    backend.emulator.configure({ fulfilMs: 1500 });
    await offer({ priceType: 'heterogeneous', fleetRole, spotFleetRequestExpiry: 1 });
    const requestId = await plugin.request('cell', 3);
    expect(await plugin.status(requestId)).toMatchObject([{ status: 'running', machines: [] }]);
    expect((await plugin.settled(requestId)).machines).toHaveLength(3);
    expect(backend.emulator.countCalls()).not.toHaveProperty('CreateFleet');
  });

  const abisInstanceRequirements = {
    VCpuCount: { Min: 2 },
    MemoryMiB: { Min: 4096 },
    AllowedInstanceTypes: ['m5.large'],
  };

  it.each([
    ['by types of its own', { vmTypesOnDemand: { 'm5.xlarge': 1 } }, 'm5.xlarge'],
    ['by the one type it names', { vmTypes: '', vmType: 'm5.large' }, 'm5.large'],
    [
      'by types of its own after requirements',
      { vmTypes: '', abisInstanceRequirements, vmTypesOnDemand: { 'm5.xlarge': 1 } },
      'm5.xlarge',
    ],
  ])('turn a heterogeneous request to on demand %s, under one request id', async (_how, types, onDemand) => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 1, 'm5.xlarge:*': 5 } });
    await offer({ priceType: 'heterogeneous', fleetRole, ...types });
    const requestId = await plugin.request('cell', 3);
    await backend.turnToOnDemand(1);
    backend.emulator.configure({ capacity: {} });
    const ready = await plugin.settled(requestId);
    expect(ready, ready.message).toMatchObject({ status: 'complete' });
    expect(ready.machines.map(({ result }) => result)).toEqual(['succeed', 'succeed', 'succeed']);
    const launched = backend.emulator.instances().map(({ instanceType }) => instanceType);
    expect(launched).toEqual(['m5.large', onDemand, onDemand]);
    expect(await backend.resources()).toEqual([]);
  });

  it("add to a group of the administrator's own and take away only what was added", async () => {
    const group = await createOwnGroup(backend, 'ondemand');
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const ready = await plugin.settled(await plugin.request('cell', 2));
    expect(ready.machines).toHaveLength(2);
    expect(await plugin.settled(await plugin.giveBack(ready.machines.slice(0, 1).map(hostOf)))).toMatchObject({
      status: 'complete',
    });
    await backend.settle();
    expect(await group.instanceIds()).toEqual(ready.machines.slice(1).map(({ machineId }) => machineId));
    await plugin.settled(await plugin.giveBack(ready.machines.slice(1).map(hostOf)));
    await backend.settle();
    expect(await group.instanceIds()).toEqual([]);
    await group.remove();
  });

  it('leave nothing in a group of the administrator’s of a host that died by itself', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    await backend.terminate(...machines.slice(0, 1).map(({ machineId }) => machineId));
    await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    await backend.settle();
    expect(await group.desiredCapacity()).toBe(1);
    expect(await group.instanceIds()).toHaveLength(1);
    await group.remove();
  });

  it('leave nothing of a host that was terminated before it was given back alone', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    const dead = machines.slice(0, 1);
    await backend.terminate(...dead.map(({ machineId }) => machineId));
    await expect.poll(() => backend.instanceIds('terminated')).toEqual(dead.map(({ machineId }) => machineId));
    await plugin.settled(await plugin.giveBack(dead.map(hostOf)));
    expect(await group.desiredCapacity()).toBe(2);
    await plugin.settled(await plugin.giveBack(machines.slice(1).map(hostOf)));
    expect(await group.desiredCapacity()).toBe(1);
    await group.remove();
  });

  it('leave a host alone that lost our tags, though another of its group is gone', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    const [dead = '', kept = ''] = machines.map(({ machineId }) => machineId);
    await backend.client.send(new DeleteTagsCommand({ Resources: [kept], Tags: [{ Key: 'hf-aws:owner' }] }));
    await backend.terminate(dead);
    const ended = await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    expect(ended).toMatchObject({ status: 'complete_with_error' });
    await backend.settle();
    expect(await backend.instanceIds('running')).toContain(kept);
    await group.remove();
  });

  it('go on waiting for what a group of the administrator’s owes when a host is given back meanwhile', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    backend.emulator.configure({ deniedActions: ['LaunchInstances'], capacity: { 'm5.large:*': 3 } });
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const requestId = await plugin.request('cell', 3);
    const usable = async () =>
      (await plugin.status(requestId))[0]?.machines.filter(({ result }) => result === 'succeed');
    await expect.poll(usable, { timeout: 10_000 }).toHaveLength(2);
    await plugin.settled(await plugin.giveBack(((await usable()) ?? []).slice(0, 1).map(hostOf)));
    backend.emulator.configure({ capacity: {} });
    const ready = await plugin.settled(requestId);
    expect(ready).toMatchObject({ status: 'complete' });
    const held = ready.machines.filter(({ status }) => status === 'running');
    expect(held).toHaveLength(2);
    expect(await group.instanceIds()).toHaveLength(3);
    backend.emulator.configure({ deniedActions: [] });
    await plugin.settled(await plugin.giveBack(held.map(hostOf)));
    await group.remove();
  });

  it('launch no more into a group of weighted types than is wanted, however many calls it takes', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 0, { weight: 3, most: 500 });
    await offer({
      providerApi: 'ASG',
      autoScalingGroupName: 'grid',
      priceType: 'ondemand',
      vmTypes: { 'm5.large': 3 },
      maxNumber: 500,
    });
    const { machines } = await plugin.settled(await plugin.request('cell', 250));
    expect(machines).toHaveLength(84);
    await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    expect(await group.desiredCapacity()).toBe(0);
    await group.remove();
  });

  it('raise the desired capacity of a group where LaunchInstances is denied, and leave its other machines alone', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    const [theirs] = await group.instanceIds();
    backend.emulator.configure({ deniedActions: ['LaunchInstances'] });
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const requests = await Promise.all([plugin.request('cell', 2), plugin.request('cell', 3)]);
    const [two, three] = await Promise.all(requests.map((id) => plugin.settled(id)));
    const machines = [...(two?.machines ?? []), ...(three?.machines ?? [])];
    expect([two?.machines.length, three?.machines.length]).toEqual([2, 3]);
    expect(new Set(machines.map(({ machineId }) => machineId)).size).toBe(5);
    expect(machines.map(({ machineId }) => machineId)).not.toContain(theirs);
    expect(await group.instanceIds()).toHaveLength(6);
    await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    await backend.settle();
    expect(await group.instanceIds()).toEqual([theirs]);
    backend.emulator.configure({ deniedActions: [] });
    await group.remove();
  });

  it('give up what a group of the administrator’s cannot bring, and leave its machines as they are', async () => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    backend.emulator.configure({ capacity: { 'm5.large:*': 2 } });
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    const ready = await plugin.settled(await plugin.request('cell', 3));
    expect(ready.message).toMatch(/1 of 3 machines granted.*InsufficientInstanceCapacity/);
    expect(ready.machines).toHaveLength(1);
    await backend.settle();
    expect(await group.instanceIds()).toHaveLength(2);
    backend.emulator.configure({ capacity: {} });
    await group.remove();
  });

  it('tell of hosts AWS is about to take away, with the time left', async () => {
    await offer({ priceType: 'spot' });
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    const [first] = machines;
    backend.emulator.setInstance(`${first?.machineId}`, { spotStatus: 'marked-for-termination' });
    const [reclaim, ...others] = await plugin.reclaims(machines.map(hostOf));
    expect(others).toEqual([]);
    expect(reclaim).toMatchObject({ machine: first?.name, machineId: first?.machineId });
    expect(reclaim?.['gracePeriod']).toBeGreaterThan(60);
    expect(reclaim?.['gracePeriod']).toBeLessThanOrEqual(120);
  });

  it.each(['ondemand', 'spot'])(
    'tell of hosts to be retired, and of nothing when AWS cannot be asked: %s',
    async (priceType) => {
      await offer({ providerApi: 'RunInstances', priceType, vmType: 'm5.large', vmTypes: '' });
      const { machines } = await plugin.settled(await plugin.request('cell', 1));
      const notBefore = new Date(Date.now() + 3_600_000).toISOString();
      backend.emulator.setInstance(`${machines[0]?.machineId}`, {
        scheduledEvent: { code: 'instance-retirement', notBefore },
      });
      backend.emulator.addFault({
        action: 'DescribeInstanceStatus',
        effect: { kind: 'error', code: 'InternalError', httpStatus: 500 },
        times: 'always',
      });
      expect(await plugin.reclaims(machines.map(hostOf))).toEqual([]);
      backend.emulator.clearFaults();
      const [reclaim] = await plugin.reclaims(machines.map(hostOf));
      expect(reclaim?.['gracePeriod']).toBeGreaterThan(3000);
    },
  );

  it('resend a launch whose answer was lost, and launch nothing twice', async () => {
    await offer({ priceType: 'spot', fleetRole });
    await plugin.configure({ AWS_REQUEST_RETRY_ATTEMPTS: 0 });
    backend.emulator.addFault({ action: 'RequestSpotFleet', effect: { kind: 'drop-after' } });
    const requestId = await plugin.request('cell', 2);
    const ready = await plugin.settled(requestId);
    expect(ready.machines).toHaveLength(2);
    await backend.settle();
    expect(await backend.instanceIds('pending', 'running')).toHaveLength(2);
    expect(backend.emulator.countCalls()['RequestSpotFleet']).toBeGreaterThan(1);
  });
});
