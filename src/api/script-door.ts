import { chmodSync, lstatSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { messageOf, PluginError } from '../domain/errors.ts';

/** A call of one of Host Factory's scripts, as scripts/launcher.sh hands it over. */
export interface ScriptCall {
  /** A UUID. The script repeats the call under it where no answer came. */
  readonly id: string;
  readonly operation: string;
  readonly input: { readonly name: string; readonly text: string };
  /** Aborted when the script is told to stop. */
  readonly signal: AbortSignal;
}

export interface ScriptAnswer {
  /** Whether the script ends with 0. */
  readonly ok: boolean;
  readonly body: object;
  /** Work to do once the answer is out. */
  readonly afterwards?: (() => Promise<void>) | undefined;
}

/** Who calls: what a process of the script's own would go by. */
export interface Caller {
  readonly home: string;
  readonly provider: string;
  readonly conf: string;
  readonly log: string;
  /** `<level>|<size>|<number>` of the log, as Host Factory propagates them. */
  readonly logging: string;
  /** Its HOME. */
  readonly user: string;
  /** Other variables, `|<name>=<value>|...|`. */
  readonly environment: string;
}

export interface ScriptDoorOptions {
  readonly workDir: string;
  /** Bytes. */
  readonly mostInput: number;
  /** Why a call is not for this server, where it is not: its script then does it itself. */
  readonly refusal: (caller: Caller) => Promise<string | undefined>;
  readonly answer: (call: ScriptCall, caller: Caller) => Promise<ScriptAnswer>;
  /** Told of what fails once the answer is out. */
  readonly failed: (error: unknown) => void;
  /** Whether it can do its work: told to who asks for its health. */
  readonly health: () => object;
}

export interface ScriptDoor {
  readonly path: string;
  /** Tells scripts how long, ms, they may wait for an answer: a server that hangs must not hold up Host Factory. */
  allow(budget: number): void;
  /** Whether the socket in the work folder is still its own: another server may have been started. */
  isOpen(): boolean;
  /** Takes no more calls; resolves when those under way have been answered and what follows them is done. */
  close(): Promise<void>;
}

/** Milliseconds beyond its budget for an answer to arrive. */
const patience = 500;

/** Statuses the launcher knows: the answer of a script that succeeds, of one that fails, and `do it yourself`. */
const [succeeded, failed, notMine] = [200, 422, 421];

const callIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** curl sends bytes, Node reads them as Latin-1. */
const header = ({ headers }: IncomingMessage, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? Buffer.from(value, 'latin1').toString('utf8') : '';
};

const callerOf = (request: IncomingMessage): Caller => ({
  home: header(request, 'home'),
  provider: header(request, 'provider'),
  conf: header(request, 'conf'),
  log: header(request, 'log'),
  logging: header(request, 'logging'),
  user: header(request, 'user'),
  environment: header(request, 'environment'),
});

/** Undefined where it is longer than the script would take. */
const readBody = async (request: IncomingMessage, most: number): Promise<string | undefined> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size <= most) chunks.push(bytes);
  }
  return size > most ? undefined : Buffer.concat(chunks).toString('utf8');
};

/** Resolves when it is out, or when nobody reads it any more. */
const send = (response: ServerResponse, status: number, body: object): Promise<void> =>
  new Promise((resolve) => {
    if (response.closed) return resolve();
    const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
    response.once('close', resolve);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
      connection: 'close',
    });
    response.end(bytes);
  });

const inodeOf = (path: string): number | undefined => {
  try {
    return lstatSync(path).ino;
  } catch {
    return undefined;
  }
};

/** Whether somebody answers at a socket. */
const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', () => resolve(false));
  });

/** Bytes of a socket's path on Linux, its end included. */
const longestPath = 108;

const refuse = (text: string): PluginError => new PluginError('configuration.invalid', `cannot serve scripts: ${text}`);

