import { execFileSync } from 'node:child_process';
import { chmod, chown, copyFile, cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { runCli } from './entries.ts';
import { createPlugin, home, type Plugin, runScript, tablesAt } from './plugin.ts';
import { testTemplates } from './templates.ts';

const operations = [
  'getAvailableTemplates',
  'requestMachines',
  'getRequestStatus',
  'requestReturnMachines',
  'getReturnRequests',
];

describe('the scripts', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  const input = {
    requestMachines: { template: { templateId: 'od', machineCount: 1 } },
    getRequestStatus: { requests: [] },
    requestReturnMachines: { machines: [] },
  };
  const inputOf = (operation: string): string => JSON.stringify(new Map(Object.entries(input)).get(operation) ?? {});

  it.each(operations)('%s takes JSON by --data and on standard input', async (operation) => {
    const byData = await plugin.run(operation, ['--data', inputOf(operation)]);
    const byStdin = await plugin.run(operation, [], { stdin: inputOf(operation) });
    expect([byData.exitCode, byStdin.exitCode]).toEqual([0, 0]);
    expect(Object.keys(byStdin.body)).toEqual(Object.keys(byData.body));
  });

  it.each(operations)(
    '%s works through symlinks, from any directory, with a short PATH, no HOME and standard input closed',
    async (operation) => {
      const folder = join(plugin.directory, `links-${operation}`);
      await mkdir(folder);
      await symlink(join(home, 'scripts', `${operation}.sh`), join(folder, 'first'));
      await symlink('first', join(folder, 'second'));
      const file = join(folder, 'in.json');
      await writeFile(file, inputOf(operation));
      const env = { ...plugin.env, PATH: dirname(process.execPath), HF_AWS_NODE: '' };
      const viaShell = `exec ${join(folder, 'second')} -f ${file} <&-`;
      const { exitCode } = await runScript('/bin/sh', ['-c', viaShell], { env, cwd: '/' });
      expect(exitCode).toBe(0);
    },
  );

  it('takes a byte order mark, tabs and trailing white space', async () => {
    const file = join(plugin.directory, 'bom.json');
    await writeFile(file, '\uFEFF{\n\t"requests":\t[ ]\n}\n\n');
    expect((await plugin.run('getRequestStatus', ['-f', file])).body).toEqual({ requests: [] });
  });

  it('does not touch its input file', async () => {
    const file = join(plugin.directory, 'mine.json');
    await writeFile(file, '');
    await plugin.run('requestMachines', ['-f', file]);
    expect(await readFile(file, 'utf8')).toBe('');
  });

  it.each([
    ['a missing file', ['-f', '/nowhere/in.json'], 'cannot read the input file /nowhere/in.json'],
    ['a folder', ['-f', '/tmp'], 'cannot read the input file /tmp'],
    ['a flag without a file', ['-f'], 'usage: requestMachines.sh'],
    ['an unknown flag', ['--nonsense', 'x'], 'unexpected arguments "--nonsense x"'],
    ['no JSON', ['--data', '{"template": '], 'line 1, column 14'],
    ['an empty input', ['--data', ''], 'it is empty'],
  ])('answers %s with one JSON object and exit 1', async (_what, args, message) => {
    const { exitCode, body } = await plugin.run('requestMachines', args);
    expect(exitCode).toBe(1);
    expect(body['message']).toContain(message);
  });

  const installedCopy = async (name: string): Promise<string> => {
    const copy = join(plugin.directory, name);
    await cp(join(home, 'scripts'), join(copy, 'scripts'), { recursive: true });
    return copy;
  };

  it('says so when it is not built', async () => {
    const script = join(await installedCopy('unbuilt'), 'scripts', 'requestMachines.sh');
    const { exitCode, body } = await plugin.run('requestMachines', [], { script });
    expect(exitCode).toBe(1);
    expect(body['message']).toContain('is not built');
  });

  it('says so when a file of the build is damaged', async () => {
    const copy = await installedCopy('damaged');
    await mkdir(join(copy, 'dist'));
    await copyFile(join(home, 'dist', 'hf-aws.cjs'), join(copy, 'dist', 'hf-aws.cjs'));
    await writeFile(join(copy, 'dist', 'main.cjs'), 'this is not a program');
    const { exitCode, body } = await plugin.run('getAvailableTemplates', ['--data', '{}'], {
      script: join(copy, 'scripts', 'getAvailableTemplates.sh'),
    });
    expect(exitCode).toBe(1);
    expect(body['message']).toContain('cannot be loaded');
  });

  it('says so when there is no Node, the wrong program, or a Node too old', async () => {
    const none = await plugin.run('getAvailableTemplates', [], { env: { ...plugin.env, PATH: '/nowhere' } });
    const wrong = await plugin.run('getAvailableTemplates', [], { env: { ...plugin.env, HF_AWS_NODE: '/etc/passwd' } });
    expect([none.exitCode, wrong.exitCode]).toEqual(anyNodeInstalled() ? [0, 1] : [1, 1]);
    expect(wrong.body['message']).toContain('HF_AWS_NODE');

    const old = join(plugin.directory, 'old-node');
    const pretend = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })";
    await writeFile(join(plugin.directory, 'old.cjs'), pretend);
    await writeFile(old, `#!/bin/sh\nexec ${process.execPath} --require ${join(plugin.directory, 'old.cjs')} "$@"\n`);
    await chmod(old, 0o755);
    const tooOld = await plugin.run('getAvailableTemplates', ['--data', '{}'], {
      env: { ...plugin.env, HF_AWS_NODE: old },
    });
    expect(tooOld.exitCode).toBe(1);
    expect(tooOld.body['message']).toContain('needs Node 20.19 or later');
  });

  it('answers with one JSON object when the program crashes', async () => {
    const bomb = join(plugin.directory, 'bomb.cjs');
    await writeFile(bomb, "process.nextTick(() => { throw new Error('boom'); });");
    const env = { ...plugin.env, NODE_OPTIONS: `--require ${bomb}` };
    const { exitCode, body } = await plugin.run('getAvailableTemplates', ['--data', '{}'], { env });
    expect(exitCode).toBe(1);
    expect(body['message']).toBe('boom');
  });

  it.each([
    ['an option Node does not know', { NODE_OPTIONS: '--bogus' }],
    ['too little memory', { NODE_OPTIONS: '--max-old-space-size=2' }],
    ['a program that is no Node', { HF_AWS_NODE: '/bin/true' }],
  ])('owes an answer also when Node dies without one: %s', async (_what, more) => {
    const { exitCode, body } = await plugin.run('getAvailableTemplates', ['--data', '{}'], {
      env: { ...plugin.env, ...more },
    });
    expect(exitCode).toBe(1);
    expect(body['message']).toContain('ended without an answer');
  });

  it('works where the scripts folder itself is a link, with a relative input file', async () => {
    const folder = join(plugin.directory, 'linked');
    await mkdir(folder);
    await symlink(join(home, 'scripts'), join(folder, 'scripts'));
    await writeFile(join(folder, 'in.json'), '{}');
    const { exitCode } = await plugin.run('getAvailableTemplates', ['-f', 'in.json'], {
      script: join(folder, 'scripts', 'getAvailableTemplates.sh'),
      cwd: folder,
    });
    expect(exitCode).toBe(0);
  });

  const withTrouble = (trouble: string): Record<string, string> => ({
    ...plugin.env,
    NODE_OPTIONS: `--require ${join(import.meta.dirname, 'preload', 'trouble.cjs')}`,
    HF_AWS_TEST_TROUBLE: trouble,
    HF_AWS_TEST_MARK: join(plugin.directory, 'in-trouble'),
  });
  const inShell = (commands: string, env: Record<string, string>) =>
    runScript('/bin/sh', ['-c', commands], { env: { ...env, S: join(home, 'scripts') } });

  /** A Node that a program starts, waits for, and tells of no signal. */
  const withProgramAround = async (env: Record<string, string>): Promise<Record<string, string>> => {
    const around = join(plugin.directory, 'around-node');
    await writeFile(around, `#!/bin/sh\n${process.execPath} "$@"\nexit $?\n`);
    await chmod(around, 0o755);
    return { ...env, HF_AWS_NODE: around };
  };

  // With the state in a table nothing waits for the disk.
  const onDisk = it.skipIf(tablesAt !== undefined);

  onDisk('ends by itself in time, with one answer, when the disk hangs, also with a program around Node', async () => {
    await plugin.configure({ actionTimeoutSeconds: 5 });
    const hanging = withTrouble('disk hangs');
    const outcomes = await Promise.all(
      [hanging, await withProgramAround(hanging)].map((env) =>
        plugin.run('requestMachines', ['--data', inputOf('requestMachines')], { env }),
      ),
    );
    await plugin.configure({});
    for (const { exitCode, body } of outcomes) {
      expect(exitCode).toBe(1);
      expect(body['message']).toContain('does not answer');
    }
  });

  onDisk.each([
    ['TERM', 'node'],
    ['HUP', 'node'],
    ['TERM', 'a program around Node'],
  ])('ends with an answer at SIG%s when the disk hangs: %s', async (signal, node) => {
    const mark = join(plugin.directory, 'in-trouble');
    await rm(mark, { force: true });
    const hanging = { ...withTrouble('disk hangs'), I: inputOf('requestMachines') };
    const { exitCode, body } = await inShell(
      `$S/requestMachines.sh --data "$I" & while [ ! -e ${mark} ]; do sleep 0.02; done; kill -${signal} $!; wait $!`,
      node === 'node' ? hanging : await withProgramAround(hanging),
    );
    expect([exitCode, body]).toEqual([1, { message: 'the call was ended by a signal' }]);
  });

  it('leaves nothing behind when it is killed itself', async () => {
    const pipe = join(plugin.directory, 'killed');
    execFileSync('mkfifo', [pipe]);
    const commands = `$S/requestMachines.sh -f ${pipe} >/dev/null & exec 9>${pipe}; kill -KILL $!; echo '{}'`;
    expect((await inShell(commands, plugin.env)).exitCode).toBe(0);
  });

  it('ends with an answer at a signal that comes before the program is started', async () => {
    const folder = join(plugin.directory, 'early');
    await mkdir(folder);
    await symlink(join(home, 'scripts', 'getAvailableTemplates.sh'), join(folder, 'link'));
    await writeFile(join(folder, 'readlink'), '#!/bin/sh\nkill -HUP $PPID\nexec /usr/bin/env -u PATH readlink "$@"\n');
    await chmod(join(folder, 'readlink'), 0o755);
    const { exitCode, body } = await runScript(join(folder, 'link'), [], {
      env: { ...plugin.env, PATH: `${folder}:${plugin.env['PATH']}` },
    });
    expect([exitCode, body]).toEqual([1, { message: 'the call was ended by a signal' }]);
  });

  it('ends with an answer when it is told to stop while nobody writes its input', async () => {
    const pipe = join(plugin.directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const { exitCode, body } = await inShell(
      `$S/requestMachines.sh -f ${pipe} & exec 9>${pipe}; kill -TERM $!; wait $!`,
      plugin.env,
    );
    expect(exitCode).toBe(1);
    expect(body['message']).toContain('was ended by');
  });

  it('takes its input from a pipe that somebody writes to later', async () => {
    const pipe = join(plugin.directory, 'later');
    execFileSync('mkfifo', [pipe]);
    const { exitCode } = await inShell(
      `$S/getRequestStatus.sh -f ${pipe} & exec 9>${pipe}; printf '{"requests":' >&9; echo '[]}' >&9; exec 9>&-; wait $!`,
      plugin.env,
    );
    expect(exitCode).toBe(0);
  });

  it.each(['killed as soon as its answer is out', 'killed after its answer'])(
    'answers once and succeeds when Node is %s, also with a program around it',
    async (trouble) => {
      await plugin.configure({ actionTimeoutSeconds: 100 });
      for (const env of [withTrouble(trouble), await withProgramAround(withTrouble(trouble))]) {
        const { exitCode, body } = await plugin.run('getRequestStatus', ['--data', inputOf('getRequestStatus')], {
          env,
        });
        expect([exitCode, body]).toEqual([0, { requests: [] }]);
      }
      await plugin.configure({});
    },
  );

  it('answers once when Node cannot let its caller go', async () => {
    await rm(join(plugin.workDir, 'cache', 'housekeeping.json'), { force: true });
    const { exitCode, body } = await plugin.run('getReturnRequests', ['--data', '{}'], {
      env: withTrouble('no more files once it has answered'),
    });
    expect([exitCode, body['requests']]).toEqual([0, []]);
  });

  it.each(['>/dev/full', '>&-'])('fails when its answer cannot be written: %s', async (to) => {
    const { body } = await inShell(
      `$S/getRequestStatus.sh --data '{"requests":[]}' ${to}; echo '{"exit":'$?'}'`,
      plugin.env,
    );
    expect(body).toEqual({ exit: 1 });
  });

  it("says in the log folder why Node did not start, whoever owns Host Factory's work folder", async () => {
    const logDir = join(plugin.directory, 'not-started');
    const work = join(plugin.directory, 'of-another-user');
    await mkdir(logDir);
    await mkdir(work);
    if (process.getuid?.() === 0) await chown(work, 65534, 65534);
    const { PATH = '' } = plugin.env;
    const HF_WORKDIR = process.getuid?.() === 0 ? work : '/';
    await plugin.run('requestMachines', ['--data', '{}'], {
      env: { PATH, HF_WORKDIR, HF_LOGDIR: logDir, NODE_OPTIONS: '--bogus' },
    });
    expect(await readFile(join(logDir, 'awsinst-provider.err'), 'utf8')).toContain('--bogus');
  });

  it('appends to no file that a link in the log folder leads to', async () => {
    const victim = join(plugin.directory, 'victim');
    const logDir = join(plugin.directory, 'planted');
    await mkdir(logDir);
    await writeFile(victim, '');
    const env = { ...plugin.env, HF_PROVIDER_LOGDIR: logDir };
    for (const name of ['awsinst-provider.err', `awsinst-provider.${hostname()}.log`])
      await symlink(victim, join(logDir, name));
    const logged = await plugin.run('requestMachines', ['--data', '{'], { env });
    const died = await plugin.run('requestMachines', ['--data', '{}'], { env: { ...env, NODE_OPTIONS: '--bogus' } });
    expect([logged.exitCode, died.exitCode, await readFile(victim, 'utf8')]).toEqual([1, 1, '']);
  });

  it('ends with an answer when it is told to stop', async () => {
    backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'hang' } });
    const input = join(plugin.directory, 'stop.json');
    await writeFile(input, inputOf('requestMachines'));
    const script = join(home, 'scripts', 'requestMachines.sh');
    const stopWhenAsked = `${script} -f ${input} & while [ ! -e ${plugin.directory}/asked ]; do sleep 0.02; done; kill -TERM $!; wait $!`;
    const running = runScript('/bin/sh', ['-c', stopWhenAsked], { env: plugin.env });
    const isAsked = (): boolean => backend.emulator.calls('RunInstances').some(({ fault }) => fault !== undefined);
    await expect.poll(isAsked, { timeout: 30_000 }).toBe(true);
    await writeFile(join(plugin.directory, 'asked'), '');
    const { body } = await running;
    expect(body['requestId']).toMatch(/^req-/);
    expect(body['message']).toContain('not confirmed');
  });

  it('gives the whole of a long answer to a slow reader', async () => {
    await plugin.offer([{ ...testTemplates(backend.place)[0], templateId: 'long', maxNumber: 2000 }]);
    const requestId = await plugin.request('long', 1500);
    const input = join(plugin.directory, 'long.json');
    await writeFile(input, JSON.stringify({ requests: [{ requestId }] }));
    const slowly = `${join(home, 'scripts', 'getRequestStatus.sh')} -f ${input} | { sleep 0.5; cat; }`;
    const { body } = await runScript('/bin/sh', ['-c', slowly], { env: plugin.env });
    expect(body['requests']).toMatchObject([{ requestId, machines: { length: 1500 } }]);
    await plugin.offer(testTemplates(backend.place));
  });

  it('keeps state and log private, and secrets and user data out of the log', async () => {
    const userData = join(plugin.directory, 'user-data.sh');
    await writeFile(userData, '#!/bin/sh\necho planted-user-data\n');
    await plugin.offer([{ ...testTemplates(backend.place)[0], userDataScript: userData }]);
    await plugin.settled(await plugin.request('od', 1));
    for (const file of await plugin.state()) expect((await stat(file)).mode & 0o077, file).toBe(0);
    const [log] = (await execFiles(plugin.logDir)).filter((file) => file.endsWith('.log'));
    if (log === undefined) throw new Error('no log');
    expect((await stat(log)).mode & 0o077).toBe(0);
    const text = await readFile(log, 'utf8');
    expect(text).toContain('RunInstances');
    for (const secret of ['planted-secret', 'planted-user-data', Buffer.from('echo planted').toString('base64')]) {
      expect(text).not.toContain(secret);
    }
    const shown = await runCli(plugin, 'events', 'list', '--json');
    const rehearsed = await runCli(plugin, 'requests', 'create', 'od', '1', '--dry-run');
    for (const { stdout } of [shown, rehearsed]) {
      expect(stdout).toContain('characters of base64');
      expect(stdout).not.toContain(Buffer.from('echo planted').toString('base64').slice(0, 12));
    }
    const [instance] = backend.emulator.instances().slice(-1);
    expect(Buffer.from(instance?.userData ?? '', 'base64').toString()).toBe(await readFile(userData, 'utf8'));
  });
});

const execFiles = async (directory: string): Promise<readonly string[]> =>
  execFileSync('find', [directory, '-type', 'f'], { encoding: 'utf8' }).split('\n');

/** The launcher also looks in the usual places. */
const anyNodeInstalled = (): boolean => {
  try {
    execFileSync('/bin/sh', [
      '-c',
      'for n in /usr/local/bin /usr/bin /opt/node/bin /opt/nodejs/bin; do [ -x $n/node ] && exit 0; done; exit 1',
    ]);
    return true;
  } catch {
    return false;
  }
};
