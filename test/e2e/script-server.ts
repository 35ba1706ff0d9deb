import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const program = join(import.meta.dirname, '..', '..', 'dist', 'hf-aws.cjs');

/** What a server says of itself. */
interface Health {
  readonly pid: number;
  readonly status: string;
  readonly underWay: number;
  /** Calls so far. */
  readonly answered: number;
}

export const healthOf = (workDir: string): Promise<Health> =>
  new Promise((resolve, reject) => {
    // By a connection of its own: the server may be about to close one that was used before.
    const asked = request({ socketPath: join(workDir, 'server.sock'), path: '/health', agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    asked.on('error', reject).end();
  });

/** Folders in memory where servers of a work folder have their pipes. */
export const pipeFolders = async (workDir: string): Promise<readonly string[]> => {
  const { dev, ino } = await stat(workDir).catch(() => ({ dev: 0, ino: 0 }));
  const names = await readdir('/dev/shm');
  return names.filter((name) => name.startsWith(`hf-aws-${dev}-${ino}.`)).map((name) => `/dev/shm/${name}`);
};

/** Resolves when the server of a work folder has done what it does after its answers. */
export const untilIdle = async (workDir: string, patience = 30_000): Promise<void> => {
  const deadline = Date.now() + patience;
  while ((await healthOf(workDir)).underWay > 0) {
    if (Date.now() > deadline) throw new Error('the server does not come to rest');
    await wait(20);
  }
};

export interface ScriptServer {
  readonly child: ChildProcess;
  /** What it has said so far. */
  said(): string;
  /** Ends it; resolves with the exit status, null after a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a server of Host Factory's scripts; resolves when it says that it serves as many providers. */
export const serveScripts = async (
  env: Readonly<Record<string, string>>,
  { providers = 1, entry = program }: { readonly providers?: number; readonly entry?: string } = {},
): Promise<ScriptServer> => {
  const args = [entry, 'serve', '--scripts-only'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += String(chunk);
    });
  }
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const deadline = Date.now() + 30_000;
  while (text.split('Serving scripts').length <= providers) {
    const isGone = child.exitCode !== null || child.signalCode !== null;
    if (isGone || Date.now() > deadline) throw new Error(`hf-aws serve did not start: ${text}`);
    await wait(20);
  }
  return {
    child,
    said: () => text,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
};
