import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Moment } from '../../src/emulator/api-call.ts';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import {
  createPlugin,
  groupEnd,
  home,
  hostOf,
  type Json,
  type MachineEntry,
  type Plugin,
  tablesAt,
} from '../e2e/plugin.ts';
import { movedClock, setClock } from './clock.ts';
import { count } from './tally.ts';

const [second, minute] = [1000, 60_000];

/**
 * Where a script is killed: at a moment of its n-th call of AWS (of any action, or of one), at a file operation, or some time after
 * its start.
 */
export type KillPoint =
  | { readonly call: number; readonly at: Moment['at']; readonly action?: string }
  | { readonly file: 'link' | 'rename' | 'unlink'; readonly nth: number; readonly at: 'before' | 'after' }
  | { readonly afterMs: number };

type Signal = 'SIGKILL' | 'SIGSTOP';

/** Whose process is killed, where a server answers the scripts. */
export const victims = ['script', 'server', 'both'] as const;
export type Victim = (typeof victims)[number];

interface Ended {
  readonly killed: boolean;
  /** Undefined where the script was killed: nobody has read its answer. */
  readonly body: Json | undefined;
}

export interface Grid {
  readonly backend: EmulatorBackend;
  /** The management host that is on duty: with the state in a table the other one takes over after a kill. */
  readonly plugin: Plugin;
  readonly hosts: readonly Plugin[];
  /** From now on each call is another host's than the one before. */
  takeTurns(): void;
  /** Moves the clocks of AWS and of the scripts on. */
  pass(ms: number): void;
  /** Sets the scripts' clock apart from AWS's. */
  setClockApart(ms: number): void;
  /**
   * Runs a script as Host Factory does and kills its process group there, unless it ends before. Where a server answers scripts, it is
   * killed, unless the victim is another. Throws where a script that lives on does not answer, or fails.
   */
  kill(operation: string, input: Json, point: KillPoint, victim?: Victim): Promise<Ended>;
  /** The same with a command of `hf-aws`, which no server takes part in; answers whether it was killed. */
  killCommand(args: readonly string[], point: KillPoint): Promise<boolean>;
  /** From now on watches the calls: stops a process group there, whose calls they are. */
  stopAt(group: number, point: Extract<KillPoint, { readonly call: number }>): void;
  /** Has every writing operation of the scripts fail with this code from the n-th on (`ENOSPC:3`), or none (`''`). */
  troubleDisk(trouble: string): Promise<void>;
  /** How often each action of AWS was asked for, but for those of the table that the state is in. */
  calls(): Readonly<Record<string, number>>;
  /** Host Factory's side of it. */
  readonly hf: HostFactory;
  close(): Promise<void>;
}

/** What Host Factory knows and does: it goes by acknowledged answers alone. */
interface HostFactory {
  readonly held: ReadonlyMap<string, MachineEntry>;
  /** Asks until there is an id. */
  ask(templateId: string, machineCount?: number): Promise<string>;
  /** Takes note of an answer to a request for so many machines. */
  accept(body: Json, machineCount: number): string;
  /** Gives machines back, again when the call was not answered. */
  giveBack(machines: readonly MachineEntry[]): Promise<string>;
  acceptReturn(body: Json, machines: readonly MachineEntry[]): string;
  /** One status call about all that is under way. */
  poll(): Promise<void>;
  /** Polls, every 30 seconds of the grid's time, until nothing is under way. */
  settle(): Promise<void>;
  /** Asks which hosts AWS takes away, and gives those back. */
  reclaim(): Promise<readonly string[]>;
  /** Goes on until sweeps have had their time. */
  rest(): Promise<void>;
  /** EC2's instances against what Host Factory holds and asked for. */
  books(): Promise<Books>;
}

interface Books {
  /** Asked for, or held, and not there. */
  readonly lost: readonly string[];
  /** There, and nobody will ever give it back. */
  readonly leaked: readonly string[];
  /** Launched beyond what was asked for. */
  readonly double: readonly string[];
  readonly unreadable: readonly string[];
}

export const balanced: Books = { lost: [], leaked: [], double: [], unreadable: [] };

