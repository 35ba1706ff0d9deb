import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectGolden, hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Json, type Plugin } from './plugin.ts';

const good = { templateId: 'good', maxNumber: 4, vmType: 'm5.large' };

describe('hf-aws doctor', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  const offer = (...fields: readonly Json[]): Promise<void> =>
    plugin.offer(fields.map((each) => ({ ...good, ...backend.place, ...each })));
  const withoutAccidents = (text: string): string =>
    text
      .replaceAll(plugin.directory, '<directory>')
      .replaceAll(home, '<home>')
      .replaceAll(process.version, '<version>')
      .replaceAll(process.execPath, '<node>')
      .replaceAll(backend.url, '<endpoint>');
  /** `status subject` of each diagnosis that is not well. */
  const troubles = (body: Json): readonly string[] =>
    (Array.isArray(body['diagnoses']) ? body['diagnoses'] : [])
      .filter(({ status }: Record<string, string>) => status !== 'ok')
      .map(({ status, subject, what }: Record<string, string>) => `${status} ${subject}: ${what}`);

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, []);
    await chmod(join(plugin.directory, 'credentials'), 0o600);
    await offer({});
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
    backend.emulator.configure({ deniedActions: [], deniedAccessKeys: [] });
  });

  it('finds a good installation well, and changes nothing', async () => {
    const { exitCode, stdout } = await hfAwsHere(plugin, ['doctor']);
    expect(exitCode).toBe(0);
    await expectGolden('doctor-well.txt', withoutAccidents(stdout));
    expect(await plugin.state()).toEqual([]);
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
  });

  it('tells of each fault why it matters and what to do', async () => {
    await plugin.configure({ AWS_DESCRIBE_REQUEST_INTERVAL: 99_999, colour: 'red' });
    await chmod(join(plugin.directory, 'credentials'), 0o644);
    await offer({}, { templateId: 'bad', imageId: 'none' });
    backend.emulator.configure({ deniedActions: ['RunInstances'] });
    const { exitCode, stdout } = await hfAwsHere(plugin, ['doctor']);
    expect(exitCode).toBe(1);
    await expectGolden('doctor-ill.txt', withoutAccidents(stdout));
  });

  describe('--fix', () => {
    const modes = async (): Promise<readonly string[]> => {
      const files = [join(plugin.directory, 'credentials'), plugin.workDir];
      return Promise.all(files.map(async (file) => ((await stat(file)).mode & 0o777).toString(8)));
    };
    const socket = (): string => join(plugin.workDir, 'server.sock');

    beforeEach(async () => {
      await chmod(join(plugin.directory, 'credentials'), 0o644);
      await chmod(plugin.workDir, 0o775);
      // As a server that was killed leaves it.
      const leave = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
      await once(spawn(process.execPath, ['-e', leave, socket()]), 'close');
    });

    it('mends what can be mended without harm, and nothing a second time', async () => {
      const first = await hfAwsHere(plugin, ['doctor', '--fix', '--yes']);
      expect(first.stderr.trim().split('\n')).toEqual([
        `done: chmod 755 ${plugin.workDir}`,
        `done: chmod 600 ${join(plugin.directory, 'credentials')}`,
        `done: rm ${socket()}`,
      ]);
      expect([await modes(), existsSync(socket())]).toEqual([['600', '755'], false]);
      const second = await hfAwsHere(plugin, ['doctor', '--fix', '--yes']);
      expect([second.exitCode, second.stderr]).toEqual([0, 'There is nothing that --fix can fix.\n']);
    });

    it('does nothing where nobody can be asked', async () => {
      const { exitCode, stderr } = await hfAwsHere(plugin, ['doctor', '--no-aws', '--fix']);
      expect([exitCode, stderr]).toEqual([2, 'there is no terminal to ask on: --fix --yes fixes without asking\n']);
      expect([await modes(), existsSync(socket())]).toEqual([['644', '775'], true]);
    });

    it('asks at a terminal, and leaves alone what is not agreed to', async () => {
      const command = `node ${join(home, 'dist', 'hf-aws.cjs')} doctor --no-aws --fix`;
      const child = spawn('script', ['-qec', command, '/dev/null'], { env: plugin.env, cwd: plugin.directory });
      const answers = ['y', '', 'n'];
      let [said, asked] = ['', 0];
      child.stdout.on('data', (chunk) => {
        said += String(chunk);
        for (; said.split('[y/N] ').length - 1 > asked; asked++) child.stdin.write(`${answers[asked]}\r`);
      });
      await once(child, 'close');
      expect([asked, await modes(), existsSync(socket())], said).toEqual([3, ['644', '755'], true]);
    });
  });

  it('tries what it may without asking for anything foreign, and takes no answer for a fault', async () => {
    const trials = (): readonly (readonly [string, string | undefined])[] =>
      backend.emulator
        .calls()
        .filter(({ parameters }) => parameters['DryRun'] === 'true')
        .map(({ action, parameters }) => [action, parameters['InstanceId.1']]);
    backend.emulator.forgetCalls();
    await hfAwsHere(plugin, ['doctor']);
    expect(trials().map(([action]) => action)).not.toContain('TerminateInstances');
    const { machines } = await plugin.settled(await plugin.request('good', 1));
    const { exitCode } = await hfAwsHere(plugin, ['doctor']);
    expect(exitCode).toBe(0);
    expect(trials()).toContainEqual(['TerminateInstances', machines[0]?.machineId]);
    const { stdout } = await hfAwsHere(plugin, ['metrics']);
    expect(stdout).not.toContain('aws_errors');
    const [log = ''] = await readdir(plugin.logDir);
    expect(await readFile(join(plugin.logDir, log), 'utf8')).not.toMatch(/-\[(WARN|ERROR)\]-/);
    backend.emulator.configure({ deniedActions: ['TerminateInstances'] });
    expect(troubles((await hfAwsJson(plugin, 'doctor')).body)).toEqual([
      'error permissions: ec2:TerminateInstances is denied',
    ]);
  });

  it('tells when AWS knows no such key, and when it cannot be reached', async () => {
    backend.emulator.configure({ deniedAccessKeys: ['AKIATEST'] });
    const denied = await hfAwsJson(plugin, 'doctor');
    expect([denied.exitCode, troubles(denied.body)]).toEqual([
      1,
      [expect.stringMatching(/^error AWS: GetCallerIdentity failed/)],
    ]);
    await plugin.configure({ AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS: 0 });
    const away = await hfAwsJson(plugin, 'doctor');
    expect([away.exitCode, troubles(away.body)]).toEqual([1, [expect.stringMatching(/^error AWS: .*ECONNREFUSED/)]]);
  });

  it('tells of hosts that nobody will ask about, and changes nothing', async () => {
    await plugin.settled(await plugin.request('good', 1));
    await rm(join(plugin.workDir, 'requests'), { recursive: true });
    const before = await plugin.state();
    const { body } = await hfAwsJson(plugin, 'doctor');
    expect(troubles(body)).toEqual([expect.stringMatching(/^warning orphans: 1 leaked .*: i-/)]);
    expect(await plugin.state()).toEqual(before);
    expect(await backend.instanceIds('running')).toHaveLength(1);
  });

  it('tells of a work folder that is no folder', async () => {
    await writeFile(join(plugin.directory, 'file'), '');
    const env = { ...plugin.env, HF_PROVIDER_WORKDIR: join(plugin.directory, 'file', 'work') };
    const { exitCode, body } = await hfAwsJson({ ...plugin, env }, 'doctor', '--no-aws');
    expect([exitCode, troubles(body)]).toEqual([
      1,
      [expect.stringMatching(/^error work folder: .*ENOTDIR/), expect.stringMatching(/^error records: .*ENOTDIR/)],
    ]);
  });

  it('goes on past a broken file, a damaged record and folders that cannot be made', async () => {
    await plugin.settled(await plugin.request('good', 1));
    const [id = ''] = await readdir(join(plugin.workDir, 'requests'));
    await writeFile(join(plugin.workDir, 'requests', id, '000000001.json'), '{');
    const damaged = await hfAwsJson(plugin, 'doctor');
    expect(troubles(damaged.body)).toEqual([
      expect.stringMatching(/^error records: 1 of the requests cannot be read: .*000000001\.json/),
      expect.stringMatching(/^error leftovers: .*000000001\.json/),
      expect.stringMatching(/^warning orphans: not everything could be checked: .*000000001\.json/),
    ]);
    await writeFile(join(plugin.directory, 'conf', 'awsinstprov_config.json'), '{ "AWS_REGION": ');
    const env = { ...plugin.env, HF_PROVIDER_LOGDIR: '/proc/none/log', HF_PROVIDER_WORKDIR: '/proc/none/work' };
    const broken = await hfAwsJson({ ...plugin, env }, 'doctor');
    expect([broken.exitCode, troubles(broken.body)]).toEqual([
      1,
      [
        expect.stringMatching(/^error configuration: .*awsinstprov_config\.json.*line 1/),
        'error AWS: not checked, because the configuration cannot be read',
        expect.stringMatching(/^error work folder: \/proc\/none\/work cannot be used/),
        expect.stringMatching(/^warning log folder: \/proc\/none\/log cannot be written to/),
      ],
    ]);
  });

  it('goes on where the list of providers cannot be read', async () => {
    const top = join(plugin.directory, 'top');
    for (const [folder, file] of [
      ['providers', 'hostProviders.json'],
      ['providerplugins', 'hostProviderPlugins.json'],
    ] as const) {
      await mkdir(join(top, 'conf', folder), { recursive: true });
      await writeFile(join(top, 'conf', folder, file), '{ "providers": [');
    }
    const named = { HF_TOP: top };
    const { exitCode, body } = await hfAwsJson({ env: { PATH: process.env['PATH'] ?? '', ...named } }, 'doctor');
    expect([exitCode, troubles(body)]).toEqual([
      1,
      expect.arrayContaining([
        expect.stringMatching(/^error configuration: cannot read .*hostProvider(s|Plugins)\.json/),
        'error AWS: not checked, because the configuration cannot be read',
        expect.stringMatching(/^error templates: /),
        expect.stringMatching(/^error registration: /),
      ]),
    ]);
  });

  it('tells of a Node that is none, and of no log folder that is yet to be made', async () => {
    const python = join(plugin.directory, 'python3');
    await writeFile(python, '#!/bin/sh\necho Python 3.11.2\n', { mode: 0o755 });
    const env = { ...plugin.env, HF_AWS_NODE: python, HF_PROVIDER_LOGDIR: join(plugin.directory, 'later', 'log') };
    expect(troubles((await hfAwsJson({ ...plugin, env }, 'doctor', '--no-aws')).body)).toEqual([
      `error Node: ${python} is no Node: it says Python 3.11.2`,
    ]);
    const missing = { ...plugin.env, HF_AWS_NODE: '/nowhere/node' };
    expect(troubles((await hfAwsJson({ ...plugin, env: missing }, 'doctor', '--no-aws')).body)).toEqual([
      'error Node: /nowhere/node cannot be run',
    ]);
  });

  it('tells of a template that launches nothing for a while', async () => {
    const failures = join(plugin.workDir, 'failures', 'good');
    await mkdir(failures, { recursive: true });
    for (let n = 0; n < 10; n++) await writeFile(join(failures, `i-${String(n).padStart(17, '0')}`), '');
    const { exitCode, stdout } = await hfAwsHere(plugin, ['doctor', '--no-aws']);
    expect([exitCode, stdout]).toEqual([
      0,
      expect.stringMatching(/^WARNING protection: template good launches nothing/m),
    ]);
    expect(stdout).toContain('hf-aws offerings clear --template good');
  });

  it('looks at the registrations where HF_TOP tells where they are', async () => {
    const top = join(plugin.directory, 'top');
    for (const folder of ['providerplugins', 'providers', 'requestors'])
      await mkdir(join(top, 'conf', folder), { recursive: true });
    const env = { ...plugin.env, HF_TOP: top };
    const allow = (...providers: readonly string[]) =>
      writeFile(
        join(top, 'conf/requestors/hostRequestors.json'),
        JSON.stringify({ requestors: [{ name: 'admin', enabled: 1, providers }] }),
      );
    await allow('other', 'awsinst');
    const write = (enabled: number) =>
      Promise.all([
        writeFile(
          join(top, 'conf/providerplugins/hostProviderPlugins.json'),
          JSON.stringify({
            version: 2,
            providerplugins: [{ name: 'awsts', enabled: 1, scriptPath: `${home}/scripts/` }],
          }),
        ),
        writeFile(
          join(top, 'conf/providers/hostProviders.json'),
          JSON.stringify({ version: 2, providers: [{ name: 'awsinst', enabled, plugin: 'awsts' }] }),
        ),
      ]);
    await write(1);
    expect(troubles((await hfAwsJson({ ...plugin, env }, 'doctor', '--no-aws')).body)).toEqual([]);
    await write(0);
    expect(troubles((await hfAwsJson({ ...plugin, env }, 'doctor', '--no-aws')).body)).toEqual([
      'error registration: the provider awsinst is disabled',
    ]);
    await write(1);
    await plugin.configure({ rankBy: 'price' });
    expect(troubles((await hfAwsJson({ ...plugin, env }, 'doctor', '--no-aws')).body)).toEqual([
      'warning requestors: hostSelectionPolicy of admin is not set',
      'warning prices: list prices of 2024 that came with the program: AWS was never asked',
    ]);
    await plugin.configure({});
    await allow('other');
    const { stdout } = await hfAwsHere({ ...plugin, env }, ['doctor', '--no-aws']);
    expect(stdout).toMatch(/^WARNING requestors: no requestor in .*hostRequestors\.json names awsinst$/m);
    expect(stdout).toMatch(/how to fix it: {2}add it to the entry of a requestor in .*: "providers": \["awsinst"\]/);
  });

  it('prints the smallest IAM policy for the configured templates', async () => {
    await offer(
      {},
      {
        templateId: 'fleet',
        priceType: 'spot',
        vmTypes: { 'm5.large': 1 },
        instanceProfile: 'grid',
        imageId: '/aws/service/ami',
      },
    );
    const { exitCode, stdout, stderr } = await hfAwsHere(plugin, ['doctor', '--iam-policy']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^note: iam:PassRole is allowed for the roles .*: grid\. /);
    expect(() => JSON.parse(stdout)).not.toThrow();
    await expectGolden('iam-policy.txt', stdout);
  });

  it('tells of quotas it may not read, and is well all the same', async () => {
    backend.emulator.configure({ deniedActions: ['GetServiceQuota'] });
    const { exitCode, stdout } = await hfAwsHere(plugin, ['doctor']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^WARNING quotas: cannot be read: .*GetServiceQuota/m);
  });

  it('config show tells where each value comes from', async () => {
    await plugin.configure({ AWS_DESCRIBE_REQUEST_INTERVAL: 99_999, retentionDays: 7 });
    const { exitCode, stdout } = await hfAwsHere(plugin, ['config', 'show']);
    expect(exitCode).toBe(0);
    await expectGolden('config-show.txt', withoutAccidents(stdout).replaceAll(/ {2,}/g, '  '));
    expect(await hfAwsJson(plugin, 'config', 'validate')).toMatchObject({
      exitCode: 0,
      body: { isValid: true, warnings: [expect.stringContaining('AWS_DESCRIBE_REQUEST_INTERVAL')] },
    });
    const files = {
      AWS_CREDENTIAL_FILE: '/nowhere/credentials',
      metricsTextfile: '/nowhere/hf.prom',
      AWS_CREDENTIAL_SCRIPT: '/nowhere/credentials.sh',
    };
    const { AWS_CREDENTIAL_SCRIPT: _script, ...withoutScript } = files;
    await plugin.configure(withoutScript);
    expect(await hfAwsJson(plugin, 'config', 'validate')).toMatchObject({
      exitCode: 1,
      body: {
        isValid: false,
        errors: [
          expect.stringMatching(/^AWS_CREDENTIAL_FILE cannot be used: .*'\/nowhere\/credentials'$/),
          expect.stringMatching(/^metricsTextfile cannot be used: .*'\/nowhere'$/),
        ],
      },
    });
    await plugin.configure(files);
    const { stdout: told } = await hfAwsHere(plugin, ['config', 'validate']);
    expect(told).toMatch(/^error: AWS_CREDENTIAL_SCRIPT cannot be used: .*\n.*\n.* cannot be used as it is$/m);
    await plugin.configure({ AWS_REGION: 'moon' });
    expect(await hfAwsJson(plugin, 'config', 'validate')).toMatchObject({
      exitCode: 1,
      body: { error: { code: 'configuration.invalid' } },
    });
  });
});
