import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectGolden, hfAws, hfAwsHere, hfAwsJson, type Said } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Json, type Plugin } from './plugin.ts';

let backend: EmulatorBackend;
let plugin: Plugin;
let env: Record<string, string>;

beforeAll(async () => {
  backend = await emulatorBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  plugin = await createPlugin({}, []);
  env = { PATH: plugin.env['PATH'] ?? '' };
});
afterEach(() => plugin.remove());

const withoutAccidents = (text: string): string =>
  text
    .replaceAll(plugin.directory, '<directory>')
    .replaceAll(home, '<home>')
    .replaceAll(JSON.stringify(home.split('/').at(-1)), '"<folder>"')
    .replaceAll(process.version, '<version>')
    .replaceAll(process.execPath, '<node>')
    .replaceAll(backend.url, '<endpoint>')
    .replaceAll(/\d{8}T\d{6}Z/g, '<time>');

const place = (): readonly string[] => [
  ...['--region', 'us-east-1', '--credentials-file', join(plugin.directory, 'credentials')],
  ...['--image', 'ami-0123456789abcdef0', '--subnet', 'subnet-0123456789abcdef0', '--endpoint', backend.url],
];
const init = (...args: readonly string[]): Promise<Said> =>
  hfAws({ env, directory: plugin.directory }, ['init', ...args, ...place()]);
const read = async (...path: readonly string[]): Promise<Json> =>
  Object.fromEntries(Object.entries(JSON.parse(await readFile(join(plugin.directory, ...path), 'utf8'))));

