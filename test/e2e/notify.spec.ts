import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { hfAwsHere, hfAwsJson } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { startServer } from './entries.ts';
import { createPlugin, type Json, type Plugin } from './plugin.ts';

interface Hook {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly type: unknown;
  readonly data: Json;
}

let backend: EmulatorBackend;
let plugin: Plugin;
let hooks: Hook[] = [];
let status = 200;
let receiver: HttpServer;
let got = '';

const notify = (more: Json = {}): Json => {
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return { webhook: `http://127.0.0.1:${port}/hook`, secretFile: 'hook-secret', ...more };
};

beforeAll(async () => {
  backend = await emulatorBackend();
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { type, data } = JSON.parse(body);
    hooks.push({ headers: request.headers, body, type, data });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', () => resolve()));
});
beforeEach(async () => {
  [hooks, status] = [[], 200];
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [
    { templateId: 'od', maxNumber: 9, vmType: 'm5.large', ...backend.place },
  ]);
  await writeFile(join(plugin.env['HF_PROVIDER_CONFDIR'] ?? '', 'hook-secret'), 'a-secret-of-the-tests\n', {
    mode: 0o600,
  });
  got = join(plugin.directory, 'got');
  return () => plugin.remove();
});
afterAll(async () => {
  receiver.close();
  await backend.close();
});

/** As if the last machines of the template had all failed. */
const failMachines = async (): Promise<void> => {
  const folder = join(plugin.workDir, 'failures', 'od');
  await mkdir(folder, { recursive: true });
  for (let n = 0; n < 10; n++) await writeFile(join(folder, `i-${String(n).padStart(17, '0')}`), '');
};
const mend = (): Promise<void> => rm(join(plugin.workDir, 'failures'), { recursive: true });

const check = (...more: readonly string[]) => hfAwsHere(plugin, ['notify', 'check', ...more]);
const seen = () =>
  hooks.map(({ type, data }) => `${String(type)} ${String(data['condition'])} ${String(data['subject'])}`);

it('a condition is told once, by each call of cron that finds it first, and again when it has ended', async () => {
  await plugin.configure({ notify: notify() });
  expect(await check()).toMatchObject({ exitCode: 0, stdout: 'Nothing is due.\n' });
  await failMachines();
  expect((await check('--dry-run')).stdout).toMatch(/^raised by webhook: template\.protected od, since /);
  expect(hooks).toEqual([]);
  expect((await check()).exitCode).toBe(0);
  expect((await check()).stdout).toBe('Nothing is due.\n');
  expect(seen()).toEqual(['condition.raised template.protected od']);
  expect(hooks[0]?.data).toMatchObject({ provider: expect.stringContaining('provider '), host: expect.any(String) });
  await mend();
  await check();
  expect(seen()).toEqual(['condition.raised template.protected od', 'condition.resolved template.protected od']);
});

it('a webhook that does not take it is told of at the next look; exit 1 says so, and the log', async () => {
  await plugin.configure({ notify: notify() });
  await failMachines();
  status = 400;
  expect(await check()).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('NOT SENT: the webhook was not'),
  });
  status = 200;
  expect((await check()).exitCode).toBe(0);
  expect(seen()).toEqual(['condition.raised template.protected od', 'condition.raised template.protected od']);
});

it('AWS that does not answer for long is told; other things are not taken for mended then', async () => {
  const once = { notify: notify(), AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS: 0 };
  await plugin.configure(once);
  await failMachines();
  await check();
  await plugin.configure({ ...once, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
  expect((await check()).stdout).toBe('Nothing is due.\n');
  // As if that had been six minutes ago.
  const file = join(plugin.workDir, 'cache', 'notices.json');
  const noted = await readFile(file, 'utf8');
  await writeFile(file, noted.replaceAll(/"since":\d+/g, `"since":${Date.now() - 360_000}`));
  await check();
  await plugin.configure(once);
  await check();
  expect(seen().slice(1)).toEqual(['condition.raised aws.unreachable ', 'condition.resolved aws.unreachable ']);
});

it('a test goes by every way; the signature can be checked with openssl, as the handbook tells', async () => {
  const command = [process.execPath, '-e', `fs.writeFileSync(process.argv[1], fs.readFileSync(0))`, got];
  await plugin.configure({ notify: notify({ command }) });
  const { body } = await hfAwsJson(plugin, 'notify', 'test');
  expect(body).toMatchObject({ notices: [{ channel: 'command' }, { channel: 'webhook' }] });
  expect(JSON.parse(await readFile(got, 'utf8'))).toMatchObject({ type: 'notify.test' });
  const [hook] = hooks;
  const signed = join(plugin.directory, 'signed');
  await writeFile(
    signed,
    `${String(hook?.headers['webhook-id'])}.${String(hook?.headers['webhook-timestamp'])}.${hook?.body}`,
  );
  const digest = ['dgst', '-sha256', '-hmac', 'a-secret-of-the-tests', '-binary', signed];
  const { stdout } = await promisify(execFile)('openssl', digest, { encoding: 'buffer' });
  expect(hook?.headers['webhook-signature']).toBe(`v1,${stdout.toString('base64')}`);
});

it('a fault in the configuration of it stops no script; who looks at it is told file, field and rule', async () => {
  await plugin.configure({ notify: { webhook: 'https://ops.example', secret: 'planted-in-plain' } });
  expect((await plugin.call('getAvailableTemplates', {})).exitCode).toBe(0);
  const told = /notify\.secret is not known here/;
  for (const line of ['notify test', 'notify check', 'config validate']) {
    const { exitCode, stdout, stderr } = await hfAwsHere(plugin, line.split(' '));
    expect({ line, exitCode, said: stdout + stderr }).toEqual({ line, exitCode: 1, said: expect.stringMatching(told) });
  }
  expect((await hfAwsHere(plugin, ['doctor', '--no-aws'])).stdout).toMatch(told);
  await plugin.configure({});
  expect((await hfAwsHere(plugin, ['notify', 'check'])).stderr).toContain('nobody is to be notified');
});

it('the server tells by itself, and not again after a restart', async () => {
  await plugin.configure({ notify: notify() });
  await failMachines();
  for (const told of [1, 1]) {
    const server = await startServer(plugin);
    while (hooks.length < told) await wait(20);
    await server.stop();
  }
  expect((await check()).stdout).toBe('Nothing is due.\n');
  expect(seen()).toEqual(['condition.raised template.protected od']);
});
