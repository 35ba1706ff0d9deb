import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAws, hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

let backend: EmulatorBackend;
let plugin: Plugin;

beforeAll(async () => {
  backend = await emulatorBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
});
afterEach(async () => {
  await plugin.remove();
  await backend.clear();
});

describe('a command run by hand', () => {
  /** Host Factory's own folder, which knows the instance by this name; the shell knows no more than where it is. */
  const register = async (name: string): Promise<Record<string, string>> => {
    const top = join(plugin.directory, 'top');
    for (const folder of ['providerplugins', 'providers']) await mkdir(join(top, 'conf', folder), { recursive: true });
    const write = (file: string, content: object) => writeFile(join(top, 'conf', file), JSON.stringify(content));
    await write('providerplugins/hostProviderPlugins.json', {
      providerplugins: [{ name: 'awsts', enabled: 1, scriptPath: `${home}/scripts/` }],
    });
    const { HF_PROVIDER_CONFDIR: confPath, HF_PROVIDER_WORKDIR: workPath, HF_PROVIDER_LOGDIR: logPath } = plugin.env;
    const entry = { name, enabled: 1, plugin: 'awsts', confPath, workPath, logPath };
    await write('providers/hostProviders.json', { providers: [entry] });
    return { PATH: plugin.env['PATH'] ?? '', HF_TOP: top };
  };

  it('is about the registered provider, and says so', async () => {
    const env = await register('awsinst');
    const { stdout, stderr, exitCode } = await hfAwsHere({ ...plugin, env }, ['templates', 'list']);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('few')]);
    expect(stderr).toBe(`provider awsinst in us-east-1, ${env['HF_TOP']}/conf/providers/hostProviders.json\n`);
    const list = await hfAwsJson({ ...plugin, env }, 'providers', 'list');
    expect(list.body).toMatchObject({ providers: [{ name: 'awsinst', isOurs: true }] });
    const chosen = await hfAwsHere({ ...plugin, env }, ['requests', 'list', '--provider', 'nobody']);
    expect([chosen.exitCode, chosen.stderr]).toEqual([1, expect.stringMatching(/^configuration\.missing: .* nobody/)]);
  });

  it('is about nothing registered where the environment tells a place, and neither is a script', async () => {
    const registered = await register('awsinst');
    const { HF_PROVIDER_CONFDIR = '' } = plugin.env;
    const untold = /HF_PROVIDER_WORKDIR/;
    const env = { ...registered, HF_PROVIDER_CONFDIR };
    const { exitCode, stderr } = await hfAwsHere({ ...plugin, env }, ['requests', 'create', 'od', '1']);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(untold)]);
    const asked = { template: { templateId: 'od', machineCount: 1 } };
    const script = await plugin.run('requestMachines', ['--data', JSON.stringify(asked)], { env });
    expect([script.exitCode, script.body]).toEqual([1, { message: expect.stringMatching(untold) }]);
    const named = await hfAwsHere({ ...plugin, env }, ['templates', 'list', '--provider', 'awsinst']);
    expect(named.exitCode).toBe(0);
    const nameless = await hfAwsHere({ ...plugin, env }, ['templates', 'list', '--provider', '']);
    expect([nameless.exitCode, nameless.stderr]).toEqual([2, expect.stringMatching(/^--provider must be one name/)]);
    expect(await backend.instanceIds('pending', 'running')).toEqual([]);
  });

  it('takes no sample for a configuration, and makes nothing in the installation', async () => {
    const env = { PATH: plugin.env['PATH'] ?? '' };
    const before = await readdir(home);
    for (const args of [['doctor'], ['requests', 'list'], ['requests', 'create', 'od', '1', '--dry-run']]) {
      const { stdout, stderr, exitCode } = await hfAwsHere({ ...plugin, env }, args);
      expect([exitCode, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^configuration\.missing: .*HF_PROVIDER_CONFDIR.*HF_TOP.*--provider/);
    }
    const { exitCode, body } = await plugin.run('getAvailableTemplates', [], { env });
    expect([exitCode, body]).toEqual([1, { message: expect.stringContaining('HF_PROVIDER_CONFDIR') }]);
    expect(await readdir(home)).toEqual(before);
  });
});

