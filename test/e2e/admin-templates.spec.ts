import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectGolden, hfAws, hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { listOf } from './entries.ts';
import { createOwnGroup } from './own-group.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';

/** Twelve mistakes, each marked by a comment with its number at the end of the line it is found on. */
const planted = `{
  // Templates of the night shift.
  "templates": [
    {
      "templateId": "typo", "maxNumber": 10,
      "imageIdd": "ami-0123456789abcdef0", // 1
      "subnetId": "subnet-0123456789abcdef0",
      "vmTyp": "m5.large", // 2
      "volumeType": "io2", "rootDeviceVolumeSize": 20000, // 3
      "iops": 50, // 4
    },
    {
      "templateId": "promises", "maxNumber": "ten", // 5
      "imageId": "ami-0123456789abcdef0", "subnetId": "subnet-0123456789abcdef0",
      "vmType": "m5.large",
      "attributes": {
        "type": ["String", "X86_64"],
        "ncpus": 64, // 6
        "nram": ["Numeric", "9000"], // 7
      },
      "userDataScript": "/no/such/script.sh", // 8
    },
    { // 9
      "templateId": "spot", "maxNumber": 4, "priceType": "spot",
      "subnetId": ["subnet-0123456789abcdef0"],
      "vmTypes": {
        "m5.large": 1,
        "m6g.large": 1 // 10
      },
      "attributes": { "type": "X86_64", "ncpus": 1, "nram": 4096 },
      "securityGroupIds": ["sg-0123456789abcdef0", "default"] // 11
    },
    {
      "templateId": "spot", // 12
      "maxNumber": 4,
      "imageId": "ami-0123456789abcdef0",
      "subnetId": "subnet-0123456789abcdef0",
      "vmType": "m5.large"
    }
  ]
}
`;

/** The line of each mark. */
const marks = planted.split('\n').flatMap((line, index) => (/\/\/ \d+$/.test(line) ? [index + 1] : []));

const good = { templateId: 'good', maxNumber: 4, vmType: 'm5.large' };

const byNumber = (a: number, b: number): number => a - b;

