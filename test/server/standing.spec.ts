import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { askCli, listOf } from '../e2e/entries.ts';
import { createPlugin, home, hostOf, type Plugin, runScript } from '../e2e/plugin.ts';
import { healthOf, pipeFolders, type ScriptServer, serveScripts, untilIdle } from '../e2e/script-server.ts';
import { testTemplates } from '../e2e/templates.ts';

let backend: EmulatorBackend;
let plugin: Plugin;
const servers: ScriptServer[] = [];

beforeAll(async () => {
  // The servers of these tests are their own.
  vi.stubEnv('HF_AWS_TEST_SERVER', undefined);
  backend = await emulatorBackend();
});
afterAll(() => backend.close());
beforeEach(async () => {
  backend.emulator.reset();
  const templates = testTemplates(backend.place).map((template) => ({ ...template, maxNumber: 1000 }));
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, templates);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop('SIGKILL')));
  await plugin.remove();
});

const start = async (env: Readonly<Record<string, string>> = {}): Promise<ScriptServer> => {
  const server = await serveScripts({ ...plugin.env, ...env });
  servers.push(server);
  return server;
};
const answered = async (): Promise<number> => (await healthOf(plugin.workDir)).answered;
/** How many of the calls the server has answered. */
const answeredDuring = async (work: () => Promise<unknown>): Promise<number> => {
  const before = await answered();
  await work();
  return (await answered()) - before;
};
const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a server of the scripts', () => {
  it('answers the five operations, by file, --data and standard input, with the bytes and the status of a process', async () => {
    await start();
    const id = await plugin.request('od', 2);
    const { machines } = await plugin.settled(id);
    const calls: readonly (readonly [string, readonly string[], string?])[] = [
      ['getAvailableTemplates', []],
      ['getAvailableTemplates', ['--data', '{}']],
      ['getRequestStatus', [], JSON.stringify({ requests: [{ requestId: id }, { requestId: 'req-unknown' }] })],
      ['getRequestStatus', ['--data', '{"requests": [{"requestId": ""}]}']],
      ['getReturnRequests', ['--data', JSON.stringify({ machines: machines.map(hostOf) })]],
      ['requestMachines', ['--data', '{"template": {"templateId": "ünknown", "machineCount": 1}}']],
      ['requestMachines', [], '{"template":\n  {'],
      ['requestReturnMachines', ['--data', '[]']],
    ];
    for (const [operation, args, stdin] of calls) {
      const options = stdin === undefined ? {} : { stdin };
      const off = { ...plugin.env, HF_AWS_SERVER: 'off' };
      const outcome = await plugin.run(operation, args, { ...options, env: off });
      const byServer = await answeredDuring(async () => {
        expect(await plugin.run(operation, args, options), `${operation} ${args.join(' ')}`).toEqual(outcome);
      });
      expect(byServer).toBe(1);
    }
    const file = join(plugin.directory, 'ünusual name.json');
    await writeFile(file, '{"requests": 1}');
    expect(await plugin.run('getRequestStatus', ['-f', file])).toEqual(
      await plugin.run('getRequestStatus', ['-f', file], { env: { ...plugin.env, HF_AWS_SERVER: 'off' } }),
    );
  });

  it('answers what is long as a process does', async () => {
    await start();
    const requests = Array.from({ length: 20_000 }, (_, n) => `req-${String(n).padStart(12, '0')}`);
    const file = join(plugin.directory, 'long.json');
    await writeFile(file, JSON.stringify({ requests }));
    const off = { ...plugin.env, HF_AWS_SERVER: 'off' };
    const byServer = await answeredDuring(async () => {
      const outcome = await plugin.run('getRequestStatus', ['-f', file]);
      expect(outcome.stdout.length).toBeGreaterThan(2_000_000);
      expect(outcome).toEqual(await plugin.run('getRequestStatus', ['-f', file], { env: off }));
    });
    expect(byServer).toBe(1);
  });

  it('listens for its user alone, and not where others may put another socket', async () => {
    await start();
    const { mode } = await stat(join(plugin.workDir, 'server.sock'));
    expect(mode & 0o777).toBe(0o600);
    await servers.pop()?.stop();
    await chmod(plugin.workDir, 0o777);
    await expect(start()).rejects.toThrow('others may write to the work folder');
  });

  it.each([
    ['HF_AWS_SERVER=off', { HF_AWS_SERVER: 'off' }],
    ['another time zone', { TZ: 'Asia/Tokyo' }],
    ['another profile of AWS', { AWS_PROFILE: 'other' }],
    ['options of Node', { NODE_OPTIONS: '--no-deprecation' }],
  ])('is not asked by a script with %s', async (_what, more) => {
    await start();
    const byServer = await answeredDuring(async () => {
      const { exitCode } = await plugin.run('getAvailableTemplates', [], { env: { ...plugin.env, ...more } });
      expect(exitCode).toBe(0);
    });
    expect(byServer).toBe(0);
  });

  it('is not asked by a script with another configuration folder, nor by another installation', async () => {
    await start();
    const conf = join(plugin.directory, 'other-conf');
    await cp(join(plugin.directory, 'conf'), conf, { recursive: true });
    const copy = join(plugin.directory, 'copy');
    for (const folder of ['scripts', 'dist', 'config'])
      await cp(join(home, folder), join(copy, folder), { recursive: true });
    const byServer = await answeredDuring(async () => {
      const env = { ...plugin.env, HF_PROVIDER_CONFDIR: conf };
      expect((await plugin.run('getAvailableTemplates', [], { env })).exitCode).toBe(0);
      const script = join(copy, 'scripts', 'getAvailableTemplates.sh');
      expect((await plugin.run('getAvailableTemplates', [], { script })).exitCode).toBe(0);
    });
    expect(byServer).toBe(0);
  });

  it('goes by the configuration and the templates as they are at each call', async () => {
    await start();
    await plugin.offer([{ ...testTemplates(backend.place)[0], templateId: 'new' }]);
    const templates = JSON.stringify((await plugin.call('getAvailableTemplates', {})).body);
    expect(templates).toContain('"templateId":"new"');
    await plugin.configure({ AWS_REGION: 'nowhere' });
    const { exitCode, body } = await plugin.call('getAvailableTemplates', {});
    expect([exitCode, body['message']]).toEqual([1, expect.stringContaining('AWS_REGION')]);
    await plugin.configure({});
    expect(await answered()).toBe(2);
    expect(await answeredDuring(() => plugin.call('getAvailableTemplates', {}))).toBe(1);
    await plugin.configure({ useServer: false });
    expect(await answeredDuring(() => plugin.call('getAvailableTemplates', {}))).toBe(0);
  });

  it('finishes the calls under way when it is told to stop, and takes its socket away', async () => {
    const server = await start();
    backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'delay', ms: 2000 } });
    const asked = plugin.request('od', 1);
    await expect.poll(async () => (await healthOf(plugin.workDir)).underWay, { timeout: 20_000 }).toBe(1);
    const stopped = server.stop();
    expect(await asked).toMatch(/^req-/);
    expect(await stopped).toBe(0);
    expect(backend.emulator.countCalls()['RunInstances']).toBe(1);
    expect((await plugin.call('getAvailableTemplates', {})).exitCode).toBe(0);
    await expect(stat(join(plugin.workDir, 'server.sock'))).rejects.toThrow('ENOENT');
  });

  it('ends when it is told to, though its work folder has gone', async () => {
    const server = await start();
    await rm(plugin.workDir, { recursive: true });
    await writeFile(plugin.workDir, 'in the way');
    expect(await server.stop()).toBe(0);
  });

  it('is one where two are started at once, and calls are answered by it', async () => {
    const both = await Promise.allSettled([start(), start()]);
    const started = both.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const alive = (): readonly ScriptServer[] =>
      started.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    await expect.poll(() => alive().length, { timeout: 20_000 }).toBe(1);
    expect((await healthOf(plugin.workDir)).pid).toBe(alive()[0]?.child.pid);
    expect(await answeredDuring(() => plugin.call('getAvailableTemplates', {}))).toBe(1);
    await expect(start()).rejects.toThrow('another server answers');
  });

  it('looks at EC2 once for calls that come together', async () => {
    await start();
    backend.emulator.configure({ pendingMs: 60_000 });
    const ids = await Promise.all(Array.from({ length: 12 }, () => plugin.request('od', 1)));
    backend.emulator.addFault({ action: 'DescribeInstances', effect: { kind: 'delay', ms: 1500 } });
    backend.emulator.forgetCalls();
    const entries = await Promise.all(ids.map((id) => plugin.status(id)));
    expect(entries.flat().map(({ requestId }) => requestId)).toEqual(ids);
    expect(backend.emulator.countCalls()['DescribeInstances']).toBeLessThan(12);
    backend.emulator.configure({ pendingMs: 300 });
  });

  it('tells systemd when it is ready, that it is alive, and when it ends', async () => {
    const folder = join(plugin.directory, 'bin');
    await mkdir(folder);
    const told = join(folder, 'told');
    await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$@" >>${told}\n`, { mode: 0o755 });
    const PATH = `${folder}:${plugin.env['PATH']}`;
    const server = await start({ PATH, NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '3000000' });
    const lines = async (): Promise<string> => readFile(told, 'utf8').catch(() => '');
    await expect.poll(lines, { timeout: 20_000 }).toMatch(/^--ready MAINPID=\d+\n--ready WATCHDOG=1\n/);
    expect(await server.stop()).toBe(0);
    await expect.poll(lines, { timeout: 20_000 }).toContain('STOPPING=1');
  });

  it('is told of by doctor, with the calls it has answered', async () => {
    const way = async (): Promise<string> => {
      const { diagnoses } = await askCli(plugin, 'doctor', '--no-aws');
      return JSON.stringify(listOf(diagnoses).filter(({ subject }) => String(subject).includes('calls')));
    };
    await plugin.call('getAvailableTemplates', {});
    expect(await way()).toMatch(/no server runs; since .* 1 by processes of their own, \d+ ms each/);
    const server = await start();
    for (let n = 0; n < 3; n++) await plugin.call('getAvailableTemplates', {});
    await expect.poll(way, { timeout: 20_000 }).toMatch(/the server answers them.* 3 by the server, \d+ ms each/);
    await server.stop('SIGKILL');
    expect(await way()).toMatch(/"status":"warning".*nobody answers/);
  });

  const shells = ['dash', 'bash', 'busybox sh'].filter((shell) => existsSync(`/bin/${shell.split(' ')[0]}`));
  it.each(shells)('does not hold up a script in %s when it hangs, told to stop or not', async (shell) => {
    await plugin.configure({ actionTimeoutSeconds: 5 });
    const server = await start();
    server.child.kill('SIGSTOP');
    const [program = '', ...words] = `/bin/${shell}`.split(' ');
    const args = [...words, join(home, 'scripts', 'getAvailableTemplates.sh'), '--data', '{}'];
    const asked = runScript(program, args, { env: plugin.env });
    const told = spawn(program, args, { env: plugin.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    told.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    const closed = once(told, 'close');
    const taken = async (): Promise<number> => {
      const [folder = ''] = await pipeFolders(plugin.workDir);
      return (await readdir(folder)).filter((name) => name.endsWith('.call')).length;
    };
    await expect.poll(taken, { timeout: 20_000 }).toBe(2);
    told.kill('SIGTERM');
    await closed;
    expect(JSON.parse(said)).toEqual({ message: 'the call was ended by a signal' });
    const { exitCode, body } = await asked;
    server.child.kill('SIGCONT');
    expect([exitCode, body['message']]).toEqual([1, expect.stringContaining('time of the call was used up')]);
  });

  it.each(shells)('takes the calls of a script in %s, hears its signals, and its end is told', async (shell) => {
    const server = await start();
    const [program = '', ...words] = `/bin/${shell}`.split(' ');
    const call = (operation: string, ...args: readonly string[]) =>
      runScript(program, [...words, join(home, 'scripts', `${operation}.sh`), ...args], { env: plugin.env });
    const file = join(plugin.directory, 'in.json');
    await writeFile(file, '{"template": {"templateId": "od", "machineCount": 1}}');
    const ids: unknown[] = [];
    const byServer = await answeredDuring(async () => {
      for (const args of [
        ['-f', file],
        ['--data', await readFile(file, 'utf8')],
      ]) {
        const { exitCode, body } = await call('requestMachines', ...args);
        expect(exitCode).toBe(0);
        ids.push(body['requestId']);
      }
      // What the shell gives apart: quotes, backslashes, and signs of other alphabets.
      const odd = JSON.stringify({ template: { templateId: `o'd "\\ ü$HOME`, machineCount: 1 } });
      const { exitCode, body } = await call('requestMachines', '--data', odd);
      expect([exitCode, body['message']]).toEqual([1, expect.stringContaining(`o'd "\\ ü$HOME`)]);
    });
    expect([byServer, new Set(ids).size]).toEqual([3, 2]);

    backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'hang' } });
    const args = [...words, join(home, 'scripts', 'requestMachines.sh'), '-f', file];
    const told = spawn(program, args, { env: plugin.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    told.stdout.on('data', (chunk) => {
      said += String(chunk);
    });
    await expect.poll(async () => (await healthOf(plugin.workDir)).underWay, { timeout: 20_000 }).toBe(1);
    told.kill('SIGTERM');
    await once(told, 'close');
    expect(JSON.parse(said)).toEqual({ message: expect.any(String), requestId: expect.stringMatching(/^req-/) });

    backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'delay', ms: 3000 } });
    const asked = call('requestMachines', '-f', file);
    await expect.poll(async () => (await healthOf(plugin.workDir)).underWay, { timeout: 20_000 }).toBeGreaterThan(0);
    await server.stop('SIGKILL');
    // It is done by the script, under the same id.
    expect([(await asked).exitCode, (await asked).body['requestId']]).toEqual([0, expect.stringMatching(/^req-/)]);
  });

  it('takes more calls at once than pipes lie ready; those that find none are done by their scripts', async () => {
    await start();
    backend.emulator.addFault({ action: 'DescribeInstances', times: 'always', effect: { kind: 'delay', ms: 1000 } });
    const id = await plugin.request('od', 1);
    const entries = await Promise.all(Array.from({ length: 100 }, () => plugin.status(id)));
    expect(entries.flat().map(({ requestId }) => requestId)).toEqual(Array.from({ length: 100 }, () => id));
    expect(await answered()).toBeGreaterThan(50);
  });

  it('leaves nothing of its pipes behind when it ends, and clears away those of one that was killed', async () => {
    const pipes = async (): Promise<number> =>
      (await readdir(plugin.workDir)).filter((name) => name.startsWith('server.')).length +
      (await pipeFolders(plugin.workDir)).length;
    const killed = await start();
    await plugin.call('getAvailableTemplates', {});
    await killed.stop('SIGKILL');
    // Its socket, the name of its pipes, and these.
    expect(await pipes()).toBe(3);
    const server = await start();
    expect(await pipes()).toBe(3);
    await server.stop();
    expect(await pipes()).toBe(0);
  });
});