/** Only root can give files away. */
describe.runIf(process.geteuid?.() === 0)('another user than the one whose work folder it is', () => {
  const everything = (): string =>
    execFileSync('find', [plugin.workDir, plugin.logDir, '-printf', '%p %U %m %s %T@\n'], { encoding: 'utf8' });

  it('looks without leaving a trace, and changes nothing', async () => {
    const requestId = await plugin.request('od', 1);
    const [machine] = (await plugin.settled(requestId)).machines;
    execFileSync('chown', ['-R', '54321:54321', plugin.workDir, plugin.logDir]);
    const before = everything();
    const looks = [
      ['requests', 'list'],
      ['requests', 'show', requestId, '--machines'],
      ['machines', 'list'],
      ['templates', 'validate', '--aws'],
      ['reconcile'],
      ['metrics'],
      ['requests', 'create', 'od', '1', '--dry-run'],
    ];
    for (const args of looks) {
      const { exitCode, stdout, stderr } = await hfAwsHere(plugin, args);
      expect([args, exitCode, stdout === '']).toEqual([args, 0, false]);
      expect(stderr).toMatch(/^warning: nothing is written: .* run this as user id 54321, e\.g\. sudo -u '#54321'/);
    }
    const doctor = await hfAwsJson(plugin, 'doctor', '--no-aws');
    expect(JSON.stringify(doctor.body)).toMatch(
      /"status":"error","code":"storage.foreign","what":"the work folder .* is that of user id 54321/,
    );
    const changes = [
      ['requests', 'create', 'od', '1'],
      ['requests', 'cancel', requestId],
      ['machines', 'return', String(machine?.machineId)],
      ['reconcile', '--apply'],
    ];
    for (const args of changes) {
      const { exitCode, stderr } = await hfAwsHere(plugin, args);
      expect([args, exitCode, stderr]).toEqual([args, 1, expect.stringMatching(/^storage\.foreign: .*54321.*\n$/)]);
    }
    const served = await hfAws(plugin, ['serve', '--port', '0']);
    expect([served.exitCode, served.stderr]).toEqual([1, expect.stringContaining('run this as user id 54321')]);
    for (const operation of ['requestMachines', 'getRequestStatus', 'getReturnRequests']) {
      const { exitCode, body } = await plugin.call(operation, {});
      expect([exitCode, body]).toEqual([1, { message: expect.stringMatching(/run this as user id 54321/) }]);
    }
    const offered = await plugin.call('getAvailableTemplates', {});
    expect([offered.exitCode, offered.body]).toMatchObject([0, { templates: expect.any(Array) }]);
    expect(everything()).toBe(before);
    expect(await backend.instanceIds('pending', 'running')).toHaveLength(1);
  });
});

/** Only root can make a folder that is another's. */
describe.runIf(process.geteuid?.() === 0)('a work folder of a group, which root has made', () => {
  const [user, group] = [54_321, 54_322];

  it('serves the user that runs the scripts as one of its own, and gives the group nothing to write', async () => {
    execFileSync('chmod', ['a+x', dirname(plugin.directory)]);
    execFileSync('chmod', ['-R', 'a+rX', plugin.directory]);
    execFileSync('chown', [`0:${group}`, plugin.workDir, plugin.logDir]);
    execFileSync('chmod', ['2775', plugin.workDir, plugin.logDir]);
    const call = (operation: string, input: object, env = {}): Promise<unknown> =>
      new Promise((resolve) => {
        const options = { env: { ...plugin.env, ...env }, cwd: '/', uid: user, gid: group };
        const args = ['--data', JSON.stringify(input)];
        execFile(join(home, 'scripts', `${operation}.sh`), args, options, (_failed, stdout) =>
          resolve(JSON.parse(stdout)),
        );
      });
    const launch = { template: { templateId: 'od', machineCount: 1 } };
    expect(await call('requestMachines', launch)).toMatchObject({ requestId: expect.stringMatching(/^req-/) });
    for (let calls = 0; calls < 2; calls++)
      expect(await call('getAvailableTemplates', {})).toMatchObject({ templates: expect.any(Array) });
    await call('requestMachines', launch, { NODE_OPTIONS: '--bogus' });
    const entries = execFileSync('find', [plugin.workDir, plugin.logDir, '-mindepth', '1', '-printf', '%P %U %m\n'], {
      encoding: 'utf8',
    });
    const made = entries.trim().split('\n');
    expect(made).toContainEqual(expect.stringMatching(/^cache\/code\/getAvailableTemplates/));
    expect(made).toContainEqual(expect.stringMatching(/^awsinst-provider\.err /));
    // The group's bit on a folder is set by the system; the last two digits are the group's and everybody's.
    expect(made.filter((entry) => !entry.startsWith(' ') && !/ 54321 \d*00$/.test(entry))).toEqual([]);
  });
});
