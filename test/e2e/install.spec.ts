import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hfAws } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { home, type Json, type Outcome, runScript } from './plugin.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const hasVerifier = spawnSync('systemd-analyze', ['--version']).status === 0;
let backend: EmulatorBackend;
let directory: string;
/** As $HF_TOP is laid out. */
let top: string;
let target: string;
/** The package as it is unpacked, at a place Host Factory knows nothing of. */
let unpacked: string;
let inputs = 0;

const install = (args: readonly string[], more: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync('sh', [join(unpacked, 'install.sh'), ...args], {
    env: { ...env, ...more },
    encoding: 'utf8',
  });
  return { exitCode: status, stdout, stderr };
};
/** The environment that Host Factory gives to a provider's scripts. */
const environmentOf = (instance: string): Record<string, string> => ({
  ...env,
  HF_TOP: top,
  HF_VERSION: '1.2',
  HF_CONFDIR: join(top, 'conf'),
  HF_WORKDIR: join(top, 'work'),
  HF_LOGDIR: join(top, 'log'),
  HF_PROVIDER_NAME: instance,
  HF_PROVIDER_CONFDIR: join(top, 'conf', 'providers', instance),
  HF_PROVIDER_WORKDIR: join(top, 'work', 'providers', instance),
  HF_PROVIDER_LOGDIR: join(top, 'log'),
});
const call = async (instance: string, operation: string, input: Json): Promise<Outcome> => {
  const file = join(directory, `hf_in_${inputs++}`);
  await writeFile(file, JSON.stringify(input));
  return runScript(join(target, 'scripts', `${operation}.sh`), ['-f', file], { env: environmentOf(instance) });
};
const request = async (instance: string, machineCount: number): Promise<string> => {
  const wanted = { template: { templateId: 'ondemand', machineCount } };
  const { exitCode, body } = await call(instance, 'requestMachines', wanted);
  expect(exitCode, JSON.stringify(body)).toBe(0);
  return String(body['requestId']);
};
interface Entry {
  readonly status: string;
  readonly machines: readonly { readonly machineId: string; readonly name: string; readonly result: string }[];
}
const statusOf = async (instance: string, requestId: string): Promise<Entry> => {
  const { stdout } = await call(instance, 'getRequestStatus', { requests: [{ requestId }] });
  return JSON.parse(stdout).requests[0];
};
const settled = async (instance: string, requestId: string): Promise<Entry> => {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const entry = await statusOf(instance, requestId);
    if (entry.status !== 'running' || Date.now() > deadline) return entry;
    await wait(100);
  }
};
const giveBack = async (instance: string, { machines }: Entry): Promise<Entry> => {
  const hosts = machines.map(({ name, machineId }) => ({ name, machineId }));
  const { body } = await call(instance, 'requestReturnMachines', { machines: hosts });
  return settled(instance, String(body['requestId']));
};
const idsOf = ({ machines }: Entry): readonly string[] => machines.map(({ machineId }) => machineId).sort();

beforeAll(async () => {
  backend = await emulatorBackend();
  directory = await realpath(await mkdtemp(join(tmpdir(), 'hf-aws-install-')));
  top = join(directory, 'hostfactory');
  for (const folder of ['conf/providerplugins', 'conf/providers', 'work', 'log', '1.2/providerplugins'])
    await mkdir(join(top, folder), { recursive: true });
  target = join(top, '1.2', 'providerplugins', 'awsts');
  const [archive = ''] = execFileSync(join(home, 'node_modules', '.bin', 'tsx'), ['scripts/dev/package.ts'], {
    cwd: home,
    encoding: 'utf8',
  }).split('\n');
  await mkdir(join(directory, 'download'));
  execFileSync('tar', ['-xzf', archive, '-C', join(directory, 'download')]);
  unpacked = join(directory, 'download', 'awsts');
  const keys = '[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n';
  await writeFile(join(directory, 'credentials'), keys, { mode: 0o600 });
});
afterAll(async () => {
  await backend.close();
  await rm(directory, { recursive: true });
});

