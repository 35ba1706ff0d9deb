import { closest, distance } from 'fastest-levenshtein';
import yargs from 'yargs';
import { closestName } from '../json/closest-name.ts';
import { type Command, command } from './command.ts';
import { completionsOf, isCompletion } from './completion.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { demoOptions, runDemo } from './demo.ts';
import { doctorOptions, runDoctor } from './doctor.ts';
import { emulatorOptions, runEmulator } from './emulator.ts';
import { events } from './events.ts';
import { outputs } from './formats.ts';
import { importOptions, runImport } from './import.ts';
import { initOptions, runInit } from './init.ts';
import { logOptions, runLogs } from './logs.ts';
import { runUsage, usageOptions } from './machine-hours.ts';
import { machines } from './machines.ts';
import { mcpOptions, runMcp } from './mcp.ts';
import { notify } from './notify.ts';
import {
  config,
  instanceTypes,
  launchTemplates,
  metrics,
  offerings,
  prices,
  projections,
  providers,
  reconcile,
} from './nouns.ts';
import { ReaderGoneError, watchOutput } from './output.ts';
import { replayOptions, runReplay } from './replay.ts';
import { requests } from './requests.ts';
import { reporting, UsageError } from './run.ts';
import { serveOptions } from './serve.ts';
import { state } from './state.ts';
import { runSupport, supportOptions } from './support.ts';
import { templates } from './templates.ts';
import { dispatch, handlers } from './tools.ts';
import { runTop, topOptions } from './top/top.ts';
import { isCommandMissing, nounMissing, providerName, traceFile } from './usage.ts';

const epilogue = `Host Factory itself calls scripts/*.sh; each is also a verb here:
  hf-aws getAvailableTemplates | requestMachines | getRequestStatus
         | requestReturnMachines | getReturnRequests
  with -f <file>, --data '<json>' or JSON on standard input.

The files are found by Host Factory's variables (HF_PROVIDER_NAME,
HF_PROVIDER_CONFDIR, HF_PROVIDER_WORKDIR, HF_PROVIDER_LOGDIR). Without them
HF_TOP tells where providers are registered: the only one of this installation
is taken, or the one that --provider names.

Exit status: 0 success, 1 failure or a problem found, 2 wrong usage.`;

/** yargs suggests commands, not options; what it gives to a failure tells their descriptions by name. */
const optionsOf = (usage: object): readonly string[] => {
  const read = 'getDescriptions' in usage ? usage.getDescriptions : undefined;
  return typeof read === 'function' ? Object.keys(Object(read())) : [];
};

const meantOption = (message: string, usage: object): string => {
  const [, written] = /^Unknown arguments?: ([\w-]{3,})/.exec(message) ?? [];
  const known = optionsOf(usage).filter((name) => name.length > 2);
  const meant = written === undefined ? undefined : closestName(written, known);
  return meant === undefined ? '' : `; did you mean --${meant}?`;
};

/** yargs suggests what is three letters apart, of however few. The word that it means is not told. */
const suggestionText = (meant: string, argv: readonly string[]): string => {
  const written = closest(meant, [...argv]);
  return distance(written, meant) * 2 > written.length
    ? `Unknown command: ${written}\nhf-aws --help lists the commands`
    : `Did you mean ${meant}?`;
};

/** What yargs gives to a failure can also make the help of the command that failed. */
const helpOf = (usage: object): string => {
  const read = 'help' in usage ? usage.help : undefined;
  return typeof read === 'function' ? String(read()) : '';
};

/** Wrong usage in words: with the form of the command where arguments are missing, its help where it was called alone. */
const usageText = (message: string, usage: object, argv: readonly string[]): string => {
  if (isCommandMissing(message)) return `${message}\n\n${helpOf(usage)}`;
  const [form = ''] = helpOf(usage).split('\n');
  const [, name, given, choices = ''] = /Argument: (\S+), Given: (.*), Choices: (.*)/.exec(message) ?? [];
  if (name !== undefined) return `${name} must be one of ${choices.replaceAll('"', '')}, not ${given}`;
  const [, meant] = /^Did you mean (\S+)\?$/.exec(message) ?? [];
  if (meant !== undefined) return suggestionText(meant, argv);
  if (message.startsWith('Not enough non-option arguments')) return `an argument is missing: ${form}`;
  return `${message}${meantOption(message, usage)}\nhf-aws --help lists the commands`;
};

/** `--json` and `-o json` are the same, `--wide` and `-o wide` as well: commands find all of them set. */
const oneOutput = (given: CommonOptions): CommonOptions => {
  const { output = given.json === true ? 'json' : given.wide === true ? 'wide' : 'table', json, wide } = given;
  if ((json === true && output !== 'json') || (wide === true && output !== 'wide'))
    throw new UsageError(`-o ${output} and ${json === true ? '--json' : '--wide'} exclude each other`);
  return { output, json: output === 'json', wide: output === 'wide' };
};

/** Before yargs has understood the line: a fault in it is told in the same form. */
const asksForJson = (argv: readonly string[]): boolean =>
  /(^| )(--json|(-o|--output)[ =]?json)( |$)/.test(argv.join(' '));

