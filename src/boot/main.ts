import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CallRecording } from '../application/ports/recording.ts';
import { messageOf } from '../domain/errors.ts';
import { isOperation, type OperationName } from '../hostfactory/operations.ts';
import type { FileLogger } from '../telemetry/file-logger.ts';

/** The bundle lies in `<home>/dist`. */
const home = join(__dirname, '..');

/** Under the launcher the exit status says that an answer is out; any other is the status of a Node that died. */
const exitStatus = (ok: boolean): number => {
  if (process.env['HF_AWS_LAUNCHER'] === undefined) return ok ? 0 : 1;
  return ok ? 10 : 11;
};

/** Tells the launcher what it must know of a process that is killed or hangs. See scripts/launcher.sh. */
const note = (line: string): void => {
  if (process.env['HF_AWS_NOTES'] !== 'yes') return;
  try {
    writeSync(3, `${line}\n`);
  } catch {
    // The launcher was killed.
  }
};

/** Bytes that a pipe takes all at once or not at all. */
const pipeBuffer = 4096;

/**
 * Host Factory reads stdout and nothing else: one JSON object per call, whatever happened. All of it is out when this
 * resolves. Written without `process.stdout`, which takes Node four milliseconds to make, unless the reader's pipe is full
 * and must be waited for.
 */
const answer = async (body: object, ok: boolean): Promise<void> => {
  let rest = Buffer.from(`${JSON.stringify(body)}\n`);
  let noted = ok && rest.length <= pipeBuffer ? 'a0' : 'a1';
  note(noted);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
  } catch (error) {
    if (ok) note('a1');
    noted = 'a1';
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(rest, (failure) => (failure ? reject(failure) : resolve()));
    });
  }
  if (ok && noted !== 'a0') note('a0');
};

/** Whether that process is above this one. Not so in a container, where its number is somebody else's. */
const isAncestor = (id: number): boolean => {
  let above = process.ppid;
  try {
    // <pid> (<name>) <state> <parent> ..., where the name may hold anything.
    while (above > 1 && above !== id) {
      const stat = readFileSync(`/proc/${above}/stat`, 'latin1');
      above = Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]);
    }
  } catch {
    return false;
  }
  return above === id;
};

/** The launcher's process, where it has started this one, itself or by way of a program around Node. */
const launcher = (): number | undefined => {
  const id = Number(process.env['HF_AWS_LAUNCHER']);
  return id > 1 && isAncestor(id) ? id : undefined;
};

const signalLauncher = (signal: NodeJS.Signals): void => {
  const id = launcher();
  if (id === undefined) return;
  try {
    process.kill(id, signal);
  } catch {
    // It has just been ended by somebody else.
  }
};

/**
 * Lets the launcher end, now that the answer is out, while this process works on: Host Factory waits for the script. Nothing
 * where somebody else has started this process.
 */
const letCallerGo = (): void => {
  if (launcher() === undefined) return;
  // Whoever reads the answer to its end must not wait for this process either.
  try {
    for (const descriptor of [0, 1]) {
      const empty = openSync('/dev/null', descriptor === 0 ? 'r' : 'w');
      closeSync(descriptor);
      openSync('/dev/null', descriptor === 0 ? 'r' : 'w');
      closeSync(empty);
    }
  } catch {
    return; // Then it waits.
  }
  signalLauncher('SIGUSR1');
  delete process.env['HF_AWS_LAUNCHER'];
};

/** Milliseconds for a call before its configuration is read; the default of actionTimeoutSeconds. */
const firstBudget = 240_000 * 0.8;
/** Milliseconds from SIGTERM to the end, whatever is under way. */
const grace = 800;
/** Milliseconds that the launcher gives beyond them: it ends a process that hangs, in a read of a file for instance. */
const patienceOfLauncher = 250;

const tellBudget = (budget: number, rest: number): void => {
  if (budget === firstBudget || process.env['HF_AWS_NOTES'] !== 'yes') return;
  note(`t${((rest + patienceOfLauncher) / 1000).toFixed(2)}`);
  signalLauncher('SIGUSR2');
};

