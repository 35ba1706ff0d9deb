import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { type Server, startServer } from './entries.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';

interface Line {
  readonly page: string;
  readonly command: string;
}

/** Commands of a page's shell blocks as written. Those after `run:` are one script, and install.spec.ts runs them so. */
const linesOf = (page: string, text: string): readonly Line[] =>
  [...text.matchAll(/(<!-- run: .*-->\n)?```sh\n([\s\S]*?)```/g)]
    .filter(([, script]) => script === undefined)
    .flatMap(([, , block = '']) => block.replaceAll('\\\n', '').trim().split('\n'))
    .map((command) => ({ page, command }));

const isNpm = ({ command }: Line): boolean => /\bnpm /.test(command);

describe('the commands of every README', () => {
  let lines: readonly Line[];
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let server: Server;
  let known: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const pages = (await readdir(home, { recursive: true })).filter(
      (name) => name.endsWith('README.md') && !name.includes('node_modules'),
    );
    // The emulator's page comes last: its commands change what all others see.
    const inOrder = [...pages.filter((page) => !page.includes('emulator')), join('src', 'emulator', 'README.md')];
    const texts = inOrder.map(async (page) => linesOf(page, await readFile(join(home, page), 'utf8')));
    lines = [...new Map((await Promise.all(texts)).flat().map((line) => [line.command, line])).values()];
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [
      { templateId: 'od-m5-large', maxNumber: 20, vmType: 'm5.large', ...backend.place },
      { templateId: 'spot', maxNumber: 1, priceType: 'spot', vmTypes: { 'm5.large': 1 }, ...backend.place },
    ]);
    await chmod(join(plugin.directory, 'credentials'), 0o600);
    const bin = join(plugin.directory, 'bin');
    await mkdir(bin);
    await symlink(join(home, 'dist', 'hf-aws.cjs'), join(bin, 'hf-aws'));
    plugin.env['PATH'] = [bin, plugin.env['PATH']].join(delimiter);
    const requestId = await plugin.request('spot', 1);
    const [machine] = (await plugin.settled(requestId)).machines;
    // What is requested from now on is still running when it is cancelled.
    backend.emulator.configure({ pendingMs: 60_000 });
    server = await startServer(plugin);
    plugin.env['E'] = backend.url;
    known = {
      'localhost:8480': server.url.replace('http://', ''),
      '/requests/<id>': `/requests/${await plugin.request('od-m5-large', 1)}`,
      '--port 4566': '--port 0',
      'req-...': requestId,
      'i-...': String(machine?.machineId),
    };
  });
  afterAll(async () => {
    await server.stop();
    await plugin.remove();
    await backend.close();
  });

  /** Runs a line with what it leaves open filled in. A command that runs until it is stopped is stopped when it has said something. */
  const run = async ({ page, command }: Line): Promise<string | undefined> => {
    const filled = Object.entries(known).reduce((text, [open, value]) => text.replaceAll(open, value), command);
    const lasting = /^hf-aws (?:emulator|serve)\b/.test(command);
    const line = lasting ? `exec ${filled}` : filled.replace(/^curl /, 'curl -sS --fail-with-body ');
    const child = spawn('bash', ['-c', line], { cwd: home, env: plugin.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += String(chunk);
        if (lasting) child.kill('SIGTERM');
      });
    }
    const end = await new Promise((resolve) => child.on('close', (exitCode, signal) => resolve(signal ?? exitCode)));
    return end === 0 || (lasting && end === 'SIGTERM') ? undefined : `${page}: ${command} ended with ${end}: ${said}`;
  };

  it('are run as they are written, and succeed', async () => {
    const runnable = lines.filter((line) => !isNpm(line));
    expect(runnable.length).toBeGreaterThan(25);
    const failed: (string | undefined)[] = [];
    for (const line of runnable) failed.push(await run(line));
    expect(failed.filter((each) => each !== undefined)).toEqual([]);
  });

  it('name scripts that package.json has', async () => {
    const { scripts }: { scripts: object } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
    const named = lines.filter(isNpm).flatMap(({ command }) => [...command.matchAll(/npm (?:run )?([\w:]+)/g)]);
    const names = new Set(named.map(([, name = '']) => name));
    names.delete('ci');
    expect(names.size).toBeGreaterThan(3);
    expect([...names].filter((name) => !(name in scripts))).toEqual([]);
  });
});