describe('pipes of a server', () => {
  it('are made anew where they were taken away, and calls under way are answered', async () => {
    const server = await start();
    const id = await plugin.request('od', 1);
    backend.emulator.addFault({ action: 'DescribeInstances', effect: { kind: 'delay', ms: 1000 } });
    const asked = plugin.status(id);
    await expect.poll(async () => (await healthOf(plugin.workDir)).underWay, { timeout: 20_000 }).toBe(1);
    const [folder = ''] = await pipeFolders(plugin.workDir);
    await rm(folder, { recursive: true });
    expect((await asked)[0]?.requestId).toBe(id);
    await expect
      .poll(() => answeredDuring(() => plugin.call('getAvailableTemplates', {})), { timeout: 20_000 })
      .toBe(1);
    await server.stop();
    expect(await pipeFolders(plugin.workDir)).toEqual([]);
  });
});

describe('one server', () => {
  it('serves all providers of its installation that are registered, each at its own socket', async () => {
    const other = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
    const top = join(plugin.directory, 'top');
    await mkdir(join(top, 'conf', 'providerplugins'), { recursive: true });
    await mkdir(join(top, 'conf', 'providers'), { recursive: true });
    await writeFile(
      join(top, 'conf', 'providerplugins', 'hostProviderPlugins.json'),
      JSON.stringify({
        version: 2,
        providerplugins: [{ name: 'awsts', enabled: 1, scriptPath: join(home, 'scripts') }],
      }),
    );
    const entry = ({ env }: Plugin, name: string) => ({
      name,
      enabled: 1,
      plugin: 'awsts',
      confPath: env['HF_PROVIDER_CONFDIR'],
      workPath: env['HF_PROVIDER_WORKDIR'],
      logPath: env['HF_PROVIDER_LOGDIR'],
    });
    for (const { directory } of [plugin, other])
      for (const file of ['config', 'templates'])
        await rename(join(directory, `conf/awsinstprov_${file}.json`), join(directory, `conf/awsprov_${file}.json`));
    const providers = [entry(plugin, 'first'), entry(other, 'second')];
    const registered = JSON.stringify({ version: 2, providers });
    await writeFile(join(top, 'conf', 'providers', 'hostProviders.json'), registered);
    const server = await serveScripts({ PATH: plugin.env['PATH'] ?? '', HF_TOP: top }, { providers: 2 });
    servers.push(server);
    for (const [each, name] of [[plugin, 'first'] as const, [other, 'second'] as const]) {
      const env = { ...each.env, HF_PROVIDER_NAME: name };
      expect((await each.run('getAvailableTemplates', [], { env })).exitCode).toBe(0);
      expect((await healthOf(each.workDir)).answered).toBe(1);
    }
    await servers.pop()?.stop();
    await other.remove();
  });

  it('gives way to another version that is installed under load, and no call fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hf-aws-upgrade-'));
    for (const version of ['one', 'two'])
      for (const part of ['scripts', 'dist', 'config'])
        await cp(join(home, part), join(folder, version, part), { recursive: true });
    const target = join(folder, 'awsts');
    await symlink('one', target);
    const server = await serveScripts(plugin.env, { entry: join(target, 'dist', 'hf-aws.cjs') });
    const before = server.child.pid ?? 0;
    let isOver = false;
    let calls = 0;
    const client = async (operation: string, input: string): Promise<void> => {
      const script = join(target, 'scripts', `${operation}.sh`);
      while (!isOver) {
        const { exitCode, stdout } = await plugin.run(operation, ['--data', input], { script });
        expect(exitCode, stdout).toBe(0);
        calls += 1;
      }
    };
    const clients = Promise.all([
      client('getAvailableTemplates', '{}'),
      client('requestMachines', '{"template": {"templateId": "od", "machineCount": 1}}'),
      client('getRequestStatus', '{"requests": []}'),
    ]);
    await expect.poll(() => calls, { timeout: 20_000 }).toBeGreaterThan(10);
    await symlink('two', `${target}.new`);
    await rename(`${target}.new`, target);
    const successor = async (): Promise<number> =>
      (await healthOf(plugin.workDir).catch(() => undefined))?.pid ?? before;
    await expect.poll(successor, { timeout: 30_000 }).not.toBe(before);
    const pid = await successor();
    await expect.poll(async () => (await healthOf(plugin.workDir)).answered, { timeout: 30_000 }).toBeGreaterThan(3);
    isOver = true;
    await clients;
    expect(isRunning(before)).toBe(false);
    expect(backend.emulator.countCalls()['RunInstances']).toBe(backend.emulator.instances().length);
    await untilIdle(plugin.workDir);
    process.kill(pid, 'SIGTERM');
    await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
    await rm(folder, { recursive: true });
  });
});
