import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { hfAwsHere, type Said } from './admin.ts';
import { home, type Json, type Plugin } from './plugin.ts';

const program = join(home, 'dist', 'hf-aws.cjs');

export interface CliOutcome extends Said {
  /** What `--json` printed. */
  readonly json: Json;
}

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};

/** The objects of a list in an answer. */
export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(asObject) : []);

const parse = (text: string): Json => {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return {};
  }
};

/** Runs `hf-aws` as an administrator does. */
export const runCli = async (plugin: Plugin, ...args: readonly string[]): Promise<CliOutcome> => {
  const said = await hfAwsHere(plugin, args);
  return { ...said, json: parse(said.stdout) };
};

/** The same with `--json`; fails unless it succeeds. */
export const askCli = async (plugin: Plugin, ...args: readonly string[]): Promise<Json> => {
  const { json, exitCode, stderr, stdout } = await runCli(plugin, ...args, '--json');
  if (exitCode !== 0) throw new Error(`hf-aws ${args.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`);
  return json;
};

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Json;
}

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Server {
  readonly url: string;
  readonly child: ChildProcess;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Ends it as an administrator does; resolves with the exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `hf-aws serve`, on a free port unless one is named; resolves when it says that it serves. */
export const startServer = async (plugin: Plugin, ...args: readonly string[]): Promise<Server> => {
  const anyPort = args.includes('--port') ? [] : ['--port', '0'];
  const child = spawn(process.execPath, [program, 'serve', ...anyPort, ...args], {
    env: plugin.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said.text += String(chunk);
    });
  }
  const gone = new Promise<number | null>((resolve) => child.on('close', resolve));
  const deadline = Date.now() + 20_000;
  const address = (): string | undefined => /Serving (\S+) /.exec(said.text)?.[1];
  while (address() === undefined) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`hf-aws serve did not start: ${said.text}`);
    await wait(20);
  }
  const url = address() ?? '';
  const call: Server['call'] = async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) };
  };
  return {
    url,
    child,
    call,
    get: (path, headers = {}) => call('GET', path, { headers }),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return gone;
    },
  };
};

/** All lines of the provider's log so far. */
export const logOf = async (plugin: Plugin): Promise<readonly string[]> => {
  const names = (await readdir(plugin.logDir)).filter((name) => name.includes('-provider.') && name.endsWith('.log'));
  const texts = await Promise.all(names.map((name) => readFile(join(plugin.logDir, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
};

/** All that a server answers to these bytes until it closes the connection. */
export const answerTo = (url: string, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
