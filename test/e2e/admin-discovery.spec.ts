import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAwsAsking, hfAwsHere, type Said } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Json, type Plugin } from './plugin.ts';

let backend: EmulatorBackend;
let plugin: Plugin;
let env: Record<string, string>;

const subnet = (letter: string): string => `subnet-0000000000000000${letter}`;
const [image, arm] = ['ami-0000000000000000a', 'ami-0000000000000000b'];

beforeAll(async () => {
  backend = await emulatorBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  plugin = await createPlugin({}, []);
  env = { PATH: plugin.env['PATH'] ?? '' };
  backend.emulator.configure({
    subnets: {
      [subnet('a')]: { zone: 'us-east-1a', vpc: 'vpc-grid' },
      [subnet('b')]: { zone: 'us-east-1b', vpc: 'vpc-grid' },
      [subnet('f')]: { zone: 'us-east-1a', vpc: 'vpc-other' },
    },
    securityGroups: { 'sg-0000000a': 'vpc-grid', 'sg-0000000b': 'vpc-other' },
    images: {
      [image]: { architecture: 'x86_64', rootDeviceName: '/dev/xvda', rootDeviceType: 'ebs' },
      [arm]: { architecture: 'arm64', rootDeviceName: '/dev/xvda', rootDeviceType: 'ebs' },
    },
    keyPairs: ['grid-key'],
    instanceProfiles: ['grid-hosts'],
    capacity: { 'c5.xlarge:us-east-1a': 0 },
    deniedActions: [],
    deniedAccessKeys: [],
  });
});
afterEach(() => plugin.remove());

type Scripted = readonly (readonly [question: RegExp, answer: string])[];

/** A person at a terminal, who expects these questions in this order; the terminal goes away after the last. */
const person = (script: Scripted) => {
  const left = [...script];
  const asked: string[] = [];
  return {
    left,
    asked,
    ask: async (question: string): Promise<string> => {
      asked.push(question);
      const [next] = left;
      if (next === undefined) throw new Error('the terminal is gone');
      const [expected, answer] = next;
      expect(question).toMatch(expected);
      left.shift();
      return answer;
    },
    close: () => undefined,
  };
};

const dialogue = async (script: Scripted, ...args: readonly string[]): Promise<Said & { asked: readonly string[] }> => {
  const terminal = person(script);
  const said = await hfAwsAsking({ env }, ['init', conf(), '--endpoint', backend.url, ...args], terminal);
  expect(terminal.left, said.stdout + said.stderr).toEqual([]);
  return { ...said, asked: terminal.asked };
};

const conf = (): string => join(plugin.directory, 'new');
const read = async (name: string): Promise<Json> =>
  Object.fromEntries(Object.entries(JSON.parse(await readFile(join(conf(), name), 'utf8'))));

const begin: Scripted = [
  [/^Kinds of templates/, '1'],
  [/^AWS Region/, 'us-east-1'],
];
const rest: Scripted = [
  [/^Instance profile/, '1'],
  [/^Key pair/, '1'],
  [/^Name of this Symphony cluster/, ''],
];