describe('hf-aws templates', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [{ ...good, ...backend.place }]);
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
    backend.emulator.configure({
      missingImages: [],
      missingKeys: [],
      subnets: {},
      securityGroups: {},
      deniedActions: [],
      freeAddresses: {},
    });
  });

  it('validate takes a file by any name, and reads nothing that may have no end', async () => {
    await writeFile(join(plugin.directory, 'night-shift'), '{"templates": []}');
    expect(await hfAws(plugin, ['templates', 'validate', 'night-shift'])).toMatchObject({ exitCode: 0 });
    expect(await hfAwsHere(plugin, ['templates', 'validate', '/dev/zero'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('/dev/zero is a pipe or a device, not a plain file'),
    });
  });

  it('validate finds twelve planted mistakes in one run, each at its place', async () => {
    await writeFile(join(plugin.directory, 'night.json'), planted);
    const { exitCode, stdout } = await hfAws(plugin, ['templates', 'validate', './night.json', '--json']);
    const body: Record<string, unknown> = JSON.parse(stdout);
    expect(exitCode).toBe(1);
    expect(body['isValid']).toBe(false);
    expect(
      [...listOf(body['errors']), ...listOf(body['warnings'])].map(({ line }) => Number(line)).sort(byNumber),
    ).toEqual(marks);
    const text = await hfAws(plugin, ['templates', 'validate', './night.json']);
    expect(text.exitCode).toBe(1);
    await expectGolden('templates-validate.txt', text.stdout);
  });
  it('validate finds nothing in the shipped templates', async () => {
    const { exitCode, body } = await hfAwsJson(
      plugin,
      'templates',
      'validate',
      join(home, 'config', 'awsprov_templates.json'),
    );
    expect([exitCode, body['errors'], body['warnings']]).toEqual([0, [], []]);
    expect(body['templates']).toHaveLength(13);
  });

  it('takes comments and trailing commas where Host Factory asks for the templates too', async () => {
    const { templates } = { templates: [{ ...good, ...backend.place }] };
    const text = `// for the day\n${JSON.stringify({ templates }, null, 2).replace('}\n  ]', '},\n  ]')}`;
    await writeFile(join(plugin.directory, 'conf', 'awsinstprov_templates.json'), text);
    expect(() => JSON.parse(text)).toThrow();
    expect((await plugin.call('getAvailableTemplates', {})).body['templates']).toHaveLength(1);
  });

  it('validate --aws asks what only AWS knows, and changes nothing', async () => {
    const { emulator } = backend;
    expect(await hfAwsJson(plugin, 'templates', 'validate', '--aws')).toMatchObject({
      exitCode: 0,
      body: { errors: [], warnings: [] },
    });
    const apart = { subnetId: ['subnet-0aaaaaaaaaaaaaaaa', 'subnet-0bbbbbbbbbbbbbbbb'] };
    await plugin.offer([
      { ...good, ...backend.place, templateId: 'image', imageId: 'ami-0aaaaaaaaaaaaaaaa' },
      { ...good, ...backend.place, templateId: 'key', keyName: 'lost' },
      { ...good, ...backend.place, ...apart, templateId: 'apart', securityGroupIds: ['sg-0cccccccccccccccc'] },
      { ...good, ...backend.place, templateId: 'arm', imageId: 'ami-0dddddddddddddddd' },
    ]);
    const arm = { rootDeviceName: '/dev/xvda', architecture: 'arm64', rootDeviceType: 'ebs' };
    emulator.configure({
      missingImages: ['ami-0aaaaaaaaaaaaaaaa'],
      images: { 'ami-0dddddddddddddddd': arm },
      missingKeys: ['lost'],
      subnets: {
        'subnet-0aaaaaaaaaaaaaaaa': { zone: 'us-east-1a', vpc: 'vpc-1' },
        'subnet-0bbbbbbbbbbbbbbbb': { zone: 'us-east-1b', vpc: 'vpc-2' },
      },
      securityGroups: { 'sg-0cccccccccccccccc': 'vpc-3' },
      freeAddresses: { 'subnet-0aaaaaaaaaaaaaaaa': 0, 'subnet-0bbbbbbbbbbbbbbbb': 2 },
    });
    const { exitCode, body } = await hfAwsJson(plugin, 'templates', 'validate', '--aws');
    expect(exitCode).toBe(1);
    const told = [...listOf(body['errors']), ...listOf(body['warnings'])].map(
      ({ templateId, severity, field, rule }) => `${templateId} ${severity} ${field}: ${rule}`,
    );
    expect(told.sort()).toEqual([
      expect.stringMatching(/^apart error securityGroupIds: sg-0c+ is in vpc-3, the subnet in vpc-1$/),
      expect.stringMatching(/^apart error subnetId: the subnets are in different VPCs: vpc-1, vpc-2$/),
      expect.stringMatching(/^apart warning subnetId.0: subnet-0a+ has no free address$/),
      expect.stringMatching(/^apart warning subnetId: has 2 free addresses for maxNumber 4$/),
      expect.stringMatching(/^arm error imageId: ami-0d+ is arm64, but m5.large is x86_64$/),
      expect.stringMatching(/^image error imageId: InvalidAMIID.NotFound/),
      expect.stringMatching(/^key error keyName: InvalidKeyPair.NotFound/),
    ]);
    expect(Object.keys(emulator.countCalls()).filter((action) => !action.startsWith('Describe'))).toEqual([
      'RunInstances',
    ]);
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
  });

  it('validate --aws and doctor tell what in a group of the administrator’s would cost or end hosts', async () => {
    const group = await createOwnGroup(backend, 'spot');
    const { imageId: _image, securityGroupIds: _groups, ...place } = backend.place;
    const own = { ...good, ...place, providerApi: 'ASG', autoScalingGroupName: 'grid' };
    await plugin.offer([own]);
    expect((await hfAwsJson(plugin, 'templates', 'validate', '--aws')).body['warnings']).toEqual([]);
    await group.change(
      { isProtecting: false, isRebalancing: true, least: 1, most: 3 },
      'ReplaceUnhealthy',
      'AZRebalance',
    );
    await plugin.offer([own, { ...own, templateId: 'lost', autoScalingGroupName: 'lost' }]);
    const { exitCode, body } = await hfAwsJson(plugin, 'templates', 'validate', '--aws');
    expect(exitCode).toBe(1);
    const rules = listOf(body['warnings']).map(({ rule }) => rule);
    expect(rules).toEqual([
      expect.stringMatching(/suspend ReplaceUnhealthy$/),
      expect.stringMatching(/suspend AZRebalance$/),
      expect.stringMatching(/protect new instances from scale-in$/),
      expect.stringMatching(/switch CapacityRebalance off$/),
      'grid has MaxSize 3 for maxNumber 4',
      'grid has MinSize 1: no host can be given back below that',
    ]);
    expect(body['errors']).toMatchObject([
      { templateId: 'lost', rule: expect.stringMatching(/no Auto Scaling group lost/) },
    ]);
    const { diagnoses } = (await hfAwsJson(plugin, 'doctor')).body;
    const groups = listOf(diagnoses).filter(({ subject }) => subject === 'groups');
    expect(groups).toHaveLength(rules.length + 1);
    await group.remove();
  });

  it('validate --aws tells who may not launch, and what could not be looked at', async () => {
    backend.emulator.configure({ deniedActions: ['RunInstances', 'DescribeSecurityGroups'] });
    const { exitCode, body } = await hfAwsJson(plugin, 'templates', 'validate', 'good', '--aws');
    expect(exitCode).toBe(1);
    expect(body['errors']).toEqual([
      expect.objectContaining({ field: '', rule: expect.stringContaining('may not be launched') }),
    ]);
    expect(body['warnings']).toEqual([
      expect.objectContaining({ field: 'securityGroupIds', rule: expect.stringContaining('without permission') }),
    ]);
  });
});

