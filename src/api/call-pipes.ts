import { execFile } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

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

/** A call as its script has written it down. */
export interface PipedCall {
  /** A UUID. */
  readonly id: string;
  readonly operation: string;
  readonly caller: Caller;
  /** As the script was called: a path, `--data`, or `standard input`. */
  readonly inputName: string;
  /** Undefined where it is longer than the script would take. Throws where it cannot be read from here. */
  readonly readInput: () => string | undefined;
  /** Its script's exit status and the JSON it prints. */
  answer(status: 0 | 1, body: object): void;
  /** Its script is to do it itself: nothing of it was begun. */
  decline(): void;
  /** Its script is to do it itself, under the same id. */
  drop(): void;
}

export interface CallPipesOptions {
  /** This user's alone, and empty. */
  readonly folder: string;
  /** Bytes. */
  readonly mostInput: number;
  readonly called: (call: PipedCall) => void;
  /** The script of this call was asked to stop. */
  readonly stopped: (id: string) => void;
  readonly failed: (error: unknown) => void;
  /** The folder is gone: no script finds it any more. Told once. */
  readonly lost: () => void;
}

export interface CallPipes {
  readonly folder: string;
  /** Takes no more calls. */
  stop(): void;
  /** Lets go of all pipes: a script that waits at one does its call itself. */
  close(): Promise<void>;
}

/** Pipes that lie ready; each is one call's. When half of them are used there are more. */
const stock = 128;
/** Milliseconds in which a script that has taken a pipe writes down its call, and reads its answer. */
const patienceMs = 30_000;

/** Milliseconds between two looks whether the folder is there: systemd-logind empties `/dev/shm` when a user has logged out (RemoveIPC). */
const presenceMs = 1000;

/** Milliseconds from seeing a pipe to taking it. */
const takenMs = 2000;

const nonBlocking = constants.O_RDWR | constants.O_NONBLOCK;