const complainOf = (context: CliContext, argv: readonly string[], { message }: UsageError): void => {
  if (asksForJson(argv))
    context.print(JSON.stringify({ error: { code: 'input.invalid', message: message.split('\n')[0] } }, null, 2));
  else context.complain(message);
};

/** In the order of the help. */
export const commands: readonly Command[] = [
  templates,
  requests,
  machines,
  providers,
  config,
  command('doctor', 'Check everything the scripts depend on; exit 1 if something is wrong', doctorOptions, runDoctor),
  command(
    'support',
    'Write an archive for a support ticket: versions, configuration, events, log and doctor’s report, without secrets',
    supportOptions,
    runSupport,
  ),
  command(
    'init [directory]',
    'Set up a provider instance: write its files, register it, run doctor',
    initOptions,
    runInit,
  ),
  command(
    ['import <path>', 'import-ibm <path>'],
    "Import the files of IBM's plug-ins or of Open Resource Broker; without --write only show the result",
    importOptions,
    runImport,
  ),
  launchTemplates,
  offerings,
  instanceTypes,
  prices,
  command('usage', 'Machine hours, interruptions and cost', usageOptions, runUsage),
  command('top', 'What goes on, live: capacity, requests, refusals, calls, spend', topOptions, runTop),
  events,
  command('logs', 'Lines of the log files of all hosts, by time', logOptions, runLogs),
  projections,
  state,
  metrics,
  command('serve', 'Serve requests over HTTP until told to stop', serveOptions, (context, options) =>
    reporting(context, options, () => context.serve(options)),
  ),
  command('mcp', 'Serve an assistant by the Model Context Protocol, on standard input and output', mcpOptions, runMcp),
  notify,
  handlers,
  dispatch,
  reconcile,
  command('emulator', 'Run an emulated EC2 endpoint on this host, for trials', emulatorOptions, runEmulator),
  command(
    'replay <path>',
    'Play recorded calls of Host Factory against the emulator; exit 1 where an answer differs',
    replayOptions,
    runReplay,
  ),
  command(
    'demo',
    'Run the five scripts through a whole life cycle against the emulator; leaves nothing behind',
    demoOptions,
    runDemo,
  ),
  command(
    'version',
    'Print the version',
    (yargs) => yargs.example('hf-aws version', 'the same as hf-aws --version'),
    async (context) => {
      context.print(context.version);
      return 0;
    },
  ),
];

export { isCompletion };

/** The administrator's command line. Resolves with the exit status. */
export const runCli = async (argv: readonly string[], outside: Omit<CliContext, 'pause'>): Promise<number> => {
  const { context, statusOf } = watchOutput(outside);
  if (isCompletion(argv)) {
    const completions = await completionsOf(context, argv);
    for (const each of completions ?? []) context.print(each);
    if (completions !== undefined) return statusOf(0);
  }
  let exitCode = 0;
  const done = async (code: Promise<number>): Promise<void> => {
    exitCode = await code;
  };
  const parser = yargs([...argv])
    .scriptName('hf-aws')
    .usage('hf-aws <noun> <verb>\n\nAWS provider plug-in for IBM Spectrum Symphony Host Factory.')
    .option('output', {
      alias: 'o',
      choices: outputs,
      describe: 'Form of the answer',
      global: true,
    })
    .option('json', { type: 'boolean', describe: 'The same as -o json', global: true })
    .option('provider', {
      type: 'string',
      describe: 'Name of a registered provider (see providers list)',
      global: true,
      coerce: providerName,
    })
    .option('user', { type: 'string', describe: 'Who is asking; stored with the events', global: true })
    .option('correlation-id', { type: 'string', describe: 'Stored with log lines and events', global: true })
    .option('trace-file', {
      type: 'string',
      describe: 'Append the spans of this call to a file',
      global: true,
      coerce: traceFile,
    })
    .option('wide', { type: 'boolean', describe: 'The same as -o wide: all columns, nothing cut', global: true })
    .middleware((given) => void Object.assign(given, oneOutput(given)))
    .alias('h', 'help')
    .version(context.version)
    .demandCommand(1, nounMissing)
    .recommendCommands()
    .strict()
    .wrap(Math.min(100, process.stdout.columns ?? 80))
    .epilogue(epilogue)
    .exitProcess(false)
    .fail((message, error, usage) => {
      if (error !== undefined && error !== null && error.name !== 'YError') throw error;
      // Thrown, since yargs would otherwise go on and run the command.
      throw new UsageError(error instanceof UsageError ? message : usageText(message, usage, argv));
    });
  try {
    for (const each of commands) each.addTo(parser, context, done);
    parser.completion(
      'completion',
      'Print a completion script for bash or zsh: hf-aws completion >> ~/.bashrc or ~/.zshrc',
    );
    await parser.parseAsync();
  } catch (error) {
    // Half a word is no wrong usage.
    if (error instanceof ReaderGoneError || isCompletion(argv)) return statusOf(0);
    if (error instanceof UsageError) {
      complainOf(context, argv, error);
      return statusOf(2);
    }
    // A fault that no command has told of itself.
    return statusOf(await reporting(context, { json: asksForJson(argv) }, () => Promise.reject(error)));
  }
  return statusOf(exitCode);
};
