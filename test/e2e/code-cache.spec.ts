import { chmod, cp, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

/** Loaded before the program: adds a line to `loads` for each file, saying whether its compiled code was taken. */
const probe = (loads: string): string => `
const vm = require('node:vm');
const { appendFileSync } = require('node:fs');
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    const taken = options.cachedData === undefined ? 'none' : this.cachedDataRejected ? 'rejected' : 'taken';
    appendFileSync(${JSON.stringify(loads)}, taken + '\\n');
  }
};`;

describe('compiled code kept between calls', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let folder: string;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin(
      { AWS_ENDPOINT_URL: backend.url, sweepIntervalMinutes: 0 },
      testTemplates(backend.place),
    );
    folder = join(plugin.workDir, 'cache', 'code');
  });
  afterEach(() => plugin.remove());

  /** One call of an operation that needs AWS; in what ways its files were loaded. */
  const loads = async (more: { env?: Record<string, string>; script?: string } = {}): Promise<readonly string[]> => {
    const [file, preload] = [join(plugin.directory, 'loads'), join(plugin.directory, 'probe.cjs')];
    await rm(file, { force: true });
    await writeFile(preload, probe(file));
    const { env = {}, ...rest } = more;
    const options = { ...rest, env: { ...plugin.env, NODE_OPTIONS: `--require ${preload}`, ...env } };
    const input = JSON.stringify({ machines: [{ machineId: 'i-0123456789abcdef0' }] });
    const { exitCode, body } = await plugin.run('getReturnRequests', ['--data', input], options);
    expect({ exitCode, body }).toMatchObject({ exitCode: 0, body: { requests: expect.anything() } });
    return [...new Set((await readFile(file, 'utf8')).trim().split('\n'))];
  };
  const kept = async (): Promise<string> => {
    const [name] = await readdir(folder);
    return join(folder, name ?? 'nothing is kept');
  };

  it('is written by the first call and taken by the second, for each operation', async () => {
    expect(await loads()).toEqual(['none']);
    expect(await loads()).toEqual(['taken']);
    await plugin.call('getAvailableTemplates', {});
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('is not written by a call that failed: it did not run all of the program', async () => {
    expect((await plugin.run('getReturnRequests', ['--data', 'no JSON'])).exitCode).toBe(1);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });

  it('of another build is passed over and replaced', async () => {
    await loads();
    const other = join(plugin.directory, 'other');
    for (const part of ['dist', 'scripts']) await cp(join(home, part), join(other, part), { recursive: true });
    const main = join(other, 'dist', 'main.cjs');
    // As long as the first, and V8 looks at no more.
    await writeFile(main, (await readFile(main, 'utf8')).replace(/\/\/[0-9a-f]{16}\n$/, '//0123456789abcdef\n'));
    const script = join(other, 'scripts', 'getReturnRequests.sh');
    expect(await loads({ script })).toEqual(['none', 'taken']);
    expect(await loads({ script })).toEqual(['taken']);
  });

  it('that V8 refuses, here for its flags, is replaced', async () => {
    await loads();
    const NODE_OPTIONS = `--require ${join(plugin.directory, 'probe.cjs')} --stack-trace-limit=3 --jitless`;
    expect(await loads({ env: { NODE_OPTIONS } })).toEqual(['rejected']);
    expect(await loads({ env: { NODE_OPTIONS } })).toEqual(['taken']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['cut short', async () => truncate(await kept(), 100_000)],
    ['damaged', async () => writeFile(await kept(), (await readFile(await kept())).fill(0, 100_000, 150_000))],
    ['writable by others', async () => chmod(await kept(), 0o666)],
  ])('that is %s is passed over and replaced', async (_what, spoil) => {
    await loads();
    await spoil();
    expect(await loads()).toEqual(['none']);
    expect(await loads()).toEqual(['taken']);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a file', () => writeFile(folder, '')],
    ['a link to nothing', () => symlink('/nowhere', folder)],
    ['open to others', () => mkdir(folder).then(() => chmod(folder, 0o777))],
  ])('is done without where its folder is %s', async (_what, make) => {
    await mkdir(join(plugin.workDir, 'cache'));
    await make();
    expect(await loads()).toEqual(['none']);
    expect(await loads()).toEqual(['none']);
  });

  it('is whole after many first calls at once', async () => {
    const input = ['--data', '{}'];
    const all = await Promise.all(Array.from({ length: 8 }, () => plugin.run('getAvailableTemplates', input)));
    expect(all.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(0));
    expect(await readdir(folder)).toHaveLength(1);
    expect((await plugin.run('getAvailableTemplates', input)).exitCode).toBe(0);
  });
});
