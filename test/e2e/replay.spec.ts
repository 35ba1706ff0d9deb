import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type MachineEntry, type Plugin } from './plugin.ts';
import { serveScripts } from './script-server.ts';

// Host Factory's day over several kinds of capacity, recorded once by the real scripts and played again in many ways.

let backend: EmulatorBackend;
let plugin: Plugin;
let recordings = '';

const kinds = ['od', 'fleet', 'spot-fleet', 'group'];

const templates = (script: string) => {
  const attributes = { type: ['String', 'X86_64'], ncpus: ['Numeric', '1'], nram: ['Numeric', '4096'] };
  const common = { maxNumber: 20, attributes, ...backend.place, instanceTags: 'team=quant;password=planted-tag' };
  const fleetRole = 'arn:aws:iam::123456789012:role/fleet';
  const several = { vmTypes: { 'm5.large': 1, 'm5a.large': 1 } };
  return [
    { templateId: 'od', vmType: 'm5.large', userDataScript: script, ...common },
    { templateId: 'fleet', providerApi: 'EC2Fleet', fleetType: 'instant', priceType: 'spot', ...several, ...common },
    { templateId: 'spot-fleet', providerApi: 'SpotFleet', fleetRole, priceType: 'spot', ...several, ...common },
    { templateId: 'group', providerApi: 'ASG', priceType: 'ondemand', ...several, ...common },
  ];
};

/** Until AWS has ended them. */
const gone = async (machines: readonly MachineEntry[]): Promise<void> => {
  await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
};

const day = async (): Promise<void> => {
  await plugin.call('getAvailableTemplates', {});
  const ids: string[] = [];
  for (const kind of kinds) ids.push(await plugin.request(kind, 2));
  const machines: MachineEntry[] = [];
  for (const id of ids) machines.push(...(await plugin.settled(id)).machines);
  expect(machines).toHaveLength(8);
  // Capacity runs out in the middle of a request, and for another altogether.
  const live = backend.emulator.instances().filter(({ instanceType }) => instanceType === 'm5.large').length;
  backend.emulator.configure({ capacity: { 'm5.large:*': live + 2 } });
  expect((await plugin.settled(await plugin.request('od', 4))).machines).toHaveLength(2);
  backend.emulator.configure({ capacity: {}, refusals: { 'm5.large:*': 'VcpuLimitExceeded' } });
  expect(await plugin.call('requestMachines', { template: { templateId: 'od', machineCount: 1 } })).toMatchObject({
    exitCode: 1,
  });
  backend.emulator.configure({ refusals: {} });
  // AWS takes one away, and announces it for another.
  const [first, second, third, ...rest] = machines;
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are too few machines');
  backend.emulator.setInstance(first.machineId, { state: 'terminated', reasonCode: 'Server.InternalError' });
  backend.emulator.setInstance(third.machineId, { spotStatus: 'marked-for-termination' });
  expect(await plugin.reclaims(machines.map(hostOf))).toHaveLength(2);
  await gone([second, third, ...rest]);
  await plugin.call('requestMachines', { template: { templateId: 'nobody', machineCount: 1 } });
};

beforeAll(async () => {
  backend = await emulatorBackend();
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, recordCalls: true }, []);
  const script = join(plugin.directory, 'boot.sh');
  await writeFile(script, '#!/bin/sh\nexport DB_PASSWORD=planted-in-user-data\n');
  await plugin.offer(templates(script));
  await day();
  recordings = join(plugin.workDir, 'recordings');
}, 240_000);
afterAll(async () => {
  await plugin.remove();
  await backend.close();
});

const linesOf = async (folder: string, only = ''): Promise<readonly string[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonl') && name.includes(only));
  const texts = await Promise.all(names.toSorted().map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '' && !line.startsWith('{"after"')));
};

/** A copy of the recordings, with its lines changed. */
const changed = async (name: string, change: (line: string) => string): Promise<string> => {
  const folder = join(plugin.directory, name);
  await cp(recordings, folder, { recursive: true });
  for (const file of (await readdir(folder)).filter((each) => each.endsWith('.jsonl'))) {
    const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
    await writeFile(join(folder, file), lines.map(change).join('\n'));
  }
  return folder;
};