/** Whoever could put another socket in the place of this one would be asked instead. */
const checkFolder = (folder: string): void => {
  const { uid, mode } = lstatSync(folder, { throwIfNoEntry: true });
  if (uid !== process.geteuid?.()) throw refuse(`the work folder ${folder} is another user's`);
  if ((mode & 0o022) !== 0) throw refuse(`others may write to the work folder ${folder}: chmod go-w ${folder}`);
};

const listenAt = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const mask = process.umask(0o077);
    server.once('error', reject).listen(path, () => {
      server.off('error', reject);
      resolve();
    });
    process.umask(mask);
  });

/**
 * Puts a socket under a name of its own and gives it the one that scripts look for, at once: a script finds a server or none.
 * Of two that are started at the same time the later one gets it, and the other sees that by `isOpen`.
 */
const take = async (server: Server, path: string): Promise<number> => {
  const aside = `${path}.${process.pid}`;
  if (Buffer.byteLength(aside) >= longestPath) throw refuse(`the path ${path} is too long for a socket`);
  const known = lstatSync(path, { throwIfNoEntry: false });
  if (known !== undefined && !known.isSocket()) throw refuse(`${path} is there and is no socket`);
  if (known !== undefined && (await isAnswered(path))) throw refuse(`another server answers at ${path}`);
  // Left by a process that had this id.
  if (inodeOf(aside) !== undefined) unlinkSync(aside);
  await listenAt(server, aside);
  chmodSync(aside, 0o600);
  const { ino } = lstatSync(aside);
  renameSync(aside, path);
  return ino;
};

/** Answers Host Factory's scripts at `<work folder>/server.sock`, for this user alone. Throws `configuration.invalid`. */
export const openScriptDoor = async (options: ScriptDoorOptions): Promise<ScriptDoor> => {
  const { workDir, mostInput, refusal, answer, health } = options;
  const path = `${workDir}/server.sock`;
  const limit = `${workDir}/server.limit`;
  const underWay = new Map<string, AbortController>();
  const work = new Set<Promise<void>>();
  let answered = 0;

  const serveCall = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const caller = callerOf(request);
    const text = await readBody(request, mostInput);
    const [id, operation] = [header(request, 'call'), request.url?.slice(1) ?? ''];
    const why =
      text === undefined ? 'its input is too large' : callIdForm.test(id) ? await refusal(caller) : 'it has no id';
    if (text === undefined || why !== undefined) return send(response, notMine, { message: why });
    const stop = new AbortController();
    underWay.set(id, stop);
    try {
      const input = { name: header(request, 'input'), text };
      const { ok, body, afterwards } = await answer({ id, operation, input, signal: stop.signal }, caller);
      await send(response, ok ? succeeded : failed, body);
      answered += 1;
      await afterwards?.();
    } finally {
      underWay.delete(id);
    }
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'POST') return serveCall(request, response);
    const known = underWay.get(request.url?.slice(1) ?? '');
    if (request.method === 'DELETE') {
      known?.abort(new Error('the call was ended by SIGTERM'));
      return send(response, known === undefined ? 404 : 202, {});
    }
    return send(response, 200, { ...health(), answered, underWay: underWay.size });
  };
  const server = createServer((request, response) => {
    const done = serve(request, response).catch((error: unknown) => {
      options.failed(error);
      // Without an answer the script repeats the call by itself.
      response.destroy();
    });
    work.add(done);
    void done.finally(() => work.delete(done));
  });
  let own: number;
  try {
    checkFolder(workDir);
    own = await take(server, path);
  } catch (error) {
    server.close();
    throw error instanceof PluginError ? error : refuse(messageOf(error));
  }
  return {
    path,
    allow: (budget) => {
      const aside = `${limit}.${process.pid}`;
      writeFileSync(aside, `${((budget + patience) / 1000).toFixed(1)}\n`, { mode: 0o600 });
      renameSync(aside, limit);
    },
    isOpen: () => inodeOf(path) === own,
    close: async () => {
      if (inodeOf(path) === own) for (const file of [path, limit]) unlinkSync(file);
      const closed = new Promise((resolve) => server.close(resolve));
      while (work.size > 0) await Promise.all(work);
      server.closeAllConnections();
      await closed;
    },
  };
};
