import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ServeOptions } from '../application/ports/setup.ts';
import { PluginError } from '../domain/errors.ts';
import type { Tokens } from './tokens.ts';

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Without tokens nobody but this machine's own is let in. */
export const checkReach = ({ host, socket }: ServeOptions, tokens: Tokens | undefined): void => {
  if (tokens !== undefined || socket !== undefined || isLoopback(host)) return;
  throw new PluginError(
    'configuration.invalid',
    `without --tokens only a loopback address or a unix socket is served, not ${host}`,
  );
};

/** A socket that nobody listens on any more, left by a server that was killed. Throws where something else has the name. */
const removeStale = async (path: string): Promise<void> => {
  const known = await lstat(path).catch(() => undefined);
  if (known === undefined) return;
  if (!known.isSocket()) throw new PluginError('configuration.invalid', `${path} is there and is no socket`);
  await new Promise<void>((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve();
    });
    probe.on('error', (error) => {
      const isStale = 'code' in error && error.code === 'ECONNREFUSED';
      (isStale ? unlink(path) : Promise.resolve()).then(resolve, () => resolve());
    });
  });
};

/** Where it is reached, for people. */
export const listen = async (app: FastifyInstance, { host, port, socket }: ServeOptions): Promise<string> => {
  if (socket === undefined) {
    await app.listen({ host, port });
    const address = app.server.address();
    const actual = typeof address === 'object' && address !== null ? address.port : port;
    return `http://${host.includes(':') ? `[${host}]` : host}:${actual}`;
  }
  await removeStale(socket);
  process.umask(0o077);
  await app.listen({ path: socket });
  await chmod(socket, 0o600);
  return `unix:${socket}`;
};