it('a day of several kinds of capacity, with its refusals and losses, is answered the same when it is played again', async () => {
  const { exitCode, body, stderr } = await hfAwsJson(plugin, 'replay', recordings);
  expect(body).toMatchObject({ differences: [], warnings: [], notes: [] });
  const operations = Object.values(Object(body['operations'])).map((each) => Object(each).operation);
  expect(operations.toSorted()).toEqual([
    'getAvailableTemplates',
    'getRequestStatus',
    'getReturnRequests',
    'requestMachines',
    'requestReturnMachines',
  ]);
  expect([exitCode, stderr]).toEqual([0, '']);
});

it('what a recorded call tells is its operation, input, answer, exit status and what was said to AWS', async () => {
  const [refused] = (await linesOf(recordings)).filter((line) => line.includes('VcpuLimitExceeded'));
  expect(JSON.parse(refused ?? '')).toMatchObject({
    operation: 'requestMachines',
    way: 'process',
    input: { template: { templateId: 'od', machineCount: 1 } },
    status: 1,
    answer: { message: expect.stringContaining('VcpuLimitExceeded') },
    aws: [{ action: 'RunInstances', input: { MaxCount: 1 }, error: { aws: 'VcpuLimitExceeded' } }],
  });
});

it('no secret, user data or account is in a recording', async () => {
  const files = await Promise.all((await readdir(recordings)).map((name) => readFile(join(recordings, name), 'utf8')));
  expect(files.join('')).not.toMatch(/planted|AKIATEST|DB_PASSWORD|123456789012/);
  expect(files.join('')).toContain('"userDataScript"');
});

it('an answer that differs is found and shown, and the exit status is 1', async () => {
  const other = await changed('changed', (line) =>
    line.includes('getReturnRequests') ? line.replace('2 hosts to be returned', '3 hosts to be returned') : line,
  );
  const { exitCode, stdout } = await hfAwsHere(plugin, ['replay', other]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^getReturnRequests +1 +0 +1 +0$/m);
  expect(stdout).toMatch(
    /^\S+ \S+ \S+ +getReturnRequests +message +"3 hosts to be returned\." +"2 hosts to be returned\."$/m,
  );
});

it('a line that was never finished is left out with a word; calls about what is older than the recording too', async () => {
  const other = await changed('torn', (line) => (line.includes('"templateId":"od","machineCount":2') ? '' : line));
  const [hour = ''] = (await readdir(other)).filter((name) => name.endsWith('.jsonl')).toSorted();
  await appendFile(join(other, hour), '\n{"call":"0f","at":"2026-');
  const { body, stderr } = await hfAwsJson(plugin, 'replay', other);
  expect(stderr).toMatch(/^warning: \S+\.jsonl: 1 of \d+ lines left out, which were never finished\n$/);
  expect(body).toMatchObject({
    differences: [],
    notes: [expect.stringContaining('older than the recording, left out'), expect.stringContaining('replayed without')],
  });
});

it('a bundle of support carries the recordings, and is replayed like them', async () => {
  const bundle = join(plugin.directory, 'bundle.tar.gz');
  expect(await hfAwsHere(plugin, ['support', '--recordings', '--no-aws', '--out', bundle])).toMatchObject({
    exitCode: 0,
  });
  const { exitCode, body } = await hfAwsJson(plugin, 'replay', bundle);
  expect(body).toMatchObject({ differences: [], recorded: { calls: (await linesOf(recordings)).length } });
  expect(exitCode).toBe(0);
});

it('calls that a server answers are recorded as well, and what is not recorded is said', async () => {
  const served = await createPlugin({ AWS_ENDPOINT_URL: backend.url, recordCalls: true }, [
    { ...templates('/nowhere')[1], launchTemplateId: 'lt-0123456789abcdef0' },
  ]);
  const server = await serveScripts(served.env);
  await served.call('getAvailableTemplates', {});
  await server.stop();
  const { body } = await hfAwsJson(served, 'replay', served.workDir);
  expect(body).toMatchObject({
    recorded: { calls: 1 },
    operations: [{ operation: 'getAvailableTemplates', calls: 1 }],
    notes: [expect.stringContaining('launch template lt-0123456789abcdef0')],
  });
  expect(await linesOf(join(served.workDir, 'recordings'))).toEqual([expect.stringContaining('"way":"server"')]);
  await served.remove();
});