const runOperation = async (name: OperationName, args: readonly string[]): Promise<number> => {
  if (launcher() !== undefined) note(`n${process.pid}`);
  let log: FileLogger | undefined;
  let recording: CallRecording | undefined;
  let asked: unknown;
  let outcome: boolean | undefined;
  const say = async (body: object, ok: boolean): Promise<void> => {
    if (outcome !== undefined) return;
    outcome = false;
    await answer(body, ok);
    outcome = ok;
  };
  const fail = async (error: unknown): Promise<number> => {
    const text = `${name}: ${messageOf(error)}`;
    if (log === undefined) {
      const { asOneLine } = await import('../telemetry/file-logger.ts');
      process.stderr.write(`${new Date().toISOString()} ${asOneLine(text)}\n`);
    }
    log?.error('call.failed', text, { stack: error instanceof Error ? error.stack : undefined });
    await log?.flush();
    await say({ message: messageOf(error) }, false);
    await recording?.end({ ok: false, input: asked, answer: { message: messageOf(error) } });
    return exitStatus(outcome === true);
  };
  let stop: AbortController | undefined;
  let ended: unknown;
  const failAndExit = (error: unknown): void => void fail(error).then((status) => process.exit(status));
  /** The last resort for what no signal ends. A process that hangs in a call of the system is the launcher's to end. */
  const giveUpIn = (ms: number, why: string): NodeJS.Timeout =>
    setTimeout(() => failAndExit(new Error(why)), ms).unref();
  const timeIsUp = 'the time of the call was used up';
  const patience = giveUpIn(firstBudget, timeIsUp);
  /** Made by calls that speak to AWS: making it takes Node half a millisecond. */
  const signal = (): AbortSignal => {
    stop ??= new AbortController();
    if (ended !== undefined) stop.abort(ended);
    return stop.signal;
  };
  process.on('uncaughtException', failAndExit);
  process.on('SIGTERM', () => {
    const why = 'the call was ended by SIGTERM';
    ended = new Error(why);
    stop?.abort(ended);
    giveUpIn(grace, why);
  });
  try {
    const [{ compose }, { operationOf }, { readInput }] = await Promise.all([
      import('./composition.ts'),
      import('../hostfactory/operations.ts'),
      import('../hostfactory/input.ts'),
    ]);
    // Without an answer Host Factory forgets the templates; it takes nothing that is written.
    const allowsStrangers = name === 'getAvailableTemplates';
    const { run, inputIsOptional, asksState } = operationOf(name);
    const application = await compose({
      env: process.env,
      home,
      signal,
      isTimedFromStart: true,
      letCallerGo,
      allowsStrangers,
      asksState,
      recording: () => recording,
    });
    log = application.log;
    recording = application.recorder?.begin(name, 'process');
    clearTimeout(patience);
    const rest = Math.max(0, application.budget - process.uptime() * 1000);
    giveUpIn(rest, timeIsUp);
    tellBudget(application.budget, rest);
    const input = await readInput(name, args, inputIsOptional);
    asked = input.value;
    log.debug('call.started', name, { input: input.name });
    // A server may have begun this call before it ended.
    const commandId = process.env['HF_AWS_CALL_ID'];
    const work = () => run({ ...application, commandId }, input.value);
    const { body, afterwards } = await application.observe({ kind: 'entry', name, way: 'process' }, work);
    await say(body, true);
    await recording?.end({ ok: true, input: asked, answer: body });
    await afterwards?.();
    await recording?.after();
    await log.flush();
    return exitStatus(outcome === true);
  } catch (error) {
    return fail(error);
  }
};

const [verb = '', ...args] = process.argv.slice(2);
if (isOperation(verb)) {
  void runOperation(verb, args).then((status) => process.exit(status));
} else {
  void import('./administrator.ts')
    .then(({ endNow, runAdministrator }) =>
      runAdministrator(process.argv.slice(2), {
        env: process.env,
        home,
        abandon: (status) => setTimeout(() => endNow(status), 3000).unref(),
      }),
    )
    .then((status) => {
      process.exitCode = status;
    });
}