describe('init that discovers', () => {
  const credentials = (): string => join(plugin.directory, 'credentials');

  it('lists what the account has, takes numbers, ids and words, and checks each answer at once', async () => {
    const { exitCode, stdout } = await dialogue([
      ...begin,
      [/^File with AWS credentials/, credentials()],
      [/^Image/, 'ami-zzz'],
      [/^Image/, '1 2'],
      [/^Image/, '1'],
      [/^VPC/, 'vpc-none'],
      [/^VPC/, 'vpc-grid'],
      [/^Subnets/, `${subnet('a')} ${subnet('f')}`],
      [/^Subnets/, `${subnet('a')}, ${subnet('b')}`],
      [/^Security groups/, 'sg-0000000b'],
      [/^Security groups/, '1'],
      [/^Cores/, 'many'],
      [/^Cores/, '4 8'],
      [/^Instance types/, 'm6g.large'],
      [/^Instance types/, '1'],
      ...rest,
    ]);
    expect(exitCode, stdout).toBe(0);
    for (const line of [
      /1 {2}ondemand +on demand, one instance type/,
      /arn:aws:iam::123456789012:user\/emulated/,
      /ami-zzz is not an AMI/,
      /one answer is needed, not several/,
      /Amazon Linux 2023, x86_64/,
      new RegExp(`${subnet('a')} +us-east-1a, 4091 free, vpc-grid`),
      /vpc-grid +2 subnets in 2 zones, 8182 free/,
      /there is no vpc-none with subnets/,
      /they are in different VPCs: vpc-grid, vpc-other/,
      /sg-0000000b is in vpc-other, the subnets are in vpc-grid/,
      /two numbers are needed/,
      /1 {2}c6i\.xlarge +4 vCPUs, 8 GiB, x86_64/,
      /m6g\.large is arm64/,
      /1 {2}grid-hosts/,
      /hf-aws requests create ondemand 1 --dry-run/,
    ])
      expect(stdout).toMatch(line);
    // Not of the VPC; not offered in one of the zones.
    expect(stdout).not.toMatch(new RegExp(`\\d {2}${subnet('f')}`));
    expect(stdout).not.toMatch(/\d {2}c5\.xlarge/);
    const { templates } = await read('awsinstprov_templates.json');
    expect(templates).toMatchObject([
      {
        subnetId: [subnet('a'), subnet('b')],
        securityGroupIds: ['sg-0000000a'],
        vmType: 'c6i.xlarge',
        instanceProfile: 'grid-hosts',
        keyName: 'grid-key',
      },
    ]);
  });

  it('turns a list that is not permitted into a plain question, with the permission', async () => {
    const denied = ['DescribeImages', 'DescribeSecurityGroups', 'ListInstanceProfiles', 'DescribeKeyPairs'];
    backend.emulator.configure({ deniedActions: denied });
    const { stdout } = await dialogue([
      ...begin,
      [/^File with AWS credentials/, credentials()],
      [/^Image/, image],
      [/^VPC/, ''],
      [/^Subnets/, subnet('a')],
      [/^Security groups/, ''],
      [/^Cores/, ''],
      [/^Instance types/, 'm5.large'],
      [/^Instance profile/, 'grid-hosts'],
      [/^Key pair/, 'other-key'],
      [/^Name of this/, ''],
    ]);
    for (const action of ['ec2:DescribeImages', 'ec2:DescribeSecurityGroups', 'iam:ListInstanceProfiles'])
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(`cannot be listed: ${action} is not allowed`);
    expect(await read('awsinstprov_templates.json')).toMatchObject({
      templates: [{ instanceProfile: 'grid-hosts', keyName: 'other-key', imageId: image }],
    });
  });

  it('says why before it asks again for credentials, and goes on without lists where they stay', async () => {
    backend.emulator.configure({ deniedAccessKeys: ['AKIATEST'] });
    const { stdout } = await dialogue([
      ...begin,
      [/^File with AWS credentials/, '/nowhere'],
      [/^File with AWS credentials/, credentials()],
      [/^File with AWS credentials/, credentials()],
      [/^Image/, image],
      [/^Subnets/, subnet('a')],
      [/^Security groups/, ''],
      [/^Instance types/, ''],
      [/^Instance profile/, ''],
      [/^Key pair/, ''],
      [/^Name of this/, ''],
    ]);
    expect(stdout).toMatch(/there is no file \/nowhere/);
    expect(stdout).toMatch(/GetCallerIdentity failed/);
    expect(stdout).toContain('Answer again; the same answer goes on without lists.');
    expect(stdout).toContain('Going on without lists');
  });

  it('goes on where it was interrupted, keeps no secret, and asks nothing twice', async () => {
    const first = await dialogue([...begin, [/^File with AWS credentials/, credentials()], [/^Image/, '1']]);
    expect(first.exitCode).toBe(1);
    const kept = await readFile(join(conf(), 'awsinstprov_answers.json'), 'utf8');
    expect(JSON.parse(kept)).toMatchObject({ kind: ['ondemand'], region: 'us-east-1', image });
    expect(kept).not.toContain('AKIATEST');
    const second = await dialogue([
      [/^VPC/, '1'],
      [/^Subnets/, '1'],
      [/^Security groups/, ''],
      [/^Cores/, ''],
      [/^Instance types/, ''],
      ...rest,
    ]);
    expect(second.stderr).toContain('Going on with the answers in');
    expect(await read('awsinstprov_config.json')).toMatchObject({ AWS_REGION: 'us-east-1' });
    const again = await dialogue([]);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('--force')]);
  });

  it('takes a file of answers where nobody is there, and names what is wrong in one', async () => {
    const file = join(plugin.directory, 'answers.json');
    const answers = {
      kind: ['ondemand'],
      region: 'us-east-1',
      credentialsFile: credentials(),
      image,
      subnet: [subnet('a')],
    };
    await writeFile(file, JSON.stringify({ ...answers, colour: 'red' }));
    const unattended = ['init', conf(), '--endpoint', backend.url, '--answers', file];
    const wrong = await hfAwsHere({ env }, unattended);
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/^input\.invalid: .*answers\.json: colour is not an answer/),
    ]);
    await writeFile(file, JSON.stringify({ ...answers, subnet: subnet('a') }));
    expect((await hfAwsHere({ env }, unattended)).stderr).toContain('subnet must be a list of strings');
    await writeFile(file, JSON.stringify(answers));
    const { exitCode } = await hfAwsHere({ env }, unattended);
    expect(exitCode).toBe(0);
    expect(await read('awsinstprov_templates.json')).toMatchObject({ templates: [{ subnetId: subnet('a') }] });
  });

  it('prints the permissions that lists and checks need', async () => {
    const { exitCode, stdout } = await hfAwsHere({ env }, ['init', '--iam-policy']);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { Statement: [{ Effect: 'Allow' }] }]);
    expect(stdout).toContain('iam:ListInstanceProfiles');
  });
});