it('where nothing is recorded, there is no folder, and a replay says so', async () => {
  const silent = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, templates('/nowhere'));
  await silent.call('getAvailableTemplates', {});
  expect(await readdir(silent.workDir)).not.toContain('recordings');
  const said = await hfAwsHere(silent, ['replay', silent.workDir]);
  expect(said).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there are no recorded calls in') });
  await silent.remove();
});

it("launches by an administrator's launch template are answered the same, by what the recording shows of it", async () => {
  const { LaunchTemplate } = await backend.client.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: 'theirs',
      LaunchTemplateData: {
        ImageId: String(backend.place['imageId']),
        InstanceType: 'c5.large',
        SecurityGroupIds: ['sg-0000000a'],
        UserData: Buffer.from('#!/bin/sh\nexport TOKEN=planted-in-user-data\n').toString('base64'),
      },
    }),
  );
  const attributes = { type: ['String', 'X86_64'], ncpus: ['Numeric', '1'], nram: ['Numeric', '4096'] };
  const { subnetId } = backend.place;
  const theirs = { maxNumber: 20, attributes, subnetId, launchTemplateId: LaunchTemplate?.LaunchTemplateId };
  const own = await createPlugin({ AWS_ENDPOINT_URL: backend.url, recordCalls: true }, [
    { ...theirs, templateId: 'one' },
    { ...theirs, templateId: 'fleet', providerApi: 'EC2Fleet', fleetType: 'instant', vmTypes: { 'm5.large': 1 } },
  ]);
  for (const id of ['one', 'fleet']) {
    const { machines } = await own.settled(await own.request(id, 2));
    expect(machines).toHaveLength(2);
    await own.settled(await own.giveBack(machines.map(hostOf)));
  }
  const folder = join(own.workDir, 'recordings');
  expect((await linesOf(folder)).join()).not.toContain('planted-in-user-data');
  const { exitCode, body } = await hfAwsJson(own, 'replay', folder);
  expect(body).toMatchObject({ differences: [], warnings: [], notes: [] });
  expect(exitCode).toBe(0);
  await own.remove();
}, 120_000);

