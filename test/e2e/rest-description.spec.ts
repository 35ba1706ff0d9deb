import { execFile } from 'node:child_process';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { type Server, startServer } from './entries.ts';
import { createPlugin, home, type Json, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

const run = promisify(execFile);
const fixtures = join(home, 'test', 'e2e', 'fixtures');
const tool = (name: string): string => join(home, 'node_modules', '.bin', name);

describe('the description of REST', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let server: Server;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, LogLevel: 'INFO' }, testTemplates(backend.place));
    server = await startServer(plugin);
  });
  afterAll(async () => {
    await server.stop();
    await plugin.remove();
    await backend.close();
  });

  it('has no fault that a linter of OpenAPI would find', async () => {
    const faultsIn = async (description: Json) => {
      const file = join(plugin.directory, 'openapi.json');
      await writeFile(file, JSON.stringify(description));
      const { stdout } = await run(process.execPath, [join(fixtures, 'lint-openapi.mjs'), file]);
      return JSON.parse(stdout);
    };
    const { body } = await server.get('/openapi.json');
    expect(await faultsIn(body)).toEqual([]);
    expect(await faultsIn({ ...body, servers: [] })).not.toEqual([]);
  });

  it('makes a client whose types are those of the answers', async () => {
    const folder = join(plugin.directory, 'client');
    await mkdir(folder);
    await symlink(join(home, 'node_modules'), join(folder, 'node_modules'));
    await run(tool('openapi-typescript'), [`${server.url}/openapi.json`, '--output', join(folder, 'api.ts')]);
    await copyFile(join(fixtures, 'rest-client.txt'), join(folder, 'client.ts'));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const options = { strict: true, skipLibCheck: true, module: 'nodenext', target: 'es2022', types: ['node'] };
    const files = ['client.ts'];
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
    const compiled = await run(tool('tsc'), ['-p', folder], { cwd: home }).catch((error: { stdout: string }) => error);
    expect(compiled.stdout).toBe('');
    const { stdout } = await run(process.execPath, [join(folder, 'client.js'), server.url]);
    expect(JSON.parse(stdout)).toEqual({
      created: expect.stringMatching(/^req-/),
      status: 'running',
      isListed: true,
      machines: ['ondemand'],
      problem: [404, 'request.not-found'],
    });
  });
});
