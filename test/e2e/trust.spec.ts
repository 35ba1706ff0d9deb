import { execFileSync } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

// Whom a script believes, as its launcher starts Node.

let backend: EmulatorBackend;
let plugin: Plugin;
let certificate: string;
/** An installation that has this certificate in the place of Amazon's. */
let installed: string;
const ends: (() => void)[] = [];
beforeAll(async () => {
  backend = await emulatorBackend();
  plugin = await createPlugin({ sweepIntervalMinutes: 0 }, testTemplates(backend.place));
  const [cert, key] = [join(plugin.directory, 'cert.pem'), join(plugin.directory, 'key.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  certificate = cert;
  const endpoint = createServer({ cert: await readFile(cert), key: await readFile(key) }, (socket) => {
    const behind = connect(Number(new URL(backend.url).port), '127.0.0.1');
    socket.on('error', () => behind.destroy()).pipe(behind);
    behind.on('error', () => socket.destroy()).pipe(socket);
  });
  await new Promise<void>((resolve) => endpoint.listen(0, 'localhost', resolve));
  ends.push(() => endpoint.close());
  const { port }: Pick<AddressInfo, 'port'> = Object(endpoint.address());
  await plugin.configure({ AWS_ENDPOINT_URL: `https://localhost:${port}`, AWS_REQUEST_RETRY_ATTEMPTS: 0 });
  installed = join(plugin.directory, 'installed');
  for (const part of ['scripts', 'dist']) await cp(join(home, part), join(installed, part), { recursive: true });
  await cp(cert, join(installed, 'dist', 'amazon-roots.pem'));
});
afterAll(async () => {
  for (const end of ends) end();
  await plugin.remove();
  await backend.close();
});

const input = { template: { templateId: 'od', machineCount: 1 } };

it('a script believes the installation, whoever else its Node would believe', async () => {
  const script = join(installed, 'scripts', 'requestMachines.sh');
  const { exitCode, body } = await plugin.call('requestMachines', input, { script });
  expect(body).toMatchObject({ requestId: expect.any(String) });
  expect(exitCode).toBe(0);
});

it('a script believes whom Node is told to believe', async () => {
  const env = { ...plugin.env, NODE_EXTRA_CA_CERTS: certificate };
  expect((await plugin.call('requestMachines', input, { env })).body).toMatchObject({ requestId: expect.any(String) });
});

it('a script believes nobody else', async () => {
  backend.emulator.forgetCalls();
  const { exitCode, body } = await plugin.call('requestMachines', input);
  expect(exitCode).toBe(1);
  expect(body['message']).toMatch(/DEPTH_ZERO_SELF_SIGNED_CERT/);
  expect(backend.emulator.countCalls()).toEqual({});
});