describe('templates diff and plan', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, []);
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  it('tells before and after an edit what it does, and what running requests keep', async () => {
    const attributes = { type: 'X86_64', ncpus: 1, nram: 4096 };
    const template = { templateId: 'od', maxNumber: 10, vmType: 'm5.large', attributes, ...backend.place };
    const edited = [
      { ...template, vmType: 'c5.large' },
      { ...template, templateId: 'new' },
    ];
    await plugin.offer([template]);
    await plugin.settled(await plugin.request('od', 2));
    const candidate = join(plugin.directory, 'candidate.json');
    await writeFile(candidate, JSON.stringify({ templates: edited }));
    const before = await hfAwsHere(plugin, ['templates', 'diff', candidate]);
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = before.stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /candidate\.json against .*awsinstprov_templates\.json, in effect, and running requests:$/,
    );
    expect(lines.slice(1)).toEqual([
      '~ od changed: its 1 running request with 2 machines goes on unchanged, and returns work',
      '    vmType: m5.large -> c5.large: goes for new requests',
      '    1 running request with 2 machines keeps vmType m5.large (now c5.large)',
      '+ new added: is offered by the next getAvailableTemplates',
    ]);
    await plugin.offer([...edited, { ...template, templateId: 'bad', subnetId: 7 }]);
    const after = await hfAwsHere(plugin, ['templates', 'diff']);
    expect(after).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('bad has faults') });
    expect(after.stdout).toContain('1 running request with 2 machines keeps vmType m5.large (now c5.large)');
  });

  it('tells what the next request for each template would do, and changes nothing', async () => {
    const template = { templateId: 'plain', maxNumber: 4, vmType: 'm5.large', ...backend.place };
    const fleet = { ...template, templateId: 'fleet', vmType: undefined, vmTypes: { 'm5.large': 1, 'm5a.large': 1 } };
    await plugin.offer([template, { ...fleet, priceType: 'spot' }]);
    await plugin.settled(await plugin.request('plain', 3));
    const before = [await plugin.state(), await backend.instanceIds('running')];
    const well = await hfAwsHere(plugin, ['templates', 'plan', '--json']);
    expect(well).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(well.stdout)).toEqual([
      expect.objectContaining({
        templateId: 'plain',
        wanted: 1,
        launches: true,
        calls: ['RunInstances'],
        usdPerHour: 0.096,
      }),
      expect.objectContaining({
        templateId: 'fleet',
        market: 'all on spot',
        launches: true,
        calls: ['CreateLaunchTemplate', 'CreateFleet'],
      }),
    ]);
    const many = await hfAwsHere(plugin, ['templates', 'plan', 'plain', '--count', '2']);
    expect(many).toMatchObject({ exitCode: 1, stderr: '' });
    expect(many.stdout).toMatch(/^plain .* 0\.19 +template\.limit$/m);
    expect(many.stdout).toMatch(
      /^plain launches nothing: 2 more would exceed maxNumber 4 .*\nNothing was sent or written\.$/m,
    );
    expect([await plugin.state(), await backend.instanceIds('running')]).toEqual(before);
  });

  it('tells with --aws what the account would refuse', async () => {
    const template = { templateId: 'plain', maxNumber: 4, vmType: 'm5.large', ...backend.place };
    backend.emulator.configure({ missingImages: ['ami-0aaaaaaaaaaaaaaaa'] });
    await plugin.offer([{ ...template, imageId: 'ami-0aaaaaaaaaaaaaaaa' }]);
    const { exitCode, stdout } = await hfAwsHere(plugin, ['templates', 'plan', 'plain', '--aws']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^plain: error: imageId InvalidAMIID\.NotFound/m);
  });
});
