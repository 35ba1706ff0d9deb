import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { createTrust, isUnknownIssuer, type Trust } from './trust.ts';

/** Milliseconds after which a connection that nobody uses is closed, before the server does so: less than AWS's and Node's own. */
const longestIdle = 4000;

/** Holds connections that wait for the next call, by their origin. */
const idle = new Map<string, Set<Socket>>();

/** Keeps a connection for the next call. The process does not wait for it. */
export const park = (origin: string, socket: Socket): void => {
  if (socket.destroyed) return;
  const sockets = idle.get(origin) ?? new Set();
  idle.set(origin, sockets.add(socket));
  socket.unref().setTimeout(longestIdle);
};

/** Whatever happens to it while nobody uses it ends it. */
const watchWhileIdle = (origin: string, socket: Socket): void => {
  const drop = (): void => {
    if (idle.get(origin)?.delete(socket) === true) socket.destroy();
  };
  socket.on('error', drop).on('close', drop).on('end', drop).on('data', drop).on('timeout', drop);
};

/** A connection that waits; undefined where there is none. */
const takeIdle = (origin: string): Socket | undefined => {
  const sockets = idle.get(origin);
  for (const socket of sockets ?? []) {
    sockets?.delete(socket);
    if (!socket.destroyed && socket.writable) return socket.ref().setTimeout(0);
  }
  return undefined;
};

const isAddress = /^[\d.]+$|:/;

let isCompiled = false;
/**
 * Node 20 tells a name from an address by a regular expression that takes V8 six milliseconds to compile for two uses, and one
 * without its optimization. Nothing else may be compiled meanwhile: V8 refuses code that it kept under another setting.
 */
const compileAddressTest = async (isIP: (text: string) => number, name: string): Promise<void> => {
  if (isCompiled) return;
  isCompiled = true;
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--no-regexp-optimization');
  // The second use compiles it to machine code.
  isIP(name);
  isIP(name);
  setFlagsFromString('--regexp-optimization');
};

const whenReady = (socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const gone = (): void => reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
    socket.once('error', reject).once('close', gone);
    socket.once(event, () => {
      socket.off('error', reject).off('close', gone);
      resolve(socket);
    });
  });

/** Is given each connection that is being made, to destroy it when there is no time left. */
type Hold = (socket: Socket) => Socket;

let own: Trust | undefined;

const secure = async (origin: string, to: ConnectionOptions, hold: Hold, given?: Trust): Promise<Socket> => {
  const tls = await import('node:tls');
  own ??= createTrust(tls);
  const trust = given ?? own;
  for (;;) {
    const secureContext = trust.current();
    const options = secureContext === undefined ? to : { ...to, secureContext };
    const socket = hold(tls.connect({ ...options, ALPNProtocols: ['http/1.1'] }));
    watchWhileIdle(origin, socket);
    try {
      return await whenReady(socket, 'secureConnect');
    } catch (error) {
      // Nothing was sent.
      if (!isUnknownIssuer(error) || !trust.after(secureContext)) throw error;
    }
  }
};

/** Connects to an origin, by TLS where its URL says so. Throws the errors of Node's connections. */
export const connectTo = async (
  { origin, protocol, hostname, port }: URL,
  hold: Hold,
  trust?: Trust,
): Promise<Socket> => {
  const isSecure = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const net = await import('node:net');
  if (!isAddress.test(host)) await compileAddressTest(net.isIP, host);
  const to = { host, port: Number(port || (isSecure ? 443 : 80)), noDelay: true };
  if (isSecure) return secure(origin, isAddress.test(host) ? to : { ...to, servername: host }, hold, trust);
  const socket = hold(net.connect(to));
  watchWhileIdle(origin, socket);
  return whenReady(socket, 'connect');
};

/** Connections on their way that nobody has asked for yet, by their origin. */
const coming = new Map<string, (hold: Hold) => Promise<Socket>>();

/**
 * Begins to connect to where a request will go: the first one takes the connection, wherever it has come by then. Where it fails
 * before, nothing is reported: the request connects by itself. The process does not wait for it.
 */
export const connectAhead = (url: URL): void => {
  const { origin } = url;
  if (coming.has(origin)) return;
  let current: Socket | undefined;
  let held: Hold = (socket) => socket.unref();
  const ready = connectTo(url, (socket) => {
    current = socket;
    return held(socket);
  });
  coming.set(origin, (hold) => {
    coming.delete(origin);
    held = hold;
    if (current !== undefined) hold(current.ref());
    return ready;
  });
  ready.then(
    (socket) => {
      if (coming.delete(origin)) park(origin, socket);
    },
    () => coming.delete(origin),
  );
};

/** A connection for one request: one that waits, else one on its way, else a new one. Throws the errors of Node's connections. */
export const connectionTo = (url: URL, hold: Hold): Promise<Socket> => {
  const waiting = takeIdle(url.origin);
  if (waiting !== undefined) return Promise.resolve(hold(waiting));
  return coming.get(url.origin)?.(hold) ?? connectTo(url, hold);
};