describe('init --unregister', () => {
  const file = (...path: readonly string[]): string => join(plugin.directory, 'hf', 'conf', ...path);
  const plugins = () => file('providerplugins', 'hostProviderPlugins.json');
  const providers = () => file('providers', 'hostProviders.json');
  const other = { name: 'azureinst', enabled: 1, plugin: 'azure' };
  const parsed = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

  beforeEach(async () => {
    env = { ...env, HF_TOP: join(plugin.directory, 'hf') };
    for (const folder of ['providerplugins', 'providers', 'requestors']) await mkdir(file(folder), { recursive: true });
    const ours = { name: 'awsts', enabled: 1, scriptPath: `${home}/scripts/` };
    await writeFile(plugins(), JSON.stringify({ version: 2, providerplugins: [ours] }));
    const own = { name: 'awsinst', enabled: 1, plugin: 'awsts' };
    await writeFile(providers(), JSON.stringify({ version: 2, providers: [own, other] }));
    const requestors = [{ name: 'sym', providers: ['awsinst', 'azureinst'] }];
    await writeFile(file('requestors', 'hostRequestors.json'), JSON.stringify({ requestors }));
  });

  const command = ['init', '--unregister'];
  const unregister = (answer: string): Promise<Said> =>
    hfAwsAsking({ env }, command, person([[/^Unregister\? \[y\/N\] $/, answer]]));

  it('changes nothing unless it is agreed to', async () => {
    const before = await readFile(providers(), 'utf8');
    const { exitCode, stdout } = await unregister('');
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining('Nothing was changed.')]);
    expect(await readFile(providers(), 'utf8')).toBe(before);
    const unasked = await hfAwsHere({ env }, command);
    expect([unasked.exitCode, await readFile(providers(), 'utf8')]).toEqual([2, before]);
  });

  it('takes provider and plug-in out, keeps copies, and says what still names it and what runs', async () => {
    const { exitCode, stdout } = await unregister('y');
    expect(exitCode, stdout).toBe(0);
    expect(await parsed(providers())).toEqual({ version: 2, providers: [other] });
    expect(await parsed(plugins())).toEqual({ version: 2, providerplugins: [] });
    const [copy = ''] = /Kept a copy: (.*hostProviders.*)/.exec(stdout)?.slice(1) ?? [];
    expect(existsSync(copy)).toBe(true);
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('take awsinst out of "providers" of sym');
    expect(text).toContain('No machine of it is on record as running.');
  });

  it('leaves the plug-in to other providers, and providers of other plug-ins alone', async () => {
    const second = { name: 'second', enabled: 1, plugin: 'awsts' };
    const own = { name: 'awsinst', enabled: 1, plugin: 'awsts' };
    await writeFile(providers(), JSON.stringify({ version: 2, providers: [own, second, other] }));
    expect((await hfAwsHere({ env }, [...command, '--yes'])).exitCode).toBe(0);
    expect(await parsed(providers())).toEqual({ version: 2, providers: [second, other] });
    expect(await parsed(plugins())).toMatchObject({ providerplugins: [{ name: 'awsts' }] });
    const foreign = await hfAwsHere({ env }, [...command, '--yes', '--instance', 'azureinst']);
    expect([foreign.exitCode, foreign.stderr]).toEqual([
      1,
      expect.stringContaining('provider azureinst runs plug-in azure, not this installation'),
    ]);
  });
});
