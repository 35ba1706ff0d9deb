import { CreateLaunchTemplateCommand, DescribeLaunchTemplatesCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deleteLaunchTemplates, type EmulatorBackend, emulatorBackend } from './backends.ts';
import { runCli } from './entries.ts';
import { createOwnGroup } from './own-group.ts';
import { createPlugin, hostOf, type Json, type Plugin } from './plugin.ts';

const fleetRole = 'arn:aws:iam::123456789012:role/aws-ec2-spot-fleet-tagging-role';
const heterogeneous = {
  priceType: 'heterogeneous',
  fleetRole,
  vmTypesOnDemand: { 'm5.xlarge': 1 },
};

/** What goes wrong around fleets and groups, and that no machine is lost, leaked or launched twice by it. */
describe('trouble with fleets and groups', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin(
      { AWS_ENDPOINT_URL: backend.url, consistencyWindowSeconds: 1, AWS_REQUEST_RETRY_ATTEMPTS: 0 },
      [],
    );
  });
  afterEach(async () => {
    await plugin.remove();
    backend.emulator.configure({ capacity: {}, refusals: {}, deniedActions: [] });
    await backend.clear();
  });

  const cell = (template: Json): Json => ({
    templateId: 'cell',
    maxNumber: 50,
    attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
    vmTypes: { 'm5.large': 1 },
    ...backend.place,
    ...template,
  });
  const offer = (...templates: readonly Json[]): Promise<void> => plugin.offer(templates.map(cell));
  const fail = (action: string, code: string, times = 1): void => {
    backend.emulator.addFault({ action, times, effect: { kind: 'error', code } });
  };
  const running = () => backend.instanceIds('pending', 'running');
  const launchTemplates = async (): Promise<number> =>
    (await backend.client.send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates?.length ?? 0;

  it.each([
    ['EC2Fleet instant', { providerApi: 'EC2Fleet', priceType: 'spot' }],
    ['EC2Fleet request', { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot' }],
    ['EC2Fleet maintain', { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot' }],
    ['SpotFleet', { priceType: 'spot', fleetRole }],
    ['ASG', { providerApi: 'ASG', priceType: 'spot' }],
    ['RunInstances', { providerApi: 'RunInstances', priceType: 'ondemand', vmType: 'm5.large' }],
  ])('%s takes back what it launched by a launch template of the administrator’s', async (kind, template) => {
    const { LaunchTemplate } = await backend.client.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: 'mine',
        LaunchTemplateData: {
          ImageId: `${backend.place['imageId']}`,
          InstanceType: 'm5.large',
          DisableApiTermination: true,
          // RunInstances takes the subnet from the template alone where it has interfaces.
          ...(kind === 'RunInstances'
            ? {}
            : { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: `${backend.place['subnetId']}` }] }),
          TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'cost', Value: 'desk-7' }] }],
        },
      }),
    );
    const own = { launchTemplateId: LaunchTemplate?.LaunchTemplateId, imageId: '', securityGroupIds: [] };
    await offer({ ...own, vmTypes: '', ...template });
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    expect(machines.map(({ result }) => result)).toEqual(['succeed', 'succeed']);
    if (kind !== 'RunInstances') {
      const [tags] = backend.emulator.instances().map((instance) => instance.tags);
      expect(tags).toMatchObject({ cost: 'desk-7', 'hf-aws:template-id': 'cell' });
    }
    const gone = await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    expect(gone, gone.message).toMatchObject({ status: 'complete' });
    await backend.settle();
    expect(await running()).toEqual([]);
  });

  it('a fleet that EC2 does not know yet is waited for', async () => {
    fail('DescribeFleets', 'InvalidFleetId.NotFound', 2);
    await offer({ providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot' });
    const ready = await plugin.settled(await plugin.request('cell', 3));
    expect(ready.machines).toHaveLength(3);
    expect(await running()).toHaveLength(3);
  });

  it.each([
    ['EC2 Fleet', { providerApi: 'EC2Fleet' }],
    ['Spot Fleet', { fleetRole }],
  ])('a maintain fleet nobody looks at stops seeking when its time is over: %s', async (_kind, fields) => {
    const minute = 60_000;
    let ahead = 0;
    const aws = await emulatorBackend({ now: () => Date.now() + ahead });
    await plugin.configure({ AWS_ENDPOINT_URL: aws.url });
    aws.emulator.configure({ capacity: { 'm5.large:*': 1 } });
    await offer({ ...fields, fleetType: 'maintain', priceType: 'spot', spotFleetRequestExpiry: 10 });
    await plugin.request('cell', 2);
    ahead = 9 * minute;
    expect(await aws.instanceIds('pending', 'running')).toHaveLength(1);
    expect(await aws.resources()).toHaveLength(1);
    ahead = 11 * minute;
    expect(await aws.resources()).toEqual([]);
    aws.emulator.configure({ capacity: {} });
    ahead = 20 * minute;
    expect(await aws.instanceIds('pending', 'running')).toHaveLength(1);
    await aws.close();
  });

  it('parallel looks at the turn to on demand launch the rest once', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 1 } });
    await offer(heterogeneous);
    const requestId = await plugin.request('cell', 4);
    await backend.turnToOnDemand(1);
    await expect
      .poll(
        async () => {
          await Promise.all([plugin.status(requestId), plugin.status(requestId), plugin.status(requestId)]);
          return (await plugin.status(requestId))[0]?.status;
        },
        { timeout: 20_000 },
      )
      .toBe('complete');
    expect((await plugin.status(requestId))[0]?.machines).toHaveLength(4);
    expect(await running()).toHaveLength(4);
  });

  it('a rest that cannot be asked for is told of, and the request ends', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 1 } });
    await offer(heterogeneous);
    const requestId = await plugin.request('cell', 3);
    await backend.turnToOnDemand(1);
    backend.emulator.configure({ deniedActions: ['CreateLaunchTemplate'] });
    const ready = await plugin.settled(requestId);
    expect(ready.machines).toHaveLength(1);
    expect(ready.message).toMatch(/CreateLaunchTemplate/);
    expect(await running()).toHaveLength(1);
  });

  it('a rest that EC2 throttles is asked for as often as any other fleet', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 0 }, refusals: { 'm5.xlarge:*': 'RequestLimitExceeded' } });
    await offer(heterogeneous);
    const requestId = await plugin.request('cell', 3);
    await backend.turnToOnDemand(0);
    const ready = await plugin.settled(requestId);
    expect(ready.message).toContain('RequestLimitExceeded');
    const tokens = backend.emulator.calls('CreateFleet').map(({ parameters }) => parameters['ClientToken']);
    expect(tokens).toEqual([1, 2, 3].map((n) => `${requestId}.${n}`));
  });

  it('a rest whose launch template somebody deleted has it made again', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 1 } });
    await offer(heterogeneous);
    const known = await plugin.request('cell', 2);
    await backend.turnToOnDemand(1);
    await plugin.settled(known);
    await deleteLaunchTemplates(backend);
    const requestId = await plugin.request('cell', 3);
    await backend.turnToOnDemand(2);
    expect(await plugin.settled(requestId)).toMatchObject({ status: 'complete', machines: { length: 3 } });
    expect(await running()).toHaveLength(5);
  });

  it.each([
    ['CreateFleet', { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot' }],
    ['RequestSpotFleet', { priceType: 'spot', fleetRole }],
  ])('a lost answer to %s is not settled by a refusal of the resend', async (action, template) => {
    await offer(template);
    backend.emulator.addFault({ action, effect: { kind: 'drop-after' } });
    const requestId = await plugin.request('cell', 2);
    backend.emulator.configure({ deniedActions: [action] });
    expect((await plugin.status(requestId))[0]).toMatchObject({ status: 'running' });
    // The fleet that was made after all still needs it.
    expect(await launchTemplates()).toBe(1);
    backend.emulator.configure({ deniedActions: [] });
    expect((await plugin.settled(requestId)).machines).toHaveLength(2);
    await backend.settle();
    expect(await running()).toHaveLength(2);
    expect(await backend.resources()).toEqual([]);
  });

  it.each([
    ['CreateFleet', { providerApi: 'EC2Fleet', fleetType: 'request', priceType: 'spot' }],
    ['RequestSpotFleet', { priceType: 'spot', fleetRole }],
  ])('a refused %s leaves no launch template behind', async (action, template) => {
    await offer(template);
    backend.emulator.configure({ deniedActions: [action] });
    const { exitCode } = await plugin.call('requestMachines', { template: { templateId: 'cell', machineCount: 2 } });
    expect(exitCode).toBe(1);
    expect(await launchTemplates()).toBe(0);
  });

  it.each(['SuspendProcesses', 'UpdateAutoScalingGroup'])(
    'a group whose %s is denied leaves nothing',
    async (action) => {
      await offer({ providerApi: 'ASG', priceType: 'spot' });
      backend.emulator.configure({ deniedActions: [action] });
      const { exitCode } = await plugin.call('requestMachines', { template: { templateId: 'cell', machineCount: 2 } });
      expect(exitCode).toBe(1);
      await backend.settle();
      expect(await running()).toEqual([]);
      expect(await backend.resources()).toEqual([]);
    },
  );

  it('machines of a group of the administrator’s are marked later where EC2 does not know them yet', async () => {
    const group = await createOwnGroup(backend, 'ondemand');
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    fail('CreateTags', 'InvalidInstanceID.NotFound');
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    expect(machines).toHaveLength(2);
    expect(await plugin.settled(await plugin.giveBack(machines.map(hostOf)))).toMatchObject({ status: 'complete' });
    await backend.settle();
    expect(await group.instanceIds()).toEqual([]);
    await group.remove();
  });

  it('machines of a group of the administrator’s that may not be marked are not kept', async () => {
    const group = await createOwnGroup(backend, 'ondemand');
    await offer({ providerApi: 'ASG', autoScalingGroupName: 'grid', priceType: 'ondemand' });
    backend.emulator.configure({ deniedActions: ['CreateTags'] });
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'cell', machineCount: 2 },
    });
    expect(exitCode).toBe(1);
    expect(body['message']).toMatch(/CreateTags|UnauthorizedOperation/);
    await backend.settle();
    expect(await group.instanceIds()).toEqual([]);
    await group.remove();
  });

  it('the last machine of a weighted group can be returned', async () => {
    await offer({ providerApi: 'ASG', priceType: 'spot', vmTypes: { 'm5.2xlarge': 3 } });
    const { machines } = await plugin.settled(await plugin.request('cell', 5));
    expect(machines).toHaveLength(2);
    for (const machine of machines)
      expect(await plugin.settled(await plugin.giveBack([hostOf(machine)]))).toMatchObject({ status: 'complete' });
    expect(await running()).toEqual([]);
    expect(await backend.resources()).toEqual([]);
  });

  it('a group goes when all of its machines died by themselves', async () => {
    await offer({ providerApi: 'ASG', priceType: 'spot' });
    const { machines } = await plugin.settled(await plugin.request('cell', 2));
    await backend.terminate(...machines.map(({ machineId }) => machineId));
    await backend.settle();
    await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
    expect(await backend.resources()).toEqual([]);
  });

  it('a group in trouble holds up neither other requests nor other hosts of a return', async () => {
    await offer(
      { templateId: 'plain', priceType: 'ondemand', vmType: 'm5.large' },
      { templateId: 'group', providerApi: 'ASG', priceType: 'spot' },
    );
    const inGroup = (await plugin.settled(await plugin.request('group', 1))).machines;
    backend.emulator.configure({ deniedActions: ['DescribeAutoScalingGroups'] });
    const waiting = await plugin.request('group', 1);
    const plain = await plugin.request('plain', 1);
    await expect
      .poll(async () => (await plugin.status(waiting, plain)).map(({ status }) => status), { timeout: 10_000 })
      .toEqual(['running', 'complete']);
    const alone = (await plugin.settled(plain)).machines;
    await plugin.giveBack([...inGroup, ...alone].map(hostOf));
    await expect.poll(running, { timeout: 10_000 }).not.toContain(alone[0]?.machineId);
  });

  it('a return is complete when its hosts are gone, though their group cannot be removed yet', async () => {
    await offer({ providerApi: 'ASG', priceType: 'spot' });
    const { machines } = await plugin.settled(await plugin.request('cell', 1));
    backend.emulator.configure({ deniedActions: ['DeleteAutoScalingGroup'] });
    expect(await plugin.settled(await plugin.giveBack(machines.map(hostOf)))).toMatchObject({ status: 'complete' });
    expect(await running()).toEqual([]);
  });

  it('a machine lost while a maintain fleet fills is replaced, and nothing is afterwards', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 2 } });
    await offer({ providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot' });
    const requestId = await plugin.request('cell', 3);
    await expect.poll(async () => (await plugin.status(requestId))[0]?.machines.length, { timeout: 10_000 }).toBe(2);
    const [first] = await running();
    backend.emulator.configure({ capacity: {} });
    await backend.terminate(`${first}`);
    const ready = await plugin.settled(requestId);
    expect(ready.machines.filter(({ result }) => result === 'succeed')).toHaveLength(3);
    const [second] = await running();
    await backend.terminate(`${second}`);
    await backend.settle();
    expect(await running()).toHaveLength(2);
    expect(await backend.resources()).toEqual([]);
  });

  it.each([
    ['LaunchInstances', { providerApi: 'ASG', autoScalingGroupName: 'grid' }],
    ['CreateFleet', { providerApi: 'EC2Fleet', fleetType: 'maintain', priceType: 'spot' }],
    ['CreateAutoScalingGroup', { providerApi: 'ASG', priceType: 'spot' }],
  ])('a request that is cancelled after the answer to %s was lost keeps nothing', async (action, template) => {
    const group = await createOwnGroup(backend, 'ondemand', 1);
    await offer(template);
    backend.emulator.addFault({ action, effect: { kind: 'drop-after' } });
    const requestId = await plugin.request('cell', 2);
    expect((await runCli(plugin, 'requests', 'cancel', requestId)).exitCode).toBe(0);
    expect(await plugin.settled(requestId)).toMatchObject({ status: 'complete_with_error' });
    await backend.settle();
    expect(await running()).toEqual(await group.instanceIds());
    expect(await running()).toHaveLength(1);
    await group.remove();
    expect(await backend.resources()).toEqual([]);
  });
});
