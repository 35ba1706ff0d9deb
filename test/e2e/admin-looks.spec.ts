import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAws, hfAwsHere } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, type Plugin } from './plugin.ts';

/**
 * What a look may leave behind where calls have left it before: lines of the log, figures, lists folded from the events, code as V8
 * compiled it. The README promises each.
 */
const mayDiffer = /^(log|work\/usage|work\/projections|work\/cache\/code)(\/|$)/;

describe('what only looks', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    const common = { maxNumber: 100, ...backend.place };
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [
      { ...common, templateId: 'od', vmType: 'm5.large' },
      { ...common, templateId: 'fleet', priceType: 'spot', vmTypes: { 'm5.large': 1, 'm5.xlarge': 2 } },
      { ...common, templateId: 'mended', vmType: 'm5.large' },
    ]);
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
    backend.emulator.configure({ capacity: {} });
  });

  /** Every file and folder of the instance, with what is in it, but for what may differ. */
  const everything = async (but?: RegExp): Promise<ReadonlyMap<string, string>> => {
    const entries = await readdir(plugin.directory, { recursive: true, withFileTypes: true });
    const found = entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isFile()
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : 'folder';
      return [relative(plugin.directory, path), content] as const;
    });
    const all = await Promise.all(found);
    return new Map(all.filter(([path]) => but?.test(path) !== true).sort());
  };

  const looks = (requestId: string, machineId: string): readonly string[] => [
    'requests create od 2 --dry-run',
    'requests create fleet 2 --dry-run --json',
    'requests create mended 1 --dry-run',
    'templates explain-launch od 2',
    'templates explain-launch fleet 2',
    `machines return ${machineId} --dry-run`,
    'doctor',
    'doctor --iam-policy',
    'config show',
    'config validate',
    'templates list',
    'templates show od',
    'templates validate',
    'templates validate --aws',
    'templates diff',
    'templates plan',
    'requests list',
    `requests show ${requestId} --no-sync --machines`,
    `requests explain ${requestId}`,
    'machines list',
    `machines show ${machineId}`,
    `machines explain ${machineId}`,
    'events list',
    'offerings list',
    'launch-templates gc',
    'reconcile',
    'projections status',
    'prices list',
    'usage',
    'usage --since 1d --by day --csv',
    'metrics',
    'top',
    'logs',
    'handlers',
    'version',
    `import ${join(plugin.directory, 'conf')}`,
  ];
  /** Those of which every form may change something, one that reads what is Host Factory's alone, and one that needs a table. */
  const others = [
    ...[
      'requests cancel',
      'requests watch',
      'machines set-status',
      'offerings clear',
      'instance-types refresh',
      'prices refresh',
    ],
    ...['projections rebuild', 'init', 'serve', 'mcp', 'emulator', 'demo', 'providers list', 'support', 'replay'],
    ...['state copy', 'state verify'],
    ...['notify check', 'notify test'],
  ];

  /** Those that did not end with 0, and what they said. */
  const runAll = async (lines: readonly string[], run: typeof hfAws = hfAwsHere): Promise<readonly string[]> => {
    const failed: string[] = [];
    for (const line of lines) {
      const { exitCode, stderr } = await run(plugin, line.split(' '));
      if (exitCode !== 0) failed.push(`${line}: ${exitCode} ${stderr}`);
    }
    return failed;
  };

  it('is every command that the help tells and that is not known to change something', async () => {
    const help = await readFile(join(import.meta.dirname, 'golden', 'help.txt'), 'utf8');
    const pages = [...help.matchAll(/^----\nhf-aws ([a-z -]*[a-z])/gm)].map(([, command = '']) => command);
    const commands = pages.filter((page) => !pages.some((other) => other.startsWith(`${page} `)));
    expect(commands.length).toBeGreaterThan(30);
    const known = [...looks('id', 'id'), ...others];
    expect(commands.filter((command) => !known.some((line) => `${line} `.startsWith(`${command} `)))).toEqual([]);
  });

  it('changes no file that a call works with, however it is called', async () => {
    backend.emulator.configure({ capacity: { 'm5.large:*': 1 } });
    const requestId = await plugin.request('od', 2);
    const [machine] = (await plugin.settled(requestId)).machines;
    // Refused lately, and a template that may be tried again: both are remembered, and forgotten by a launch that succeeds.
    await plugin.call('requestMachines', { template: { templateId: 'od', machineCount: 1 } });
    const failures = join(plugin.workDir, 'failures', 'mended');
    await mkdir(failures, { recursive: true });
    for (let n = 0; n < 10; n++) await writeFile(join(failures, `i-${String(n).padStart(17, '0')}`), '');
    await utimes(failures, 1, 1);
    const before = await everything(mayDiffer);
    expect([...before.keys()].filter((path) => path.startsWith('work/offerings/'))).toHaveLength(1);

    expect(await runAll(looks(requestId, machine?.machineId ?? ''))).toEqual([]);
    expect(await everything(mayDiffer)).toEqual(before);
  });

  it('writes nothing, not even compiled code, where it rehearses or nothing was kept before', async () => {
    const before = await everything();
    const lines = ['requests create od 2 --dry-run', 'templates explain-launch od 2', 'doctor', 'requests list'];
    expect(await runAll(lines, hfAws)).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  it.each(['empty', 'missing'])('writes nothing at all where work and log folder are %s', async (folders) => {
    if (folders === 'missing') for (const each of [plugin.workDir, plugin.logDir]) await rm(each, { recursive: true });
    const before = await everything();
    const nobody = 'req-00000000-0000-4000-8000-000000000000';
    const failed = await runAll([...looks(nobody, 'i-0123456789abcdef0'), `requests show ${nobody}`]);
    // Of what nobody knows: no usage error.
    expect(failed.filter((line) => !/^(machines|requests) (return|show|explain) .*: 1 /.test(line))).toEqual([]);
    expect(await everything()).toEqual(before);
  });
});
