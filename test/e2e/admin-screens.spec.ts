import { spawn } from 'node:child_process';
import { appendFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hfAws, hfAwsHere, hfAwsJson, type Said } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';

const program = join(home, 'dist', 'hf-aws.cjs');
/** As file-logger.ts writes it. */
const logLine = (): string => {
  const [day, time] = new Date().toISOString().split('T');
  return `[${day} ${time?.slice(0, -1)} +00:00]-[INFO]-[test.line] a line\n`;
};
/** Ids of requests are the ids of their commands. */
const [first, second, other] = [
  'aaaaaaaa-aaaa-4000-8000-000000000001',
  'aaaaaaaa-bbbb-4000-8000-000000000002',
  'cccccccc-0000-4000-8000-000000000003',
];

describe('on a screen and in a pipe', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  const run = (...args: readonly string[]): Promise<Said> => hfAwsHere(plugin, args);
  /** A few at a time: each is a process. */
  const each = async (lines: readonly string[]): Promise<readonly (readonly [string, Said])[]> => {
    const said: (readonly [string, Said])[] = [];
    for (let next = 0; next < lines.length; next += 4) {
      const some = lines.slice(next, next + 4);
      said.push(...(await Promise.all(some.map(async (line) => [line, await run(...line.split(' '))] as const))));
    }
    return said;
  };

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [
      { templateId: 'good', maxNumber: 40, vmType: 'm5.large', ...backend.place },
      {
        templateId: 'a-very-long-template-name-for-the-risk-grid-in-frankfurt-000001',
        maxNumber: 40,
        vmType: 'm5.large',
        ...backend.place,
      },
    ]);
    for (const [id, template] of [
      [first, 'good'],
      [second, 'a-very-long-template-name-for-the-risk-grid-in-frankfurt-000001'],
      [other, 'good'],
    ]) {
      const args = [
        'requests',
        'create',
        String(template),
        '2',
        '--wait',
        '--interval',
        '0.1',
        '--command-id',
        String(id),
      ];
      expect(await run(...args)).toMatchObject({ exitCode: 0 });
    }
  });
  afterAll(async () => {
    await plugin.remove();
    await backend.close();
  });

  /** Its output read by nobody from the start. */
  const unread = (args: readonly string[], which: 'stdout' | 'stderr'): Promise<readonly [number | null, string]> => {
    const child = spawn('node', [program, ...args], { env: plugin.env });
    child[which].destroy();
    let rest = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        rest += String(chunk);
      });
    child.stdin.end();
    return new Promise((resolve, reject) =>
      child.on('error', reject).on('close', (exitCode) => resolve([exitCode, rest])),
    );
  };

  it.each(['requests list', 'events list --json', 'doctor', '--help', 'machines list --limit 5000'])(
    '%s ends quietly when its reader has gone',
    async (line) => expect(await unread(line.split(' '), 'stdout')).toEqual([0, '']),
  );

  it('a complaint that nobody reads changes nothing about how a command ends', async () => {
    expect(await unread(['requests', 'show', 'none'], 'stderr')).toEqual([1, '']);
    expect(await unread(['requests', 'shwo'], 'stderr')).toEqual([2, '']);
  });

  it('what cannot be written is a failure', async () => {
    const child = spawn('sh', ['-c', `exec node ${program} requests list > /dev/full`], { env: plugin.env });
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += String(chunk);
    });
    const exitCode = await new Promise((resolve) => child.on('close', resolve));
    expect([exitCode, complaint]).toEqual([1, expect.stringMatching(/^the output cannot be written: ENOSPC/)]);
  });

  it('tables fit 80 columns, a line for each row, and --wide cuts nothing', async () => {
    const raw = async (line: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
      // Standard error tells whose provider it is.
      const command = `stty cols 80 rows 24; exec node ${program} ${line} 2> /dev/null`;
      const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...plugin.env, TERM: 'xterm', ...env } });
      child.stdin.end();
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
      });
      await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
      return text.replaceAll('\r', '').trim();
    };
    const screen = async (line: string): Promise<readonly string[]> =>
      stripVTControlCharacters(await raw(line)).split('\n');
    for (const [line, rows] of [
      ['requests list', 3],
      ['machines list', 6],
      ['events list --limit 9', 10],
      ['templates list', 3],
      ['config show', undefined],
      ['offerings list', 0],
    ] as const) {
      const lines = await screen(line);
      expect([line, lines.filter((each) => each.length > 80)]).toEqual([line, []]);
      if (rows !== undefined) expect([line, lines.length]).toEqual([line, rows + 1]);
    }
    const requests = await screen('requests list');
    expect(requests[0]).toMatch(/^REQUEST {2,}TEMPLATE {2,}STATUS {2,}WANTED {2}OK {2}WAIT {2}FAIL {2}AGE$/);
    // As many digits as tell them apart.
    expect(requests.slice(1).map((row) => row.split(' ')[0])).toEqual(['cccccccc-0', 'aaaaaaaa-b', 'aaaaaaaa-a']);
    expect(requests[2]).toMatch(/ a-very-long-\S+… {2}complete .* \d+s$/);
    expect(await raw('requests list')).toContain('\u001b[32mcomplete\u001b[0m');
    expect(await raw('requests list', { NO_COLOR: '1' })).not.toContain('\u001b');
    const wide = (await screen('requests list --wide')).join('\n');
    expect(wide).toContain(`req-${second}  a-very-long-template-name-for-the-risk-grid-in-frankfurt-000001`);
    expect(wide).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d/);
  });

  it('top lives on a terminal until q or a signal, and leaves it as it was', async () => {
    /** What the terminal got until `keys` had been typed, each once its text was seen; and how it ended. */
    const lived = async (keys: readonly (readonly [seen: RegExp, typed: string])[]) => {
      const top = `echo pid $$; exec node ${program} top --interval 0.2 2> /dev/null`;
      const command = `stty cols 80 rows 24; sh -c '${top}'; echo ended $?; stty -a`;
      const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...plugin.env, TERM: 'xterm' } });
      let [text, from] = ['', 0];
      const left = [...keys];
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
        const [seen, typed] = left[0] ?? [];
        if (seen?.test(text.slice(from)) !== true) return;
        [from] = [text.length, left.shift()];
        if (typed === 'SIGTERM') process.kill(Number(/pid (\d+)/.exec(text)?.[1]), typed);
        else child.stdin.write(typed ?? '');
      });
      await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
      return text;
    };
    const frame = /REQUESTS.*cccccccc-0 .* complete/s;
    const text = await lived([
      [frame, 'jj'],
      [/> .*aaaaaaaa-b/, '\r'],
      [/Nothing needs to be done/, 'x'],
      [frame, 'q'],
    ]);
    expect(text).toMatch(/^.*\p{Cc}\[\?1049h.*\p{Cc}\[\?25h\p{Cc}\[\?1049l.*ended 0\r\n.*\n[^\n]* icanon .* echo /su);
    // Of the terminal itself, as its raw mode has it: not a signal.
    expect(await lived([[frame, '\u0003']])).toMatch(/\p{Cc}\[\?1049l.*ended 0/su);
    expect(await lived([[frame, 'SIGTERM']])).toMatch(/\p{Cc}\[\?1049l.*ended 143/su);
  });

  it('where there is nothing to show, words say so', async () => {
    const said = await each([
      'requests list --status cancelled',
      'machines list --status stopped',
      'events list --type RequestCancelled',
      'templates list --filter priceType=spot',
      'offerings list',
      'requests list --page 99',
      'reconcile',
    ]);
    expect(said.map(([, { stdout }]) => stdout.trim().split('\n').at(-1))).toEqual([
      'No request found.',
      'No machine found.',
      'No event found.',
      'No template found.',
      'EC2 has refused nothing recently.',
      'Page 99 is empty: there is 1 page, 3 in all.',
      'Nothing is out of place.',
    ]);
  });

  it('an id may be cut short wherever one is asked for', async () => {
    const { body } = await hfAwsJson(plugin, 'machines', 'list', '--request', 'cccc', '--sort-by', 'machine_id');
    const [machine] = Array.isArray(body['items']) ? body['items'] : [];
    const { machineId, name } = Object(machine);
    expect(body['total']).toBe(2);
    const said = await each([
      'requests show cccccccc --no-sync',
      'requests show req-aaaaaaaa-b --no-sync',
      'requests explain ccc',
      'requests watch cccccccc',
      'events list --request cccccccc-0000 --wide',
      'projections status --request ccccc',
      `requests list --expect-version cccccccc:1`,
      `machines show ${String(machineId).slice(0, -1)}`,
      `machines show ${String(name).split('.')[0]}`,
      `machines explain ${machineId}`,
      `machines return ${machineId} --dry-run`,
    ]);
    expect(said.filter(([, { exitCode }]) => exitCode !== 0)).toEqual([]);
    expect(said[0]?.[1].stdout).toContain(`req-${other}\n`);
    expect(said[1]?.[1].stdout).toContain(`req-${second}\n`);
    expect(said[7]?.[1].stdout).toContain(machineId);
    expect(said[8]?.[1].stdout).toContain(machineId);
  });

  it('one that is cut too short, or that nobody has, is an error and ends nothing', async () => {
    backend.emulator.forgetCalls();
    const said = await each([
      'requests cancel aaaaaaaa',
      'requests show ret-aaaaaaaa',
      'requests watch dddd',
      'machines return i-',
      'machines return i-ffffffff',
      'machines set-status i-0 terminated',
      'events list --request aaaaaaaa',
    ]);
    expect(said.map(([, { exitCode }]) => exitCode)).toEqual(said.map(() => 1));
    expect(said.map(([, { stderr }]) => stderr.split('\n')[0])).toEqual([
      expect.stringMatching(`^input.invalid: "aaaaaaaa" could be req-${second}, req-${first}: write more of the id`),
      expect.stringMatching(/^request.not-found: no request begins with "ret-aaaaaaaa"/),
      expect.stringMatching(/^request.not-found: no request begins with "dddd"/),
      expect.stringMatching(/^input.invalid: "i-" could be i-.*, i-.*, i-.* and \d+ more: write more of the id/),
      'machine.not-found: no machine "i-ffffffff" is on record',
      expect.stringMatching(/^input.invalid: "i-0" could be/),
      expect.stringMatching(/^input.invalid: "aaaaaaaa" could be/),
    ]);
    expect(backend.emulator.countCalls()).toEqual({});
  });

  it('wrong values are wrong usage: exit 2, naming the option and what it may be', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['requests create good two', 'COUNT must be a whole number from 1 to 10000'],
      ['requests create good 2.5', 'COUNT must be a whole number'],
      ['requests create good -1', 'COUNT must be a whole number'],
      ['templates explain-launch good 0', 'COUNT must be a whole number'],
      ['requests create good', 'an argument is missing: hf-aws requests create <templateId> <count>'],
      ['requests create good 1 --command-id x', '--command-id must be a UUID'],
      ['requests list --limit abc', '--limit must be a whole number from 1 to 10000'],
      ['requests list --page 0', '--page must be a whole number from 1'],
      ['machines list --offset -1', '--offset must be a whole number from 0'],
      ['requests list --sort-by foo', '--sort-by must be one of created_at, '],
      ['machines list --sort-by wanted', '--sort-by must be one of machine_id, '],
      ['templates list --filter foo=bar', '--filter knows no field "foo"; there are templateId, '],
      ['templates list --filter foo', '--filter must have the form field=value, not "foo"'],
      [
        'requests list --status Foo',
        'status must be one of running, complete, complete_with_error, cancelled, not "Foo"',
      ],
      ['events list --type Foo', '--type must be one of RequestCreated, '],
      ['events list --from yesterday', '--from must be a position'],
      ['events list --since soon', '--since must be a length of time such as'],
      ['events list --follow -o csv', '--follow has no form csv'],
      ['logs --since soon', '--since must be a length of time such as'],
      ['logs -o yaml', 'logs has no form yaml'],
      ['requests list --expect-version x', '--expect-version must be REQUEST:VERSION'],
      ['requests show cccc --expect-version 1 --wait abc', '--wait must be a length of time such as'],
      ['requests watch cccc --interval 0', '--interval must be a number of seconds above 0'],
      ['requests list --trace-file /nonexistent/file', '--trace-file cannot be written to: ENOENT'],
    ];
    const said = await each(wrong.map(([line]) => line));
    for (const [index, [line, { exitCode, stdout, stderr }]] of said.entries()) {
      expect([line, exitCode, stdout]).toEqual([line, 2, '']);
      expect([line, stderr.slice(0, wrong[index]?.[1].length)]).toEqual([line, wrong[index]?.[1]]);
    }
    expect(await hfAwsJson(plugin, 'requests', 'list', '--page', '0')).toEqual({
      exitCode: 2,
      stderr: '',
      body: { error: { code: 'input.invalid', message: '--page must be a whole number from 1 to 10000' } },
    });
  });

  it('help is had by -h, the version as a command, and a noun alone shows its verbs', async () => {
    const [help, version, noun] = await Promise.all([
      hfAws(plugin, ['requests', '-h']),
      run('version'),
      run('requests'),
    ]);
    expect(help).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('hf-aws requests list') });
    expect(version).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(noun).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Name a command for requests: [\s\S]*hf-aws requests list/),
    });
  });

  it('a template that is written wrong is told the one that was meant', async () => {
    for (const line of ['requests create god 1', 'requests create god 1 --dry-run', 'templates show god'])
      expect((await run(...line.split(' '))).stderr).toMatch(/^template\.not-found: .*; did you mean good\?\n$/);
    expect((await run('requests', 'create', 'nothing', '1')).stderr).toMatch(/; there are good, a-very-long/);
  });

  it('the demo tells what changed, leaves its folder only with --keep, and can have the state in a table', async () => {
    const aside = join(plugin.directory, 'aside');
    await mkdir(aside);
    const inAside = { ...plugin, env: { ...plugin.env, TMPDIR: aside } };
    const told = await hfAws(inAside, ['demo']);
    expect(told).toMatchObject({ exitCode: 0, stderr: '' });
    expect(told.stdout).toMatch(/3 of 3 machines granted[^{}]* -> complete: 3 running[^{}]* -> complete: 3 terminated/);
    expect([told.stdout.includes('{'), await readdir(aside)]).toEqual([false, []]);
    const wire = await hfAws(inAside, ['demo', '--json', '--keep', '--state', 'table']);
    expect(wire.stdout).toMatch(/^\{"message":"3 of 3 machines granted\.","requestId":"req-/m);
    const [kept = ''] = await readdir(aside);
    expect(wire.stdout).toContain('\nThe state is in its table hf-state, configuration and logs are in ');
    expect(await readdir(join(aside, kept))).toEqual(expect.arrayContaining(['conf', 'log', 'work']));
    const work = await readdir(join(aside, kept, 'work'));
    expect(work.filter((name) => /^(requests|live|store-id)$/.test(name))).toEqual([]);
  });

  it('whoever leaves a request that is followed is told that it goes on', async () => {
    backend.emulator.configure({ pendingMs: 60_000 });
    const child = spawn('node', [program, 'requests', 'create', 'good', '1', '--wait', '--interval', '60'], {
      env: plugin.env,
    });
    let [said, complaint] = ['', ''];
    child.stderr.on('data', (chunk) => {
      complaint += String(chunk);
    });
    const exitCode = new Promise((resolve) => child.on('close', resolve));
    child.stdout.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('0/1  running')) child.kill('SIGINT');
    });
    expect(await exitCode).toBe(130);
    const id = /^(req-\S+)$/m.exec(said)?.[1];
    expect(complaint).toBe(
      `${id} goes on. hf-aws requests watch ${id} follows it again, hf-aws requests cancel ${id} ends it.\n`,
    );
    expect(await run('requests', 'cancel', String(id))).toMatchObject({ exitCode: 0 });
    backend.emulator.configure({ pendingMs: 300 });
  });

  it.each([
    ['requests show req-aaaaaaaa-', [`req-${first}`, `req-${second}`]],
    ['requests show aaaaaaaa', [first, second]],
    ['requests show req-aaaaaaaa-b', [`req-${second}`]],
    ['requests cancel ', []],
    ['machines return i-nobody', []],
    ['requests create g', ['good']],
    ['requests list --template g', ['good']],
    ['events list --request cccccccc', [other]],
    ['events list --type RequestCr', ['RequestCreated']],
    ['machines list --sort-by launch', ['launch_time']],
    ['logs --code request.cr', ['request.created']],
    ['requests list --status can', ['cancelled']],
    ['requests list -o y', ['yaml']],
    ['requests list --limit no', []],
    ['machines set-status i-0 term', ['terminated']],
  ])('"%s" is completed by what is there, and nothing else is said', async (line, expected) => {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const { stdout, stderr } = await run('--get-yargs-completions', 'hf-aws', ...line.split(' '));
    const told = [...stdout.split('\n'), ...printed.mock.calls.flat().map(String)].map((each) => each.split(':')[0]);
    printed.mockRestore();
    expect(stderr).toBe('');
    const current = line.split(' ').at(-1) ?? '';
    expect(told.filter((each) => each !== '' && each?.startsWith(current)).sort()).toEqual(expected.toSorted());
  });

  it('what is followed ends at the first line that nobody reads', async () => {
    const line = `node ${program} logs --follow --since 1h --interval 0.1 | head -1`;
    const child = spawn('sh', ['-c', line], { env: plugin.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
    });
    // The shell waits for both.
    const ended = new Promise((resolve) => child.on('close', resolve));
    await expect.poll(() => text).toMatch(/\n$/);
    // A pipe tells of its lost reader only who writes to it.
    await expect
      .poll(
        async () => {
          await appendFile(join(plugin.logDir, 'awsinst-provider.other.log'), logLine());
          return child.exitCode;
        },
        { timeout: 20_000 },
      )
      .toBe(0);
    expect(await ended).toBe(0);
    expect(text.split('\n')).toEqual([expect.not.stringMatching(/^$/), '']);
  });

  it('events and log lines are followed as they come, one JSON object for each', async () => {
    const command = '77777777-0000-4000-8000-000000000007';
    /** Follows until the new request is told of, which is made when the first line has come. */
    const followed = (line: string, first: Promise<unknown>, isFirst: () => void): Promise<readonly unknown[]> => {
      const args = [program, ...line.split(' '), '--follow', '--since', '1h', '-o', 'json', '--interval', '0.1'];
      const child = spawn('node', args, { env: plugin.env });
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += String(chunk);
        if (text.includes('\n')) isFirst();
        if (new RegExp(`${command}.*\n$`).test(text)) child.kill();
      });
      return new Promise((resolve, reject) =>
        child.on('error', reject).on('close', () =>
          first.then(() =>
            resolve(
              text
                .trimEnd()
                .split('\n')
                .map((each) => JSON.parse(each)),
            ),
          ),
        ),
      );
    };
    const lines = ['events list --type RequestCreated', 'logs --code request'].map((line) => {
      let isFirst = (): void => undefined;
      const first = new Promise<void>((resolve) => {
        isFirst = resolve;
      });
      return { first, lines: followed(line, first, isFirst) };
    });
    await Promise.all(lines.map(({ first }) => first));
    expect(await run('requests', 'create', 'good', '1', '--command-id', command)).toMatchObject({ exitCode: 0 });
    const [events, log] = await Promise.all(lines.map((each) => each.lines));
    const told = events?.map((each) => String(Object(each).requestId)) ?? [];
    expect(new Set(told).size).toBe(told.length);
    expect([...told.slice(0, 3), told.at(-1)]).toEqual([first, second, other, command].map((id) => `req-${id}`));
    expect(log?.at(-1)).toMatchObject({ level: 'INFO', code: 'request.created', requestId: `req-${command}` });
    expect(await run('requests', 'cancel', command)).toMatchObject({ exitCode: 0 });
  });
});