/** Node has no call of its own for it. */
const makePipes = (paths: readonly string[]): Promise<unknown> =>
  promisify(execFile)('mkfifo', ['-m', '600', ...paths], {
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/bin` },
  });

const orNothing = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

const isSame = (a: { dev: number; ino: number }, b: { dev: number; ino: number }): boolean =>
  a.dev === b.dev && a.ino === b.ino;

/** Text as one word of the shell's. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * Takes calls by named pipes, which a shell reads and writes by itself; a client of a socket would be a program to start. A script
 * takes one of the pipes that lie ready by creating `<n>.call` with its call in it, opens its input as descriptor 8 and the pipe as 9,
 * and writes `<n>` to `calls`. It reads its exit status, or `-` to do the call itself, from its pipe, and the answer from `answers/<n>`,
 * which is shell. This process holds the other end of each pipe: when it dies, the script reads the end of its own. See scripts/launcher.sh.
 */
export const openCallPipes = async (options: CallPipesOptions): Promise<CallPipes> => {
  const { folder, mostInput } = options;
  mkdirSync(`${folder}/answers`, { mode: 0o700 });
  const path = (name: string): string => `${folder}/${name}`;
  await makePipes([path('calls')]);
  const incoming = new Socket({ fd: openSync(path('calls'), nonBlocking), readable: true, writable: false });
  /** Descriptors of the pipes that no call has come for yet. */
  const waiting = new Map<string, number>();
  /** Calls under way, by their pipe. */
  const ids = new Map<string, string>();
  let made = 0;
  let lastAnswer = 0;
  let making: Promise<void> | undefined;
  let isOver = false;

  const remove = (name: string): void => orNothing(() => unlinkSync(path(name)));
  const makeMore = async (): Promise<void> => {
    const names = Array.from({ length: stock }, (_, n) => String(made + n));
    made += stock;
    // Scripts look for names that end with a digit, so that they find what is open at this end.
    await makePipes(names.map((name) => path(`${name}.new`)));
    for (const name of names) {
      const descriptor = openSync(path(`${name}.new`), nonBlocking);
      waiting.set(name, descriptor);
    }
    for (const name of names) renameSync(path(`${name}.new`), path(name));
  };
  const replenish = (): void => {
    if (isOver || waiting.size > stock / 2) return;
    making ??= makeMore()
      .catch(options.failed)
      .finally(() => {
        making = undefined;
      });
  };
  /** What scripts have left that were killed, or slept, before they had handed over their call. */
  const dropAbandoned = (): void => {
    const taken = readdirSync(folder).flatMap((each) =>
      each.endsWith('.call') ? [each.slice(0, -'.call'.length)] : [],
    );
    for (const name of taken.filter((each) => !ids.has(each))) {
      const known = statSync(path(`${name}.call`), { throwIfNoEntry: false });
      if (known === undefined || Date.now() - known.mtimeMs < patienceMs) continue;
      const descriptor = waiting.get(name);
      if (descriptor !== undefined) closeSync(descriptor);
      waiting.delete(name);
      for (const each of ['', '.call', '.input']) remove(`${name}${each}`);
    }
    replenish();
  };

  const take = (name: string): void => {
    const descriptor = waiting.get(name);
    if (descriptor === undefined) return;
    waiting.delete(name);
    replenish();
    let isOpen = true;
    const reply = (status: string): void => {
      if (!isOpen) return;
      isOpen = false;
      ids.delete(name);
      orNothing(() => writeSync(descriptor, status));
      closeSync(descriptor);
    };
    try {
      options.called(callAt(name, descriptor, reply));
    } catch (error) {
      reply('');
      throw error;
    }
  };
  const callAt = (name: string, descriptor: number, reply: (status: string) => void): PipedCall => {
    const lines = readFileSync(path(`${name}.call`), 'utf8').split('\n');
    const [operation = '', id = '', pid = '', home = '', provider = '', conf = '', log = '', ...more] = lines;
    const [logging = '', user = '', environment = '', inputName = ''] = more;
    // The script has opened it, and others need not look at it. One that has just seen it finds it taken.
    remove(name);
    setTimeout(() => remove(`${name}.call`), takenMs).unref();
    ids.set(name, id);
    return {
      id,
      operation,
      caller: { home, provider, conf, log, logging, user, environment },
      inputName,
      readInput: () => {
        const descriptors = `/proc/${Number(pid)}/fd`;
        // Of another container, a process of this number is another.
        if (!isSame(fstatSync(descriptor), statSync(`${descriptors}/9`)))
          throw new Error(`process ${pid} is not the script`);
        if (statSync(`${descriptors}/8`).size > mostInput) return undefined;
        const text = readFileSync(`${descriptors}/8`, 'utf8');
        if (inputName === '--data' || inputName === 'standard input') remove(`${name}.input`);
        return text;
      },
      answer: (status, body) => {
        lastAnswer = Date.now();
        writeFileSync(path(`answers/${name}`), `answer=${quoted(JSON.stringify(body))}\n`, { mode: 0o600 });
        setTimeout(() => remove(`answers/${name}`), patienceMs).unref();
        reply(`${status}\n`);
      },
      decline: () => reply('-\n'),
      drop: () => reply(''),
    };
  };
  const hear = (line: string): void => {
    const [name = '', word] = line.split(' ');
    if (word === undefined) take(name);
    else options.stopped(ids.get(name) ?? '');
  };
  let heard = '';
  incoming.setEncoding('latin1').on('data', (chunk) => {
    const lines = `${heard}${String(chunk)}`.split('\n');
    heard = lines.pop() ?? '';
    for (const line of lines) {
      try {
        hear(line);
      } catch (error) {
        options.failed(error);
      }
    }
  });
  incoming.on('error', options.failed);
  await makeMore();
  const watch = setInterval(dropAbandoned, patienceMs).unref();
  const presence = setInterval(() => {
    if (existsSync(path('calls'))) return;
    stop();
    options.lost();
  }, presenceMs).unref();
  const stop = (): void => {
    isOver = true;
    clearInterval(watch);
    clearInterval(presence);
    remove('calls');
  };

  return {
    folder,
    stop,
    close: async () => {
      incoming.destroy();
      await making;
      for (const descriptor of waiting.values()) closeSync(descriptor);
      // The last scripts read their answers.
      await wait(Math.max(0, lastAnswer + 500 - Date.now()));
      // What is left is cleared away by the next server.
      orNothing(() => rmSync(folder, { recursive: true, force: true }));
    },
  };
};
