import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { answerTo, type Server, startServer } from './entries.ts';
import { createPlugin, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

describe('REST', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let server: Server;
  let answerToHalfAHead: Promise<{ readonly text: string; readonly seconds: number }>;

  beforeAll(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
    server = await startServer(plugin, '--rate', '1000000');
    const began = Date.now();
    answerToHalfAHead = answerTo(server.url, 'GET /requests HTTP/1.1\r\nHost: localhost\r\n').then((text) => ({
      text,
      seconds: (Date.now() - began) / 1000,
    }));
    for (let n = 0; n < 20; n++)
      await server.call('POST', '/requests', { body: { template_id: 'all', max_number: 1 } });
  });
  afterAll(async () => {
    await server.stop();
    await plugin.remove();
    await backend.close();
  });

  it('does not grow: thousands of calls later it needs hardly more memory', async () => {
    const memory = async (): Promise<number> => {
      const status = await readFile(`/proc/${server.child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    };
    const paths = [
      '/requests?page=2',
      '/machines?limit=20',
      '/templates',
      '/requests/search?q=all',
      '/health',
      '/metrics',
      '/events?limit=5',
    ];
    const round = async (calls: number): Promise<void> => {
      for (let n = 0; n < calls; n += 10)
        await Promise.all(Array.from({ length: 10 }, (_, k) => server.get(paths[(n + k) % paths.length] ?? '/')));
    };
    await round(1500);
    const before = await memory();
    await round(3000);
    expect((await memory()) - before).toBeLessThan(50);
  }, 240_000);

  it('waits no longer for the rest of a head than for the rest of a call', async () => {
    const { text, seconds } = await answerToHalfAHead;
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    // Thirty, and what a busy machine adds; Node by itself waits for twice as long.
    expect(seconds).toBeLessThan(50);
  });
});