describe('hf-aws init', () => {
  it('writes both files, prints what is to be registered, and lets doctor look', async () => {
    const { exitCode, stdout } = await init('new', '--kind', 'ondemand', '--kind', 'heterogeneous');
    await expectGolden('init.txt', withoutAccidents(stdout));
    expect(exitCode).toBe(0);
    expect(await readdir(join(plugin.directory, 'new'))).toEqual(
      expect.arrayContaining(['awsinstprov_config.json', 'awsinstprov_templates.json']),
    );
    expect(await read('new', 'awsinstprov_templates.json')).toMatchObject({
      templates: [
        { templateId: 'ondemand', vmType: 'm5.large', subnetId: 'subnet-0123456789abcdef0' },
        { templateId: 'heterogeneous', vmTypesOnDemand: { 'm5.large': 1 } },
      ],
    });
  });

  it('makes a template of every kind that can be used', async () => {
    const kinds = [
      'ondemand',
      'spot',
      'spot-one-type',
      'spot-fleet',
      'heterogeneous',
      'requirements',
      'group',
      'own-group',
    ];
    const { exitCode, stdout } = await init(
      ...['new', '--json', '--no-aws', '--fleet-role', 'arn:aws:iam::123456789012:role/fleet', '--group-name', 'grid'],
      ...['--vm-type', 'c5.xlarge', '--vm-type', 'm5.xlarge', '--security-group', 'sg-0123456789abcdef0'],
      ...kinds.flatMap((kind) => ['--kind', kind]),
    );
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { doctor: { isWell: true } }]);
    const file = join(plugin.directory, 'new', 'awsinstprov_templates.json');
    const { body } = await hfAwsJson(plugin, 'templates', 'validate', file);
    expect(body).toMatchObject({ isValid: true, templates: kinds, warnings: [] });
  });

  it('replaces nothing unless it is told to, and then keeps copies', async () => {
    expect((await init('new', '--kind', 'ondemand', '--no-aws')).exitCode).toBe(0);
    const file = join(plugin.directory, 'new', 'awsinstprov_templates.json');
    await writeFile(file, 'mine');
    const refused = await init('new', '--kind', 'spot', '--no-aws');
    expect([refused.exitCode, refused.stdout, await readFile(file, 'utf8')]).toEqual([1, '', 'mine']);
    expect(refused.stderr).toContain(`nothing was written, since there are already:`);
    const forced = await init('new', '--kind', 'spot', '--no-aws', '--force');
    expect(forced.exitCode).toBe(0);
    const [copy = ''] = /Kept a copy: (.*templates.*)/.exec(forced.stdout)?.slice(1) ?? [];
    expect(await readFile(copy, 'utf8')).toBe('mine');
    expect(await read('new', 'awsinstprov_templates.json')).toMatchObject({ templates: [{ templateId: 'spot' }] });
  });

  it('tells every flag that is missing, and every value that has no sense, and writes nothing', async () => {
    const missing = await hfAws({ env, directory: plugin.directory }, ['init', '--kind', 'own-group']);
    expect(missing.exitCode).toBe(1);
    for (const flag of ['<directory>', '--region', '--credentials-file', '--image', '--subnet', '--group-name'])
      expect(missing.stderr).toContain(flag);
    const bad = await init('new', '--kind', 'ondemand', '--vm-type', 'large', '--security-group', 'mine');
    expect([bad.exitCode, bad.stderr]).toEqual([
      1,
      expect.stringMatching(/--security-group mine is not .*\n +--vm-type large is not/),
    ]);
    expect(existsSync(join(plugin.directory, 'new'))).toBe(false);
    expect((await init('new', '--kind', 'moon')).exitCode).toBe(2);
  });

  it('asks on a terminal for what is missing, and says of an answer at once why it cannot be taken', async () => {
    const command = `node ${join(home, 'dist', 'hf-aws.cjs')} init --no-aws --endpoint ${backend.url}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { env, cwd: plugin.directory });
    const subnets = 'one or more of one VPC: ';
    const answers = [
      ['Folder for the configuration: ', 'asked'],
      ['one or more: ', 'ondemand foo'],
      ['there is no kind foo', ''],
      ['one or more: ', 'ondemand spot'],
      ['AWS Region, e.g. eu-central-1: ', ''],
      ['it is needed', ''],
      ['AWS Region, e.g. eu-central-1: ', 'Frankfurt'],
      ['Frankfurt is not a Region like eu-central-1', ''],
      ['AWS Region, e.g. eu-central-1: ', 'us-east-1'],
      ['("role": the role of this host): ', '/nowhere'],
      ['there is no file /nowhere', ''],
      ['("role": the role of this host): ', 'role'],
      ['ami-... or an SSM parameter: ', 'ami-zzz'],
      ['ami-zzz is not an AMI', ''],
      ['ami-... or an SSM parameter: ', 'ami-0123456789abcdef0'],
      [subnets, 'net-1'],
      ['net-1 is not a subnet', ''],
      [subnets, 'subnet-0123456789abcdef0'],
      [": the VPC's default group): ", ''],
      ['those of the worked templates): ', ''],
      ['Instance profile of the hosts (Enter: none): ', ''],
      ['Key pair for ssh (Enter: none): ', ''],
      ['(Enter: hostfactory): ', ''],
    ] as const;
    let [said, heard, next] = ['', 0, 0];
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
      for (;;) {
        const [expected, answer] = answers[next] ?? ['\0', ''];
        const at = said.indexOf(expected, heard);
        if (at < 0) break;
        heard = at + expected.length;
        next += 1;
        if (expected.endsWith(': ')) child.stdin.write(`${answer}\r`);
      }
    });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect([exitCode, answers[next]], said).toEqual([0, undefined]);
    expect(await read('asked', 'awsinstprov_config.json')).not.toHaveProperty('AWS_CREDENTIAL_FILE');
    expect(await read('asked', 'awsinstprov_templates.json')).toMatchObject({
      templates: [{ templateId: 'ondemand' }, { templateId: 'spot' }],
    });
  });
});

describe('hf-aws init --register', () => {
  const plugins = ['hf', 'conf', 'providerplugins', 'hostProviderPlugins.json'] as const;
  const providers = ['hf', 'conf', 'providers', 'hostProviders.json'] as const;
  const other = { name: 'azureinst', enabled: 1, plugin: 'azure', note: 'kept' };

  beforeEach(async () => {
    env = { ...env, HF_TOP: join(plugin.directory, 'hf'), HF_VERSION: '1.2' };
    for (const folder of ['providerplugins', 'providers'])
      await mkdir(join(plugin.directory, 'hf', 'conf', folder), { recursive: true });
    for (const folder of ['work', 'log']) await mkdir(join(plugin.directory, 'hf', folder));
    await writeFile(join(plugin.directory, ...providers), JSON.stringify({ version: 2, providers: [other], more: 7 }));
  });

  it('merges into what is there, keeps a copy, and changes nothing the second time', async () => {
    const first = await init('--kind', 'ondemand', '--register', '--plugin', 'awsts', '--json');
    expect([first.exitCode, first.stderr]).toEqual([0, '']);
    const { backups, doctor } = JSON.parse(first.stdout);
    expect(doctor.diagnoses).toContainEqual({
      subject: 'registration',
      status: 'ok',
      what: 'awsinst runs plug-in awsts',
    });
    expect(backups).toEqual([expect.stringContaining('hostProviders.json.')]);
    expect(JSON.parse(await readFile(backups[0], 'utf8'))).toEqual({ version: 2, providers: [other], more: 7 });
    const entry = { name: 'awsinst', plugin: 'awsts', confPath: `\${HF_CONFDIR}/providers/awsinst/` };
    expect(await read(...providers)).toMatchObject({ version: 2, providers: [other, entry], more: 7 });
    expect(await read(...plugins)).toMatchObject({
      providerplugins: [{ name: 'awsts', scriptPath: `${home}/scripts/` }],
    });

    const before = await Promise.all(
      [plugins, providers].map((path) => readFile(join(plugin.directory, ...path), 'utf8')),
    );
    const second = await init('--kind', 'ondemand', '--register', '--force', '--json');
    expect(JSON.parse(second.stdout).registrations).toMatchObject([{ state: 'was there' }, { state: 'was there' }]);
    expect(
      await Promise.all([plugins, providers].map((path) => readFile(join(plugin.directory, ...path), 'utf8'))),
    ).toEqual(before);
  });

  it('takes over a disabled provider of another plug-in, an enabled one when forced, and keeps a copy', async () => {
    const ibm = { name: 'awsinst', enabled: 0, plugin: 'aws', note: 'kept' };
    const stock = JSON.stringify({ version: 2, providers: [ibm, other] });
    await writeFile(join(plugin.directory, ...providers), stock);
    const { exitCode, stdout } = await init('--kind', 'ondemand', '--register', '--plugin', 'awsts', '--no-aws');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Taken over in .*hostProviders\.json: awsinst ran plug-in aws, and now runs awsts$/m);
    const [copy = ''] = /Kept a copy: (.*hostProviders.*)/.exec(stdout)?.slice(1) ?? [];
    expect(await readFile(copy, 'utf8')).toBe(stock);
    const taken = { ...ibm, enabled: 1, plugin: 'awsts', confPath: `\${HF_CONFDIR}/providers/awsinst/` };
    expect(await read(...providers)).toMatchObject({ version: 2, providers: [taken, other] });

    const enabled = JSON.stringify({ version: 2, providers: [{ ...ibm, enabled: 1 }, other] });
    await writeFile(join(plugin.directory, ...providers), enabled);
    const forced = await init('--kind', 'ondemand', '--register', '--force', '--no-aws', '--json');
    expect(JSON.parse(forced.stdout).registrations).toMatchObject([
      { state: 'was there' },
      { state: 'taken over', before: 'aws', entry: { plugin: 'awsts' } },
    ]);
    expect(await read(...providers)).toMatchObject({ providers: [taken, other] });
  });

  it.each([
    [
      'a name that another provider has',
      JSON.stringify({ providers: [{ name: 'awsinst', plugin: 'aws', enabled: 1 }] }),
      /has another provider named awsinst, enabled for plug-in aws: --force takes it over, --instance chooses/,
    ],
    [
      'a file from before there were plug-ins',
      JSON.stringify({ providers: [{ name: 'cc', enabled: 1, confPath: '/cc/conf', scriptPath: '/cc/scripts' }] }),
      /has the form of Symphony 7\.2 and older.*add \{"name":"awsinst","enabled":1,"confPath":".*","scriptPath":"\/.*scripts\/"\}/,
    ],
    ['a file with comments', '{ "providers": [] } // ours', /cannot merge into .*add the entry by hand/],
    ['a list that is none', '{ "providers": {} }', /providers must be an array/],
  ])('writes nothing at all over %s', async (_what, text, message) => {
    await writeFile(join(plugin.directory, ...providers), text);
    const { exitCode, stderr } = await init('--kind', 'ondemand', '--register');
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(await readFile(join(plugin.directory, ...providers), 'utf8')).toBe(text);
    expect(await readdir(join(plugin.directory, 'hf', 'conf'), { recursive: true })).toEqual(
      expect.not.arrayContaining(['providers/awsinst', 'providerplugins/hostProviderPlugins.json']),
    );
  });

  it('needs to know where Host Factory is', async () => {
    env = { PATH: env['PATH'] ?? '' };
    const { exitCode, stderr } = await init('new', '--kind', 'ondemand', '--register');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('neither HF_TOP nor HF_CONFDIR is set')]);
  });
});

describe('hf-aws import, also by its name import-ibm', () => {
  const ibm = async (config: Json, templates: readonly Json[]): Promise<string> => {
    const folder = join(plugin.directory, 'ibm', 'conf');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'awsprov_config.json'), JSON.stringify(config, null, 2));
    await writeFile(join(folder, 'awsprov_templates.json'), JSON.stringify({ templates }, null, 2));
    return join(plugin.directory, 'ibm');
  };
  const good = {
    templateId: 'good',
    maxNumber: 2,
    imageId: 'ami-0123456789abcdef0',
    subnetId: 'subnet-1',
    vmType: 'm5.large',
  };

  it('tells of every field what becomes of it, and which template would be left out', async () => {
    const folder = await ibm(
      { AWS_REGION: 'us-east-1', AWS_PROXY_HOST: '', AWS_SPOT_TERMINATE_ON_RECLAIM: true, AWS_COLOUR: 'red' },
      [
        {
          ...good,
          attributes: { ncpus: 2, mem: ['Numeric', '4096'] },
          pgrpName: null,
          userData: 'a=b',
          colour: 'red',
          keyName: '',
        },
        { ...good, templateId: 'bad', vmType: 'm5.large,c5.large', maxNumber: 'many' },
      ],
    );
    const said = await hfAwsHere({ env }, ['import-ibm', folder, '--all']);
    expect(said.exitCode).toBe(1);
    await expectGolden('import-ibm.txt', withoutAccidents(said.stdout));
    const { exitCode, body } = await hfAwsJson({ env }, 'import-ibm', folder);
    expect([exitCode, body['leftOut'], body['instance']]).toEqual([1, ['bad'], 'aws']);
  });

  it('exits 0 where all can be used, 1 where a file cannot', async () => {
    const fine = await hfAwsJson({ env }, 'import-ibm', await ibm({ AWS_REGION: 'us-east-1' }, [good]));
    expect([fine.exitCode, fine.body['leftOut'], fine.body['faults']]).toEqual([0, [], []]);
    const moon = await hfAwsJson({ env }, 'import-ibm', await ibm({ AWS_REGION: 'moon' }, [good]));
    expect([moon.exitCode, moon.body['faults']]).toEqual([1, [expect.stringContaining('AWS_REGION')]]);
    const none = await hfAwsJson({ env }, 'import-ibm', join(plugin.directory, 'nowhere'));
    expect([none.exitCode, none.body['error']]).toMatchObject([1, { code: 'configuration.missing' }]);
  });
});