describe('install.sh', () => {
  const plugins = (): Promise<readonly string[]> => readdir(join(top, '1.2', 'providerplugins'));

  it('tells what is wrong and changes nothing', async () => {
    const refused = (text: RegExp, args: readonly string[], more?: Record<string, string>): void =>
      expect(install(args, more)).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(text) });
    refused(/usage/, []);
    expect(install(['--help'])).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^usage: .*--rollback/),
    });
    refused(/no folder/, [join(directory, 'nowhere', 'awsts')]);
    refused(/cannot run this package/, [target], { HF_AWS_NODE: '/bin/false' });
    refused(/something else/, [join(top, 'conf')]);
    refused(/unpacked at its target/, [unpacked]);
    refused(/nothing before/, ['--rollback', target]);
    const file = join(unpacked, 'config', 'instance-types.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(1));
    refused(/damaged/, [target]);
    await writeFile(file, text);
    expect(await plugins()).toEqual([]);
  });

  it('writes a unit for systemd that runs what the target leads to, as its owner, in the environment of the scripts', async () => {
    const units = join(directory, 'units');
    await mkdir(units);
    const more = { HF_AWS_UNITS: units, HF_TOP: top, HF_VERSION: '1.2', NO_PROXY: 'a "100%" host' };
    expect(install(['--service', target], more)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/nothing/),
    });
    const link = join(directory, 'linked');
    await symlink(unpacked, link);
    expect(install(['--service', link], { HF_AWS_UNITS: units })).toMatchObject({ exitCode: 1 });
    expect(install(['--service', link], more)).toMatchObject({ exitCode: 0, stderr: '' });
    const unit = await readFile(join(units, 'hf-aws.service'), 'utf8');
    for (const line of [
      'Type=notify',
      `User=${process.getuid?.()}`,
      `Environment="HF_TOP=${top}"`,
      'Environment="NO_PROXY=a \\"100%%\\" host"',
      `ExecStart="${execFileSync('sh', ['-c', 'command -v node'], { encoding: 'utf8' }).trim()}" "${link}/dist/hf-aws.cjs" serve --scripts-only`,
      'Restart=always',
      'NoNewPrivileges=yes',
    ])
      expect(unit.split('\n')).toContain(line);
    expect(await readdir(units)).toEqual(['hf-aws.service']);
  });

  // CI has it.
  it.skipIf(!hasVerifier && process.env['CI'] === undefined)(
    'writes a unit of which systemd knows each line',
    async () => {
      const units = join(directory, 'verified');
      await mkdir(units);
      const more = { HF_AWS_UNITS: units, HF_TOP: top, NO_PROXY: 'a "100%" host' };
      expect(install(['--service', unpacked], more)).toMatchObject({ exitCode: 0, stderr: '' });
      const verify = ['verify', '--man=no', join(units, 'hf-aws.service')];
      const { status, stdout, stderr } = spawnSync('systemd-analyze', verify, { encoding: 'utf8' });
      // What it does not know it ignores, and says so.
      expect([status, stdout, stderr]).toEqual([0, '', '']);
    },
  );

  it('installs the package, which needs no node_modules', async () => {
    expect(install([target])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await plugins()).toEqual(['awsts', expect.stringMatching(/^awsts-\d+\.\d+\.\d+-\d{14}$/)]);
    expect(existsSync(join(target, 'node_modules'))).toBe(false);
  });

  it.each(['first', 'second'])('init registers the provider %s with the one plug-in', async (instance) => {
    const args = [
      'init',
      '--register',
      '--instance',
      instance,
      '--kind',
      'ondemand',
      '--region',
      'us-east-1',
      '--json',
    ];
    const place = [
      '--image',
      'ami-0123456789abcdef0',
      '--subnet',
      'subnet-0123456789abcdef0',
      '--endpoint',
      backend.url,
    ];
    const credentials = ['--credentials-file', join(directory, 'credentials')];
    const { exitCode, stdout, stderr } = await hfAws(
      { env: { ...env, HF_TOP: top, HF_VERSION: '1.2' }, directory, installed: target },
      [...args, ...place, ...credentials],
    );
    expect([exitCode, stderr], stdout).toEqual([0, '']);
    const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(top, 'conf', name), 'utf8'));
    expect(await read('providerplugins/hostProviderPlugins.json')).toEqual({
      version: 2,
      providerplugins: [
        { name: 'awsts', enabled: 1, scriptPath: `\${HF_TOP}/\${HF_VERSION}/providerplugins/awsts/scripts/` },
      ],
    });
    // Found also when this version’s own folder is gone.
    for (const kind of ['config', 'templates'])
      expect(await read(`providers/${instance}/${instance}prov_${kind}.json`)).toMatchObject({
        $schema: join(target, 'config', 'schema', `awsprov_${kind}.schema.json`),
      });
    expect(await read('providers/hostProviders.json')).toMatchObject({
      providers: expect.arrayContaining([expect.objectContaining({ name: instance, plugin: 'awsts' })]),
    });
    expect(JSON.parse(stdout).doctor.diagnoses).toContainEqual({
      subject: 'registration',
      status: 'ok',
      what: `${instance} runs plug-in awsts`,
    });
  });

  it('lets both run side by side over an upgrade and a rollback, and neither touches what the other has', async () => {
    for (const instance of ['first', 'second'])
      expect(await call(instance, 'getAvailableTemplates', {})).toMatchObject({
        exitCode: 0,
        body: { templates: [{ templateId: 'ondemand' }] },
      });
    const [ofFirst, ofSecond] = [await request('first', 2), await request('second', 3)];
    const before = await realpath(target);
    appendFileSync(join(target, 'config', 'awsprov_config.json'), '\n');

    const upgrade = install([target]);
    expect(upgrade).toMatchObject({ exitCode: 0, stderr: '' });
    expect(upgrade.stdout).toMatch(/changed by hand/);
    expect(await realpath(target)).not.toBe(before);

    const [first, second] = [await settled('first', ofFirst), await settled('second', ofSecond)];
    expect([first, second]).toMatchObject([
      { status: 'complete', machines: { length: 2 } },
      { status: 'complete', machines: { length: 3 } },
    ]);
    // Neither knows the other's requests, and neither gives back the other's machines.
    expect(await statusOf('first', ofSecond)).toMatchObject({ status: 'complete_with_error', machines: [] });
    const foreign = await giveBack('first', second);
    expect(foreign).toMatchObject({ status: 'complete_with_error' });
    expect((await backend.instanceIds('running')).length).toBe(5);
    const { stdout } = await hfAws({ env: environmentOf('first'), directory, installed: target }, [
      ...['reconcile', '--apply', '--json'],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ released: [] });

    expect(install(['--rollback', target])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await realpath(target)).toBe(before);
    const hosts = second.machines.map(({ name, machineId }) => ({ name, machineId }));
    expect(await call('second', 'getReturnRequests', { machines: hosts })).toMatchObject({ exitCode: 0 });
    expect(await giveBack('first', first)).toMatchObject({ status: 'complete' });
    expect([...(await backend.instanceIds('running'))].sort()).toEqual(idsOf(second));
    expect(await giveBack('second', second)).toMatchObject({ status: 'complete' });
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
    expect(await readdir(join(top, 'work', 'providers'))).toEqual(['first', 'second']);
  });

  it('upgrades no installation that holds state', async () => {
    await mkdir(join(target, 'work', 'requests'), { recursive: true });
    expect(install([target])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/holds the state/) });
    await rm(join(target, 'work'), { recursive: true });
  });

  it('takes over a folder that the archive was unpacked into', async () => {
    const plain = join(top, '1.2', 'providerplugins', 'plain');
    execFileSync('cp', ['-R', unpacked, plain]);
    expect(install([plain])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(install(['--rollback', plain]).exitCode).toBe(0);
    expect(await realpath(plain)).toMatch(/plain-before-\d+$/);
  });
});

