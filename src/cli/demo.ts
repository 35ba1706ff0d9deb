import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Argv } from 'yargs';
import type { CliContext, CommonOptions } from './context.ts';

type Json = Readonly<Record<string, unknown>>;

export interface DemoOptions extends CommonOptions {
  /** Leaves configuration, state and logs to be looked at. */
  readonly keep: boolean;
  /** Where requests are on record. */
  readonly state: 'folder' | 'table';
}

const stateTable = 'hf-state';

interface Stage {
  readonly context: CliContext;
  readonly options: DemoOptions;
  readonly env: NodeJS.ProcessEnv;
  readonly inputFile: string;
}

const listOf = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map((entry: unknown) => Object.fromEntries(Object.entries(Object(entry)))) : [];

/** `3 pending`, `2 running, 1 pending` */
const statesOf = (machines: readonly Json[]): string => {
  const states = machines.map(({ status }) => String(status));
  return [...new Set(states)].map((each) => `${states.filter((state) => state === each).length} ${each}`).join(', ');
};

/** An answer in words. */
const inWords = (body: Json): string => {
  const { templates, requests, requestId, message } = body;
  if (templates !== undefined) return `${listOf(templates).length} templates`;
  if (requestId !== undefined) return `${String(requestId)}: ${String(message)}`;
  const [request] = listOf(requests);
  if (request === undefined) return 'nothing';
  const machines = listOf(request['machines']);
  const names = machines.map(({ name }) => String(name)).filter((name) => name !== '');
  return [`${String(request['status'])}: ${statesOf(machines)}`, ...names].join('\n     ');
};

