import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAws } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, type Plugin } from './plugin.ts';

/**
 * What a look may leave behind: lines of the log, figures, lists folded from the events, code as V8 compiled it. The README
 * promises each.
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

  /** Every file and folder of the instance, with what is in it. */
  const everything = async (): Promise<ReadonlyMap<string, string>> => {
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
    // The folder of caches is made for the compiled code.
    return new Map(all.filter(([path]) => !mayDiffer.test(path) && path !== 'work/cache').sort());
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
    'requests list',
    `requests show ${requestId} --no-sync --machines`,
    `requests explain ${requestId}`,
    'machines list',
    `machines show ${machineId}`,
    `machines explain ${machineId}`,
    'events list',
    'offerings list',
    'launch-templates gc',
    'projections status',
    'metrics',
    `import-ibm ${join(plugin.directory, 'conf')}`,
  ];

  const runAll = async (lines: readonly string[]): Promise<readonly string[]> => {
    const failed: string[] = [];
    for (let next = 0; next < lines.length; next += 4) {
      const some = lines.slice(next, next + 4);
      const said = await Promise.all(some.map((line) => hfAws(plugin, line.split(' '))));
      failed.push(...said.flatMap(({ exitCode, stderr }, n) => (exitCode === 0 ? [] : [`${some[n]}: ${stderr}`])));
    }
    return failed;
  };

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
    const before = await everything();
    expect([...before.keys()].filter((path) => path.startsWith('work/offerings/'))).toHaveLength(1);

    expect(await runAll(looks(requestId, machine?.machineId ?? ''))).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  it('writes nothing at all where it rehearses, not even compiled code', async () => {
    expect(await runAll(['requests create od 2 --dry-run', 'templates explain-launch od 2'])).toEqual([]);
    expect([await readdir(plugin.workDir), await readdir(plugin.logDir)]).toEqual([[], []]);
  });

  it('makes nothing in a work folder that is still empty', async () => {
    const before = await everything();
    const lines = looks('', '').filter((line) => !/ {2}|(show|explain) ?$|--no-sync/.test(line));
    expect(lines.length).toBeGreaterThan(15);
    expect(await runAll(lines)).toEqual([]);
    expect(await everything()).toEqual(before);
  });
});
