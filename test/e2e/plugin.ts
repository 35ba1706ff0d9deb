import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeTable } from '../make-table.ts';
import { healthOf, pipeFolders, serveScripts, untilIdle } from './script-server.ts';

export const home = join(import.meta.dirname, '..', '..');

export type Json = Readonly<Record<string, unknown>>;

export interface Outcome {
  readonly stdout: string;
  readonly exitCode: number | null;
  /** The one JSON object on stdout. */
  readonly body: Json;
}

interface RequestEntry {
  readonly requestId: string;
  readonly status: string;
  readonly message: string;
  readonly machines: readonly MachineEntry[];
}

export interface MachineEntry {
  readonly machineId: string;
  readonly name: string;
  readonly result: string;
  readonly status: string;
  readonly privateIpAddress: string;
  readonly launchtime: number;
  readonly message: string;
}

export interface Plugin {
  readonly directory: string;
  readonly workDir: string;
  readonly logDir: string;
  readonly env: Record<string, string>;
  /** Writes the input as Host Factory does and runs `<script> -f <file>`. */
  call(operation: string, input: unknown, options?: RunOptions): Promise<Outcome>;
  /** Runs a script with just these arguments. */
  run(operation: string, args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** requestMachines, answering with the id. */
  request(templateId: string, machineCount: number): Promise<string>;
  status(...requestIds: readonly string[]): Promise<readonly RequestEntry[]>;
  /** Polls until the request is no longer running. */
  settled(requestId: string): Promise<RequestEntry>;
  giveBack(machines: readonly Json[]): Promise<string>;
  reclaims(machines: readonly (Json | string)[], options?: RunOptions): Promise<readonly Json[]>;
  configure(config: Json): Promise<void>;
  offer(templates: readonly Json[]): Promise<void>;
  /** Every file of the work directory, but for the compiled code that calls keep for the next. */
  state(): Promise<readonly string[]>;
  /** What answers its scripts in the project `server`. */
  readonly server: StandingServer | undefined;
  remove(): Promise<void>;
}

interface StandingServer {
  /** Its process group, whose process may have been killed. */
  readonly group: number;
  isAlive(): boolean;
  /** Kills it and starts another, with further variables. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves when it has done what follows its answers, or is dead. */
  untilAtRest(): Promise<void>;
}

export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly script?: string;
  readonly stdin?: string | 'closed';
  /** Is given the end of the process that the script may leave behind, instead of its being waited for. */
  readonly leftBehind?: (end: Promise<void>) => void;
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));

const toObject = (text: string): Json => {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`not one JSON object: ${text}`);
  return Object.fromEntries(Object.entries(value));
};