/** Runs a script as Host Factory does, `<script> -f <file>`; throws when it fails or prints anything but one JSON object. */
const call = async (
  { context, options, env, inputFile }: Stage,
  operation: string,
  input: Json,
  meaning: string,
): Promise<Json> => {
  await writeFile(inputFile, JSON.stringify(input));
  const shown = options.json === true ? `echo '${JSON.stringify(input)}' > in.json; ` : '';
  if (meaning !== '') context.print(`\n# ${meaning}\n$ ${shown}${operation}.sh -f in.json`);
  const script = join(context.home, 'scripts', process.platform === 'win32' ? `${operation}.bat` : `${operation}.sh`);
  const child = spawn(script, ['-f', inputFile], {
    env,
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  const exitCode = await new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  );
  if (options.json === true) context.print(stdout.trimEnd());
  const answer: unknown = JSON.parse(stdout);
  if (exitCode !== 0 || typeof answer !== 'object' || answer === null)
    throw new Error(`${operation} ended with ${exitCode}`);
  const body: Json = Object.fromEntries(Object.entries(answer));
  if (options.json !== true && meaning !== '') context.print(`  -> ${inWords(body)}`);
  return body;
};

const textOf = (body: Json, field: string): string => String(body[field] ?? '');

/** Polls as Host Factory does, until the request is no longer running; prints what changed from one poll to the next. */
const untilSettled = async (stage: Stage, requestId: string, meaning: string): Promise<Json> => {
  const deadline = Date.now() + 15_000;
  let before = '';
  for (let round = 1; Date.now() < deadline; round++) {
    // In words, the first poll is enough.
    const told = stage.options.json === true ? `${meaning} (poll ${round})` : round === 1 ? meaning : '';
    const body = await call(stage, 'getRequestStatus', { requests: [{ requestId }] }, told);
    const [request] = listOf(body['requests']);
    const states = statesOf(listOf(request?.['machines']));
    if (told === '' && states !== before) stage.context.print(`  -> poll ${round}: ${before} -> ${states}`);
    before = states;
    if (request !== undefined && request['status'] !== 'running') {
      if (told === '') stage.context.print(`  -> ${inWords(body)}`);
      return request;
    }
    await wait(400);
  }
  throw new Error(`request ${requestId} did not finish`);
};

const prepare = async (
  context: CliContext,
  options: DemoOptions,
  directory: string,
  endpoint: string,
): Promise<Stage> => {
  const env: NodeJS.ProcessEnv = { ...context.env, HF_PROVIDER_NAME: 'awsinst' };
  for (const [variable, name] of [
    ['CONFDIR', 'conf'],
    ['WORKDIR', 'work'],
    ['LOGDIR', 'log'],
  ] as const) {
    await mkdir(join(directory, name));
    env[`HF_PROVIDER_${variable}`] = join(directory, name);
  }
  const sample = async (name: string): Promise<string> => readFile(join(context.home, 'config', name), 'utf8');
  const config: unknown = JSON.parse(await sample('awsprov_config.json'));
  const credentials = join(directory, 'credentials');
  const inTable = options.state === 'table' ? { stateTable, stateEndpoint: endpoint } : {};
  const changed = { ...Object(config), AWS_ENDPOINT_URL: endpoint, AWS_CREDENTIAL_FILE: credentials, ...inTable };
  await writeFile(credentials, '[default]\naws_access_key_id = AKIADEMO\naws_secret_access_key = demo\n', {
    mode: 0o600,
  });
  await writeFile(join(directory, 'conf', 'awsinstprov_config.json'), JSON.stringify(changed, null, 2));
  await writeFile(join(directory, 'conf', 'awsinstprov_templates.json'), await sample('awsprov_templates.json'));
  return { context, options, env, inputFile: join(directory, 'in.json') };
};

const lifeCycle = async (stage: Stage): Promise<void> => {
  const { templates } = await call(stage, 'getAvailableTemplates', {}, 'Host Factory starts and asks what it may have');
  const templateId = textOf(listOf(templates)[0] ?? {}, 'templateId');
  const wanted = { template: { templateId, machineCount: 3 } };
  const created = await call(stage, 'requestMachines', wanted, `The grid needs three hosts of ${templateId}`);
  const ready = await untilSettled(stage, textOf(created, 'requestId'), 'Are they there?');
  const hosts = listOf(ready['machines']).map(({ name, machineId }) => ({ name, machineId }));
  await call(stage, 'getReturnRequests', { machines: hosts }, 'Does AWS take any of them away?');
  const returned = await call(
    stage,
    'requestReturnMachines',
    { machines: hosts },
    'The grid is idle: all three go back',
  );
  const gone = await untilSettled(stage, textOf(returned, 'requestId'), 'Are they gone?');
  await call(stage, 'getReturnRequests', { machines: hosts }, 'Host Factory gave them back itself: nothing to report');
  if (hosts.length !== 3 || gone['status'] !== 'complete') throw new Error('the life cycle did not end as it should');
};

export const demoOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('keep', { type: 'boolean', default: false, describe: 'Keep configuration, state and logs' })
    .option('state', {
      choices: ['folder', 'table'] as const,
      default: 'folder' as const,
      describe: "Where requests are on record: in the work folder, or in the emulator's DynamoDB table",
    })
    .example('hf-aws demo', 'after an installation: no account, no configuration')
    .example('hf-aws demo --json', 'with the JSON that Host Factory sends and reads');

/** The main job end to end, with real processes, files and wire protocol; leaves nothing behind unless asked to. */
export const runDemo = async (context: CliContext, options: DemoOptions): Promise<number> => {
  const directory = await mkdtemp(join(tmpdir(), 'hf-aws-demo-'));
  const emulator = await context.startEmulator({
    port: 0,
    settings: { pendingMs: 800, nameAfterMs: 400, shuttingDownMs: 800, tables: [stateTable] },
  });
  try {
    const end = options.keep ? 'and stay there' : 'until the end (--keep leaves them)';
    const kept =
      options.state === 'table' ? `The state is in its table ${stateTable}, configuration` : 'Configuration, state';
    context.print(`An EC2 emulator listens at ${emulator.url}.\n${kept} and logs are in ${directory} ${end}.`);
    await lifeCycle(await prepare(context, options, directory, emulator.url));
    context.print('\nThe whole life cycle went through: three hosts requested, used and returned.');
    return 0;
  } finally {
    await emulator.close();
    if (!options.keep) await rm(directory, { recursive: true, force: true });
  }
};