const settings = {
  pendingMs: 20 * second,
  nameAfterMs: 10 * second,
  shuttingDownMs: 20 * second,
  stoppingMs: 10 * second,
  fulfilMs: 5 * second,
  forgetTerminatedAfterMs: 10_000 * minute,
  invisibleForCalls: 1,
};

export const stateTable = 'hf-state';
const tableActions = ['PutItem', 'GetItem', 'UpdateItem', 'DeleteItem', 'Query'];

/** Starts a program in a process group of its own. */
const startProgram = (program: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
  const child = spawn(program, args, { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  const ended = new Promise<{ stdout: string; exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (exitCode, signal) => resolve({ stdout, exitCode, signal })),
  );
  return { pid, ended };
};

/** Milliseconds by which the clock of the second host is ahead. */
const apartOfHosts = 90 * second;

/**
 * A provider instance in a world whose clock only tests move on. The project `table` has two hosts of it, with work folders, names and
 * clocks of their own, and the state in the emulator's table, whose calls count as any.
 */
export const createGrid = async (templates: (place: Json) => readonly Json[], config: Json = {}): Promise<Grid> => {
  const start = Date.now();
  let passed = 0;
  let apart = 0;
  let hunted:
    | {
        readonly groups: readonly number[];
        readonly point: KillPoint;
        readonly signal: Signal;
        calls: number;
        struck: boolean;
      }
    | undefined;

  /** Whether it came in time: the group had not just ended. */
  const strike = (pid: number, signal: Signal): boolean => {
    try {
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  };
  const watch = ({ at, action }: Moment): 'cut' | undefined => {
    if (hunted === undefined || !('call' in hunted.point) || hunted.point.at !== at) return undefined;
    if (action !== (hunted.point.action ?? action)) return undefined;
    hunted.calls += 1;
    if (hunted.calls !== hunted.point.call) return undefined;
    const { groups, signal } = hunted;
    hunted.struck = groups.map((group) => strike(group, signal)).includes(true);
    return signal === 'SIGKILL' ? 'cut' : undefined;
  };
  const backend = await emulatorBackend({ watch, now: () => Date.now() + passed });
  const isInTable = tablesAt !== undefined;
  backend.emulator.configure({ ...settings, tables: isInTable ? [stateTable] : [] });
  const place = isInTable ? { stateTable, stateEndpoint: backend.url } : {};
  const preload = `--require ${join(import.meta.dirname, 'preload', 'disk.cjs')}`;
  const createHost = (name: string): Promise<Plugin> =>
    createPlugin({ AWS_ENDPOINT_URL: backend.url, ...place, ...config }, templates(backend.place), (directory) => {
      const clock = movedClock(directory);
      const more = isInTable ? { HF_AWS_TEST_HOST_NAME: name } : {};
      return { ...clock, ...more, NODE_OPTIONS: `${clock.NODE_OPTIONS} ${preload}` };
    });
  const first = await createHost('host-a');
  const hosts = isInTable ? [first, await createHost('host-b')] : [first];
  let [turn, inTurn] = [0, false];
  const onDuty = (): Plugin => {
    if (inTurn) turn += 1;
    return hosts[turn % hosts.length] ?? first;
  };
  const setClocks = (): void => {
    for (const [index, { directory }] of hosts.entries()) setClock(directory, passed, apart + index * apartOfHosts);
  };
  setClocks();
  // The projects that have servers have one host.
  const { server } = first;
  let inputs = 0;

  /** The variable by which whoever does a call dies by itself at a file operation. */
  const trapOf = (point: KillPoint): Readonly<Record<string, string>> =>
    'file' in point ? { HF_AWS_TEST_KILL: `${point.file}:${point.nth}:${point.at}` } : {};

  /** Kills these process groups there, unless the program ends before. */
  const strikeDown = async (
    { pid, ended }: ReturnType<typeof startProgram>,
    point: KillPoint,
    groups: readonly number[],
  ) => {
    const signal: Signal = 'SIGKILL';
    const game = { groups, point, signal, calls: 0, struck: false };
    hunted = game;
    const strikeLate = (): void => {
      game.struck = groups.map((group) => strike(group, game.signal)).includes(true);
    };
    const timer = 'afterMs' in point ? setTimeout(strikeLate, point.afterMs) : undefined;
    const { stdout, exitCode, signal: endedBy } = await ended;
    // The script may end before the work that follows its answer.
    await Promise.all([groupEnd(pid), server?.untilAtRest()]);
    clearTimeout(timer);
    hunted = undefined;
    return {
      struck: game.struck,
      isSilent: endedBy !== null || (game.struck && groups.includes(pid)),
      exitCode,
      stdout,
    };
  };
  const countKill = (killed: boolean): boolean => {
    count({ 'kills tried': killed ? 1 : 0 });
    if (killed) turn += 1;
    return killed;
  };

  /** Starts a script; at a file operation whoever does its call dies, it or a server. */
  const startScript = async (operation: string, file: string, point: KillPoint) => {
    const { env } = onDuty();
    const program = join(home, 'scripts', `${operation}.sh`);
    if (server === undefined) return startProgram(program, ['-f', file], { ...env, ...trapOf(point) });
    if ('file' in point) await server.restart(trapOf(point));
    return startProgram(program, ['-f', file], env);
  };
  const groupsOf = (script: number, victim: Victim): readonly number[] => {
    if (server === undefined || victim === 'script') return [script];
    return victim === 'server' ? [server.group] : [script, server.group];
  };
  /** Answers whether the server had died; there is one again that lives on. */
  const revive = async (point: KillPoint): Promise<boolean> => {
    if (server === undefined) return false;
    const isAlive = server.isAlive();
    if (!isAlive || 'file' in point) await server.restart();
    return !isAlive;
  };

  const kill: Grid['kill'] = async (operation, input, point, victim = 'server') => {
    const file = join(onDuty().directory, `hf_killed_${inputs++}`);
    await writeFile(file, JSON.stringify(input));
    const script = await startScript(operation, file, point);
    const { struck, isSilent, exitCode, stdout } = await strikeDown(script, point, groupsOf(script.pid, victim));
    const hasServerDied = await revive(point);
    const killed = countKill(isSilent || struck || hasServerDied);
    if (isSilent) return { killed, body: undefined };
    if (exitCode !== 0) throw new Error(`${operation} ended with ${exitCode}: ${stdout}`);
    return { killed, body: JSON.parse(stdout) };
  };
  const killCommand: Grid['killCommand'] = async (args, point) => {
    const env = { ...onDuty().env, ...trapOf(point) };
    const command = startProgram(process.execPath, [join(home, 'dist', 'hf-aws.cjs'), ...args], env);
    const { isSilent, exitCode, stdout } = await strikeDown(command, point, [command.pid]);
    if (!isSilent && exitCode !== 0) throw new Error(`hf-aws ${args.join(' ')} ended with ${exitCode}: ${stdout}`);
    return countKill(isSilent);
  };

  const pass = (ms: number): void => {
    passed += ms;
    setClocks();
  };

  if (Date.now() < start) throw new Error('the clock of this machine goes backwards');
  return {
    backend,
    get plugin() {
      return onDuty();
    },
    hosts,
    takeTurns: () => {
      inTurn = true;
    },
    kill,
    killCommand,
    stopAt: (group, point) => {
      hunted = { groups: [group], point, signal: 'SIGSTOP', calls: 0, struck: false };
    },
    troubleDisk: async (trouble) => {
      for (const { env } of hosts) env['HF_AWS_TEST_DISK'] = trouble;
      await server?.restart({ HF_AWS_TEST_DISK: trouble });
    },
    pass,
    setClockApart: (ms: number): void => {
      apart = ms;
      setClocks();
    },
    calls: () =>
      Object.fromEntries(
        Object.entries(backend.emulator.countCalls()).filter(([name]) => !tableActions.includes(name)),
      ),
    hf: createHostFactory(backend, onDuty, pass),
    close: async (): Promise<void> => {
      count({ 'instances launched': backend.emulator.instances().length });
      await backend.close();
      for (const host of hosts) await host.remove();
    },
  };
};

const createHostFactory = (backend: EmulatorBackend, onDuty: () => Plugin, pass: (ms: number) => void): HostFactory => {
  const wanted = new Map<string, number>();
  const granted = new Map<string, number>();
  const open = new Set<string>();
  const held = new Map<string, MachineEntry>();
  const returns = new Map<string, readonly MachineEntry[]>();

  const ended = (requestId: string, machines: readonly MachineEntry[]): void => {
    const good = machines.filter(({ result }) => result === 'succeed');
    const given = returns.get(requestId);
    if (given === undefined) {
      granted.set(requestId, good.length);
      for (const machine of good) held.set(machine.machineId, machine);
    } else for (const { machineId } of given) held.delete(machineId);
  };

  const hf: HostFactory = {
    held,
    ask: async (templateId, machineCount = 1) => {
      const outcome = await onDuty().call('requestMachines', { template: { templateId, machineCount } });
      if (outcome.exitCode !== 0) throw new Error(`requestMachines: ${outcome.stdout}`);
      return hf.accept(outcome.body, machineCount);
    },
    accept: ({ requestId }, machineCount) => {
      const id = String(requestId);
      wanted.set(id, machineCount);
      open.add(id);
      count({ 'requests made': 1 });
      return id;
    },
    giveBack: async (machines) =>
      hf.acceptReturn({ requestId: await onDuty().giveBack(machines.map(hostOf)) }, machines),
    acceptReturn: ({ requestId }, machines) => {
      const id = String(requestId);
      returns.set(id, machines);
      open.add(id);
      count({ 'requests made': 1 });
      return id;
    },
    poll: async () => {
      for (const { requestId, status, machines } of open.size === 0 ? [] : await onDuty().status(...open)) {
        if (status === 'running') continue;
        open.delete(requestId);
        ended(requestId, machines);
      }
    },
    settle: async () => {
      for (let n = 0; open.size > 0; n++) {
        if (n === 60) throw new Error(`still under way: ${[...open].join(', ')}`);
        pass(30 * second);
        await hf.poll();
      }
    },
    reclaim: async () => {
      const taken = (await onDuty().reclaims([...held.values()].map(hostOf))).map(({ machineId }) => String(machineId));
      const machines = taken.flatMap((id) => held.get(id) ?? []);
      if (machines.length > 0) await hf.giveBack(machines);
      return taken;
    },
    rest: async () => {
      await hf.settle();
      for (const minutes of [61, 16, 16, 16]) {
        pass(minutes * minute);
        await hf.reclaim();
        await hf.settle();
      }
      pass(minute);
    },
    books: async () => {
      const standing = new Set(await backend.instanceIds('pending', 'running', 'stopping', 'stopped'));
      const launched = new Map<string, number>();
      for (const { tags } of backend.emulator.instances()) {
        const owner = tags['hf-aws:request-id'] ?? '';
        launched.set(owner, (launched.get(owner) ?? 0) + 1);
      }
      // A request that was never acknowledged asked for no more than the others.
      const most = Math.max(0, ...wanted.values());
      const short = [...granted].filter(([id, got]) => got < (wanted.get(id) ?? 0)).map(([id]) => id);
      const books = {
        lost: [...[...held.keys()].filter((id) => !standing.has(id)), ...short],
        leaked: [...[...standing].filter((id) => !held.has(id)), ...(held.size === 0 ? await backend.resources() : [])],
        double: [...launched].filter(([id, n]) => n > (wanted.get(id) ?? most)).map(([id]) => id),
        unreadable: await unreadable(onDuty()),
      };
      count({ lost: books.lost.length, leaked: books.leaked.length, double: books.double.length });
      return books;
    },
  };
  return hf;
};

/** Documents that are not whole; what a killed process wrote aside under a name of its own does not count. */
const unreadable = async (plugin: Plugin): Promise<readonly string[]> => {
  const bad: string[] = [];
  for (const file of (await plugin.state()).filter((name) => name.endsWith('.json'))) {
    try {
      JSON.parse(await readFile(file, 'utf8'));
    } catch {
      bad.push(file);
    }
  }
  return bad;
};

/** Lets the next request for a fleet ask for its launch template again, as after a day. */
export const forgetFacts = ({ plugin }: Grid): Promise<void> =>
  rm(join(plugin.workDir, 'cache', 'aws.json'), { force: true });