/** Whether a process of the group runs: one that has ended and was not collected yet does not. */
const isAnyRunning = async (group: number): Promise<boolean> => {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const states = await Promise.all(ids.map((id) => readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')));
  // <pid> (<name>) <state> <parent> <group> ...
  return states.some((text) => new RegExp(`\\) [^Z] \\d+ ${group} `).test(text));
};

/** Resolves when no process of the group runs: a script may end before the work that follows its answer does. */
export const groupEnd = async (group: number): Promise<void> => {
  const deadline = Date.now() + 30_000;
  while (await isAnyRunning(group)) {
    if (Date.now() > deadline) throw new Error(`processes of group ${group} did not end`);
    await wait(10);
  }
};

export const runScript = async (
  script: string,
  args: readonly string[],
  { env = {}, cwd = tmpdir(), stdin = 'closed', leftBehind }: RunOptions,
): Promise<Outcome> => {
  const stdio = [stdin === 'closed' ? ('ignore' as const) : ('pipe' as const), 'pipe' as const, 'pipe' as const];
  const child = spawn(script, [...args], { env, cwd, detached: true, stdio });
  if (stdin !== 'closed') child.stdin?.end(stdin);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const exitCode = await exitOf(child);
  const end = child.pid === undefined ? Promise.resolve() : groupEnd(child.pid);
  if (leftBehind === undefined) await end;
  else leftBehind(end);
  if (stderr !== '') throw new Error(`the script wrote to stderr, which Host Factory sees: ${stderr}`);
  return { stdout, exitCode, body: toObject(stdout) };
};

const isRequestEntry = (value: unknown): value is RequestEntry =>
  typeof value === 'object' &&
  value !== null &&
  'requestId' in value &&
  'machines' in value &&
  Array.isArray(value.machines);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Where the project `table` has each provider instance keep its state; undefined where it is in the work folder. */
export const tablesAt = process.env['HF_AWS_TEST_TABLES'];

/** Whether the project is the one in which a server answers the scripts. */
export const isServed = process.env['HF_AWS_TEST_SERVER'] !== undefined;

/** Adds to the table at the end of the projects that have one: see test/faults/tally.ts. */
const tell = (counts: Readonly<Record<string, number>>): void => {
  const file = process.env['HF_AWS_TEST_TALLY'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(counts)}\n`);
};

const startServer = async (env: Readonly<Record<string, string>>, workDir: string) => {
  let server = await serveScripts(env);
  const isAlive = (): boolean => server.child.exitCode === null && server.child.signalCode === null;
  /** What it has answered, unless it was killed. */
  const countAnswered = async (): Promise<void> => {
    // It may have lost its work folder.
    const health = isAlive() ? await healthOf(workDir).catch(() => undefined) : undefined;
    tell({ 'answered by a server': health?.answered ?? 0 });
  };
  return {
    isAlive,
    get group(): number {
      return server.child.pid ?? 0;
    },
    restart: async (more: Readonly<Record<string, string>> = {}): Promise<void> => {
      await countAnswered();
      await server.stop('SIGKILL');
      server = await serveScripts({ ...env, ...more });
    },
    untilAtRest: async (): Promise<void> => {
      const deadline = Date.now() + 30_000;
      while (isAlive()) {
        const fault = await untilIdle(workDir).catch((error: unknown) => ({ error }));
        if (fault === undefined) return;
        // Its end is told a while after it.
        if (Date.now() > deadline) throw fault.error;
        await wait(20);
      }
    },
    stop: async () => {
      await countAnswered();
      await server.stop();
    },
  };
};

/**
 * One provider instance in a folder of its own, with the environment Host Factory sets and no more than `variables`, which are told
 * its folder.
 */
export const createPlugin = async (
  config: Json,
  templates: readonly Json[],
  variables: (directory: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<Plugin> => {
  const directory = await mkdtemp(join(tmpdir(), 'hf-aws-e2e-'));
  const [confDir, workDir, logDir] = [join(directory, 'conf'), join(directory, 'work'), join(directory, 'log')];
  for (const each of [confDir, workDir, logDir]) await mkdir(each);
  const credentials = join(directory, 'credentials');
  await writeFile(credentials, '[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = planted-secret\n');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HF_PROVIDER_NAME: 'awsinst',
    HF_PROVIDER_CONFDIR: confDir,
    HF_PROVIDER_WORKDIR: `${workDir}/`,
    HF_PROVIDER_LOGDIR: logDir,
    ...variables(directory),
  };
  // The project `table` runs the same tests with the state in a table of the instance's own.
  const ownTable = 'stateEndpoint' in config ? undefined : tablesAt;
  const inTable = ownTable === undefined ? {} : { stateTable: basename(directory), stateEndpoint: ownTable };
  if (ownTable !== undefined) await makeTable(ownTable, basename(directory));
  let inputs = 0;

  const configure = (more: Json): Promise<void> => {
    const all = {
      AWS_REGION: 'us-east-1',
      AWS_CREDENTIAL_FILE: credentials,
      LogLevel: 'TRACE',
      ...inTable,
      ...config,
      ...more,
    };
    return writeFile(join(confDir, 'awsinstprov_config.json'), JSON.stringify(all));
  };
  const offer = (list: readonly Json[]): Promise<void> =>
    writeFile(join(confDir, 'awsinstprov_templates.json'), JSON.stringify({ templates: list }));
  await configure({});
  await offer(templates);
  // The project `server` runs the same tests with a server that answers the scripts.
  const server = process.env['HF_AWS_TEST_SERVER'] === undefined ? undefined : await startServer(env, workDir);

  const run: Plugin['run'] = async (operation, args, options = {}) => {
    const script = options.script ?? join(home, 'scripts', `${operation}.sh`);
    if (server !== undefined) tell({ 'calls of scripts': 1 });
    if (server === undefined || operation !== 'getReturnRequests') return runScript(script, args, { env, ...options });
    // What follows the answer is the server's work.
    const { leftBehind } = options;
    const ends: Promise<unknown>[] = [];
    const outcome = await runScript(script, args, { env, ...options, leftBehind: (end) => ends.push(end) });
    const end = Promise.all([...ends, server.untilAtRest()]).then(() => undefined);
    if (leftBehind === undefined) await end;
    else leftBehind(end);
    return outcome;
  };
  const call: Plugin['call'] = async (operation, input, options = {}) => {
    const file = join(directory, `hf_in_${inputs++}`);
    await writeFile(file, JSON.stringify(input, null, '\t'));
    return run(operation, ['-f', file], options);
  };
  const succeed = async (operation: string, input: unknown, options: RunOptions = {}): Promise<Json> => {
    const { exitCode, body, stdout } = await call(operation, input, options);
    if (exitCode !== 0) throw new Error(`${operation} ended with ${exitCode}: ${stdout}`);
    return body;
  };
  const status: Plugin['status'] = async (...requestIds) => {
    const body = await succeed('getRequestStatus', { requests: requestIds.map((requestId) => ({ requestId })) });
    return listOf(body['requests']).filter(isRequestEntry);
  };

  return {
    directory,
    workDir,
    logDir,
    env,
    call,
    run,
    configure,
    offer,
    status,
    request: async (templateId, machineCount) =>
      String((await succeed('requestMachines', { template: { templateId, machineCount } }))['requestId']),
    settled: async (requestId) => {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const [entry] = await status(requestId);
        if (entry !== undefined && entry.status !== 'running') return entry;
        if (Date.now() > deadline) throw new Error(`${requestId} did not settle: ${JSON.stringify(entry)}`);
        await wait(100);
      }
    },
    giveBack: async (machines) => String((await succeed('requestReturnMachines', { machines }))['requestId']),
    reclaims: async (machines, options) => {
      const { requests } = await succeed('getReturnRequests', { machines }, options);
      return listOf(requests).map((entry) => Object.fromEntries(Object.entries(Object(entry))));
    },
    state: async () => {
      const entries = await readdir(workDir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
      // Compiled code and figures are kept of every call, also of those that change nothing.
      const kept = [join(workDir, 'cache', 'code'), join(workDir, 'usage'), join(workDir, 'server.')];
      return files.filter((file) => !kept.some((folder) => file.startsWith(folder)));
    },
    server,
    remove: async () => {
      await server?.stop();
      // A killed server leaves them to the next one of the work folder.
      for (const folder of await pipeFolders(workDir)) await rm(folder, { recursive: true, force: true });
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** How Host Factory names a host in its inputs. */
export const hostOf = ({ name, machineId }: MachineEntry): Json => ({ name, machineId });