describe('the handbook', () => {
  const blockOf = (text: string, name: string): string =>
    new RegExp(`<!-- run: ${name} -->\n\`\`\`sh\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';

  it('leads from the archive in an empty directory to machines and back, as it is written', async () => {
    const handbook = await readFile(join(home, 'src', 'cli', 'README.md'), 'utf8');
    const [begin, goOn] = [blockOf(handbook, 'trying'), blockOf(handbook, 'going on')];
    expect([begin.split('\n').length, goOn.split('\n').length]).toEqual([9, 12]);
    const empty = join(directory, 'empty');
    await mkdir(empty);
    execFileSync('sh', ['-c', `cp ${home}/hostfactory-aws-*.tar.gz ${empty}`]);
    // The emulator of this test stands in for the one that would take a port of its own.
    const ours = (block: string): string =>
      block
        .split('\n')
        .filter((line) => !line.startsWith('hf-aws emulator') && !line.startsWith('kill'))
        .join('\n')
        .replace('http://127.0.0.1:4566', backend.url)
        .replaceAll('req-...', '$(ls conf/work/requests | head -1)')
        .replaceAll('\'{"machines": [{"machineId": "i-..."}]}\'', '"{\\"machines\\": [$machines]}"')
        .replace('hf-aws machines list\n', `hf-aws machines list\n${toMachines}\n`);
    const toMachines = `machines=$(hf-aws machines list | sed -n 's/^\\(i-[0-9a-f]*\\).*/{"machineId": "\\1"}/p' | head -1)`;
    const script = [
      'set -e; shopt -s expand_aliases',
      ours(begin).replace(/hf-aws init[\s\S]*/, (command) => `${command.trimEnd()} | tee init.txt`),
      'eval "$(grep "export HF_" init.txt)"',
      ours(goOn),
    ].join('\n');
    const child = spawn('bash', ['-c', script], { cwd: empty, env });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += String(chunk);
      });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect(exitCode, said).toBe(0);
    expect(said.match(/Everything needed is in place/g), said).toHaveLength(2);
    expect(said).toMatch(
      /"message":"2 of 2 machines granted."[\s\S]*complete: 2 running[\s\S]*machines are being terminated/,
    );
  });
});