it("launches into an administrator's Auto Scaling groups are answered the same, by what the recording shows of them", async () => {
  const { LaunchTemplate } = await backend.client.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: 'grid',
      LaunchTemplateData: { ImageId: String(backend.place['imageId']), InstanceType: 'c5.large' },
    }),
  );
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'planted-secret' };
  const scaling = new AutoScalingClient({ endpoint: backend.url, region: 'us-east-1', credentials });
  const { subnetId } = backend.place;
  const template = { LaunchTemplateId: LaunchTemplate?.LaunchTemplateId ?? '', Version: '$Latest' };
  const Overrides = [{ InstanceType: 'm5.large' }, { InstanceType: 'm5a.large' }];
  const sizes = { MinSize: 1, MaxSize: 9, DesiredCapacity: 2, VPCZoneIdentifier: String(subnetId) };
  const mixed = { LaunchTemplate: { LaunchTemplateSpecification: template, Overrides } };
  const make = (AutoScalingGroupName: string, by: object) =>
    scaling.send(new CreateAutoScalingGroupCommand({ AutoScalingGroupName, ...sizes, ...by }));
  await make('mixed', { MixedInstancesPolicy: mixed });
  await make('plain', { LaunchTemplate: template });
  /** Somebody else changes the size, and waits for the members. */
  const resize = async (AutoScalingGroupName: string, by: number): Promise<void> => {
    const find = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] });
    const wanted = ((await scaling.send(find)).AutoScalingGroups?.[0]?.DesiredCapacity ?? 0) + by;
    await scaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: wanted }));
    await expect
      .poll(async () => (await scaling.send(find)).AutoScalingGroups?.[0]?.Instances?.length)
      .toBeGreaterThanOrEqual(wanted);
  };

  const attributes = { type: ['String', 'X86_64'], ncpus: ['Numeric', '1'], nram: ['Numeric', '4096'] };
  const common = { maxNumber: 20, attributes, subnetId, providerApi: 'ASG' };
  const own = await createPlugin({ AWS_ENDPOINT_URL: backend.url, recordCalls: true }, [
    { ...common, templateId: 'mixed', autoScalingGroupName: 'mixed', vmTypes: { 'm5.large': 1, 'm5a.large': 1 } },
    { ...common, templateId: 'plain', autoScalingGroupName: 'plain', vmType: 'c5.large' },
  ]);
  const give = async (machines: readonly MachineEntry[]) => own.settled(await own.giveBack(machines.map(hostOf)));
  for (const denied of ['', 'LaunchInstances']) {
    // Without LaunchInstances, requests share the group's desired capacity with whoever else changes it.
    backend.emulator.configure({ deniedActions: denied === '' ? [] : [denied] });
    for (const id of ['mixed', 'plain']) {
      const { machines } = await own.settled(await own.request(id, 2));
      expect(machines).toHaveLength(2);
      await resize(id, 1);
      const more = (await own.settled(await own.request(id, 1))).machines;
      const [lost, ...kept] = [...machines, ...more];
      if (lost === undefined) throw new Error('there are no machines');
      backend.emulator.setInstance(lost.machineId, { state: 'terminated', reasonCode: 'Server.InternalError' });
      expect(await own.reclaims([lost, ...kept].map(hostOf))).toHaveLength(1);
      await give([lost, ...kept]);
    }
  }
  // Where one pool has no more, the group launches in another.
  backend.emulator.configure({ deniedActions: [], capacity: { 'm5.large:*': 0 } });
  const { machines } = await own.settled(await own.request('mixed', 2));
  expect(machines).toHaveLength(2);
  backend.emulator.configure({ capacity: {} });
  scaling.destroy();

  const folder = join(own.workDir, 'recordings');
  const actions = (await linesOf(folder)).join();
  for (const action of ['LaunchInstances', 'UpdateAutoScalingGroup', 'TerminateInstanceInAutoScalingGroup'])
    expect(actions).toContain(`"${action}"`);
  const { exitCode, body } = await hfAwsJson(own, 'replay', folder);
  expect(body).toMatchObject({ differences: [], warnings: [], notes: [] });
  expect(exitCode).toBe(0);
  await own.remove();
}, 120_000);

it('announcements of a queue are replayed by the messages that the recorded calls received', async () => {
  backend.emulator.configure({ queues: ['grid-events'] });
  const eventQueue = `${backend.url}/123456789012/grid-events`;
  const own = await createPlugin(
    { AWS_ENDPOINT_URL: backend.url, recordCalls: true, eventQueue, rebalance: 'report' },
    [{ ...templates('/nowhere')[1], templateId: 'spot' }],
  );
  const { machines } = await own.settled(await own.request('spot', 4));
  const hosts = machines.map(hostOf);
  const [first, second, third] = machines;
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are too few machines');
  // Once all are looked at, only announced ones are.
  expect(await own.reclaims(hosts)).toEqual([]);
  backend.emulator.setInstance(first.machineId, { rebalance: true });
  expect(await own.reclaims(hosts)).toHaveLength(1);
  backend.emulator.setInstance(second.machineId, { state: 'terminated', reasonCode: 'Server.SpotInstanceTermination' });
  expect(await own.reclaims(hosts)).toHaveLength(2);
  for (let messages = 0; messages < 12; messages++) backend.emulator.send('grid-events', 'no event at all');
  backend.emulator.setInstance(third.machineId, { rebalance: true });
  expect(await own.reclaims(hosts)).toHaveLength(3);
  await own.settled(await own.giveBack(hosts));
  backend.emulator.configure({ queues: [] });

  const folder = join(own.workDir, 'recordings');
  expect((await linesOf(folder)).join()).toContain('EC2 Instance Rebalance Recommendation');
  const { exitCode, body } = await hfAwsJson(own, 'replay', folder);
  expect(body).toMatchObject({ differences: [], warnings: [], notes: [] });
  expect(exitCode).toBe(0);
  await own.remove();
}, 120_000);
