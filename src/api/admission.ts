import type { FastifyRequest } from 'fastify';
import { allows } from '../application/bus/origin.ts';
import { isLoopback } from './listen.ts';
import { HttpError } from './problems.ts';
import type { Route } from './route.ts';
import type { Caller, Tokens } from './tokens.ts';

/** A page of somebody else's in a browser of this machine can reach loopback, but not under a name of loopback. */
const checkName = (request: FastifyRequest): void => {
  const name = request.hostname.replace(/^\[|\]$/g, '');
  if (!isLoopback(name)) throw new HttpError(403, 'rest.forbidden', `without tokens "${name}" is not served`);
};

/** Who calls. Throws `rest.unauthenticated` for a token nobody has, `rest.forbidden` for a name that is not served. */
export const identify = (request: FastifyRequest, tokens: Tokens | undefined, isSocket: boolean): Caller => {
  if (tokens === undefined) {
    if (!isSocket) checkName(request);
    const user = request.headers['x-user'];
    return { role: 'admin', ...(typeof user === 'string' && user !== '' ? { user } : {}) };
  }
  const [, token = ''] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const caller = tokens(token);
  if (caller === undefined) throw new HttpError(401, 'rest.unauthenticated', 'a bearer token is needed');
  return caller;
};

/** Throws `rest.read-only` or `rest.forbidden` where a caller may not use a route. */
export const authorize = (caller: Caller, route: Route, readOnly: boolean): void => {
  const { role, bus, method, path } = route;
  if (readOnly && bus === 'command' && !path.endsWith('/validate')) {
    throw new HttpError(403, 'rest.read-only', 'this server answers queries only');
  }
  if (!allows(caller.role, role))
    throw new HttpError(403, 'rest.forbidden', `${method} ${path} needs the role ${role}`);
};
