import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import type { EmulatorBackend } from '../e2e/backends.ts';
import { createPlugin, home } from '../e2e/plugin.ts';
import { figuresOf, measure } from './measure.ts';
import { benchTemplates, floorOf, lifeCycle, type Row } from './subjects.ts';

/** Makes a certificate for localhost in a folder; undefined where there is no openssl. */
const makeCertificate = async (
  folder: string,
): Promise<{ readonly cert: string; readonly key: string } | undefined> => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    await promisify(execFile)('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert]);
    return { cert, key };
  } catch {
    return undefined;
  }
};

/** What calls to AWS cost over TLS, as it is spoken to: an endpoint with a certificate of its own before the emulator. */
export const secureRows = async ({ url, place }: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  const plugin = await createPlugin({ LogLevel: 'INFO', sweepIntervalMinutes: 0 }, benchTemplates(place));
  const certificate = await makeCertificate(plugin.directory);
  if (certificate === undefined) {
    process.stderr.write('TLS is not measured: no openssl\n');
    await plugin.remove();
    return [];
  }
  const [cert, key] = await Promise.all([readFile(certificate.cert), readFile(certificate.key)]);
  const endpoint = createServer({ cert, key }, (socket) => {
    const behind = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => behind.destroy()).pipe(behind);
    behind.on('error', () => socket.destroy()).pipe(socket);
  });
  await new Promise<void>((resolve) => endpoint.listen(0, 'localhost', resolve));
  const { port }: Pick<AddressInfo, 'port'> = Object(endpoint.address());
  await plugin.configure({
    AWS_ENDPOINT_URL: `https://localhost:${port}`,
    LogLevel: 'INFO',
    sweepIntervalMinutes: 0,
  });
  // As AWS's own endpoints are spoken to: this certificate in the place of Amazon's, in an installation of its own.
  const installed = join(plugin.directory, 'installed');
  for (const part of ['scripts', 'dist']) await cp(join(home, part), join(installed, part), { recursive: true });
  await cp(certificate.cert, join(installed, 'dist', 'amazon-roots.pem'));
  const subjects = (await lifeCycle(plugin, 'TLS ')).map(({ command: [script = '', ...args], ...each }) => ({
    ...each,
    command: [script.replace(home, installed), ...args],
    isInspected: false,
  }));
  const floor = floorOf(plugin.env);
  const figures = await measure([floor, ...subjects], rounds);
  endpoint.close();
  await plugin.remove();
  const base = figuresOf(figures, floor.name);
  // Templates are told without AWS.
  return subjects.slice(1).map(({ name: what }): Row => {
    const { ms, spread } = figuresOf(figures, what);
    const detail = `${ms.toFixed(1)} ms (${spread.map((each) => each.toFixed(1)).join('-')})`;
    return { what, value: ms / base.ms, unit: 'x node', target: 3, reached: 3.8, isNoisy: true, detail };
  });
};
