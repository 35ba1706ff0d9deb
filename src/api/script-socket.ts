import { chmodSync, lstatSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { messageOf, PluginError } from '../domain/errors.ts';
import { type Caller, type CallPipes, openCallPipes, type PipedCall } from './call-pipes.ts';
import { makePipeFolder } from './pipe-places.ts';

/** A call of one of Host Factory's scripts, as scripts/launcher.sh hands it over. */
export interface ScriptCall {
  /** A UUID. The script repeats the call under it where no answer came. */
  readonly id: string;
  readonly operation: string;
  readonly input: { readonly name: string; readonly text: string };
  /** Aborted when the script is asked to stop. */
  readonly signal: AbortSignal;
}

export interface ScriptAnswer {
  /** Whether the script ends with 0. */
  readonly ok: boolean;
  readonly body: object;
  /** Work to do once the answer is out. */
  readonly afterwards?: (() => Promise<void>) | undefined;
}

export interface ScriptSocketOptions {
  readonly workDir: string;
  /** Bytes. */
  readonly mostInput: number;
  /** Why a call is not for this server, where it is not, by its caller or another fault: its script then does it itself. */
  readonly refusal: (caller: Caller, fault: string | undefined) => Promise<string | undefined>;
  readonly answer: (call: ScriptCall, caller: Caller) => Promise<ScriptAnswer>;
  /** Told of what fails once the answer is out. */
  readonly failed: (error: unknown) => void;
  /** Whether it can do its work, for the health check. */
  readonly health: () => object;
}

export interface ScriptSocket {
  readonly path: string;
  /** Lets scripts in, and tells them how long, ms, they may wait for an answer: a server that hangs must not hold up Host Factory. */
  allow(budget: number): void;
  /** Whether the socket in the work folder is still its own: another server may have been started. */
  isOpen(): boolean;
  /** Takes no more calls; resolves when those under way have been answered and what follows them is done. */
  close(): Promise<void>;
}

/** Milliseconds beyond its budget for an answer to arrive. */
const patience = 500;

const callIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const inodeOf = (path: string): number | undefined => {
  try {
    return lstatSync(path).ino;
  } catch {
    return undefined;
  }
};

const tryToRemove = (path: string): void => {
  try {
    unlinkSync(path);
  } catch {
    // Nobody answers there any more: scripts take the ordinary way.
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

/** Its text, or why there is none. */
const inputOf = ({ readInput }: PipedCall): { readonly text?: string | undefined; readonly fault?: string } => {
  try {
    const text = readInput();
    return text === undefined ? { fault: 'its input is too large' } : { text };
  } catch (error) {
    return { fault: `its input cannot be read from here: ${messageOf(error)}` };
  }
};

/** Answers Host Factory's scripts at `<work folder>/server.sock`, for this user alone. Throws `configuration.invalid`. */
export const openScriptSocket = async (options: ScriptSocketOptions): Promise<ScriptSocket> => {
  const { workDir, mostInput, refusal, answer, health } = options;
  const path = `${workDir}/server.sock`;
  const allowance = `${workDir}/server.calls`;
  const underWay = new Map<string, AbortController>();
  const work = new Set<Promise<void>>();
  let answered = 0;

  const serve = async (call: PipedCall): Promise<void> => {
    const { id, operation, caller, inputName } = call;
    const read = inputOf(call);
    const fault = read.fault ?? (callIdForm.test(id) ? undefined : 'it has no id');
    if ((await refusal(caller, fault)) !== undefined || read.text === undefined) return call.decline();
    const stop = new AbortController();
    underWay.set(id, stop);
    try {
      const input = { name: inputName, text: read.text };
      const { ok, body, afterwards } = await answer({ id, operation, input, signal: stop.signal }, caller);
      call.answer(ok ? 0 : 1, body);
      answered += 1;
      await afterwards?.();
    } finally {
      underWay.delete(id);
    }
  };
  const called = (call: PipedCall): void => {
    const done = serve(call)
      .catch((error: unknown) => {
        options.failed(error);
        call.drop();
      })
      .finally(() => work.delete(done));
    work.add(done);
  };
  const server = createServer((_request, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ ...health(), answered, underWay: underWay.size }));
  });
  let allowed: number | undefined;
  const tellScripts = (): void => {
    if (allowed === undefined) return;
    const aside = `${allowance}.${process.pid}`;
    writeFileSync(aside, `${((allowed + patience) / 1000).toFixed(1)} ${pipes.folder}\n`, { mode: 0o600 });
    renameSync(aside, allowance);
  };
  const openPipes = (): Promise<CallPipes> =>
    openCallPipes({
      folder: makePipeFolder(workDir),
      mostInput,
      called,
      stopped: (id) => underWay.get(id)?.abort(new Error('the call was ended by SIGTERM')),
      failed: options.failed,
      lost: () => {
        reopening = reopen().catch(options.failed);
      },
    });
  const reopen = async (): Promise<void> => {
    const before = pipes;
    pipes = await openPipes();
    if (inodeOf(path) === own) tellScripts();
    await before.close();
  };
  let own: number;
  let pipes: CallPipes;
  let reopening: Promise<void> | undefined;
  try {
    checkFolder(workDir);
    own = await take(server, path);
    pipes = await openPipes();
  } catch (error) {
    server.close();
    throw error instanceof PluginError ? error : refuse(messageOf(error));
  }
  return {
    path,
    allow: (budget) => {
      allowed = budget;
      tellScripts();
    },
    isOpen: () => inodeOf(path) === own,
    close: async () => {
      if (inodeOf(path) === own) for (const file of [path, allowance]) tryToRemove(file);
      await reopening;
      pipes.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      while (work.size > 0) await Promise.all(work);
      await pipes.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
