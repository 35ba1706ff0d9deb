import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectGolden, hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Json, type Plugin } from './plugin.ts';

const flat = (value: unknown): string => JSON.stringify(value);

/** The parameters of a call as they went over the wire, by name. */
const actionsOf = (calls: unknown): readonly string[] =>
  (Array.isArray(calls) ? calls : []).map(({ action }: { action: string }) => action);

const withoutAccidents = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/hf-aws-[0-9a-f]{32}/g, 'hf-aws-<hash>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/"\d+\.\d+\.\d+"/g, '"<version>"');

describe('a rehearsal', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  const templates = (): readonly Json[] => {
    const attributes = { type: 'X86_64', ncpus: 1, nram: 4096 };
    const common = { maxNumber: 10, attributes, ...backend.place };
    const fleet = { ...common, vmTypes: { 'm5.large': 1, 'm5.xlarge': 2 } };
    return [
      {
        ...common,
        templateId: 'od',
        vmType: 'm5.large',
        volumeType: 'gp3',
        subnetId: ['subnet-0aaaaaaaaaaaaaaaa', 'subnet-0bbbbbbbbbbbbbbbb'],
      },
      { ...fleet, templateId: 'fleet', priceType: 'spot', percentOnDemand: 30 },
      { ...fleet, templateId: 'spot-fleet', priceType: 'spot', fleetRole: 'arn:aws:iam::123456789012:role/fleet' },
      { ...fleet, templateId: 'mixed', priceType: 'heterogeneous' },
      { ...fleet, templateId: 'group', priceType: 'spot', providerApi: 'ASG' },
      { ...common, templateId: 'alias', vmType: 'm5.large', imageId: '/aws/service/ami-amazon-linux-latest/al2023' },
    ];
  };

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, templates());
    backend.emulator.forgetCalls();
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
  });

  it.each([
    ['od', ['DescribeImages', 'RunInstances']],
    ['fleet', ['CreateLaunchTemplate', 'CreateFleet']],
    ['spot-fleet', ['CreateLaunchTemplate', 'RequestSpotFleet']],
    ['mixed', ['CreateLaunchTemplate', 'CreateFleet']],
    ['group', ['CreateLaunchTemplate', 'CreateAutoScalingGroup', 'SuspendProcesses', 'UpdateAutoScalingGroup']],
    ['alias', ['GetParameter', 'RunInstances']],
  ])(
    'of a request by template %s tells the calls that then go out, and sends and writes nothing',
    async (templateId, expected) => {
      const told = await hfAwsJson(plugin, 'requests', 'create', templateId, '3', '--dry-run');
      expect(told.exitCode).toBe(0);
      expect(actionsOf(told.body['calls'])).toEqual(expected);
      expect(backend.emulator.countCalls()).toEqual({});
      expect(await plugin.state()).toEqual([]);
      await plugin.request(templateId, 3);
      expect(Object.keys(backend.emulator.countCalls()).sort()).toEqual([...expected].sort());
    },
  );

  it('knows what is remembered: the second request asks less', async () => {
    await plugin.request('od', 1);
    const { body } = await hfAwsJson(plugin, 'requests', 'create', 'od', '1', '--dry-run');
    expect(actionsOf(body['calls'])).toEqual(['RunInstances']);
    expect(flat(body['calls'])).toContain('"DeviceName":"/dev/');
  });

  it('of a return names exactly the machines of ours, and leaves them running', async () => {
    const { machines } = await plugin.settled(await plugin.request('od', 2));
    const [one] = machines;
    if (one === undefined) throw new Error('no machine');
    backend.emulator.forgetCalls();
    const before = await plugin.state();
    const { body, exitCode } = await hfAwsJson(plugin, 'machines', 'return', one.machineId, '--dry-run');
    expect(exitCode).toBe(0);
    expect(body['calls']).toEqual([
      expect.objectContaining({ action: 'DescribeInstances' }),
      { service: 'ec2', action: 'TerminateInstances', input: { InstanceIds: [one.machineId] } },
    ]);
    const byName = await hfAwsJson(plugin, 'machines', 'return', one.name, '--dry-run');
    expect(flat(byName.body['calls'])).toContain(one.machineId);
    expect(backend.emulator.countCalls()).toEqual({});
    expect(await plugin.state()).toEqual(before);
    await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
  });

  it('refuses what the request itself would be refused', async () => {
    expect(await hfAwsJson(plugin, 'requests', 'create', 'od', '11', '--dry-run')).toMatchObject({
      exitCode: 1,
      body: { error: { code: 'template.limit' } },
    });
    await plugin.settled(await plugin.request('od', 8));
    expect(await hfAwsJson(plugin, 'requests', 'create', 'od', '3', '--dry-run')).toMatchObject({
      exitCode: 1,
      body: { error: { code: 'template.limit' } },
    });
  });

  it('says which pools are kept clear of at the moment', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 0 } });
    await plugin.call('requestMachines', { template: { templateId: 'od', machineCount: 1 } });
    backend.emulator.configure({ capacity: {} });
    const { stdout } = await hfAwsHere(plugin, ['templates', 'explain-launch', 'od', '1']);
    const avoided = stdout.split('\n').filter((line) => line.startsWith('Avoided'));
    expect(avoided).toHaveLength(2);
    expect(avoided[0]).toBe(
      'Avoided for another 3 min, unless nothing else is left: m5.large in subnet-0aaaaaaaaaaaaaaaa on demand (InsufficientInstanceCapacity).',
    );
    const { body } = await hfAwsJson(plugin, 'templates', 'explain-launch', 'od', '1');
    expect(body['avoided']).toHaveLength(2);
    const spot = await hfAwsHere(plugin, ['templates', 'explain-launch', 'spot-fleet', '1']);
    expect(spot.stdout).not.toContain('Avoided');
  });

  it('in words', async () => {
    for (const templateId of ['od', 'fleet', 'mixed', 'group']) {
      const { exitCode, stdout } = await hfAwsHere(plugin, ['templates', 'explain-launch', templateId, '4']);
      expect(exitCode).toBe(0);
      await expectGolden(`explain-launch-${templateId}.txt`, withoutAccidents(stdout));
    }
    const { stdout } = await hfAwsHere(plugin, ['templates', 'show', 'od']);
    await expectGolden('templates-show.txt', stdout.replaceAll(plugin.directory, '<directory>'));
    const { origins, templateId } = JSON.parse((await hfAwsHere(plugin, ['templates', 'show', 'od', '--json'])).stdout);
    expect([templateId, origins]).toEqual([
      'od',
      expect.objectContaining({
        vmType: 'template',
        allOrNothing: 'program default',
        'attributes.ncores': 'program default',
      }),
    ]);
    const unknown = await hfAwsHere(plugin, ['templates', 'show', 'old']);
    expect(unknown).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^template.not-found: no template "old"/),
    });
  });
});
