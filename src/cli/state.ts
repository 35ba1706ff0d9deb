import type { ApplicationService } from '../application/bus/application-service.ts';
import { operations } from '../application/operations.ts';
import { command, fromOperation, noun } from './command.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { progressBar } from './progress.ts';
import { originOptions, show, UsageError, withService } from './run.ts';

interface CopyOptions extends CommonOptions {
  readonly table?: string | undefined;
  readonly to: 'table' | 'folder';
  readonly yes: boolean;
}

type Copied = Awaited<ReturnType<ApplicationService['copyState']>>;

const nextOf = ({ to }: CopyOptions): string =>
  to === 'table'
    ? 'Set stateTable to it on every host, if that was not done yet.'
    : 'Remove stateTable from the configuration.';

const copiedText = (options: CopyOptions, { requests, events, from, to, isFinished }: Copied): string =>
  isFinished
    ? [
        `${to} holds the state: ${requests} requests and returns, ${events} events copied.`,
        `${from} refuses work from now on. ${nextOf(options)}`,
      ].join('\n')
    : `${requests} requests and returns, ${events} events copied to ${to}; ${from} is still in use. The same again completes it.`;

/** Copies while work goes on, asks, and copies the rest. */
const runCopy = (context: CliContext, options: CopyOptions): Promise<number> => {
  const { tell, during } = progressBar(context, options, 'looks for requests');
  const { to, table, yes } = options;
  const act = async (service: ApplicationService): Promise<number> => {
    if (!yes && process.stdin.isTTY !== true)
      throw new UsageError('no terminal to ask at: --yes lets what is left refuse work without asking');
    const copy = (finish: boolean) => during(service.copyState({ to, table, finish, ...originOptions(options) }));
    const first = await copy(yes);
    const question = `Host Factory should be stopped now. Let ${first.from} refuse work, and ${first.to} be used`;
    const isAgreed = first.isMarked || (await (await import('./mend.ts')).askYesOrNo(question));
    const answer = first.isFinished || !isAgreed ? first : await copy(true);
    await show(context, options, answer, (copied) => copiedText(options, copied));
    return 0;
  };
  return withService(context, options, act, { progress: tell });
};

const standings = {
  used: 'in use',
  left: 'left for the other, refuses work',
  filling: 'a copy that is not complete, refuses work',
  absent: 'holds no state',
} as const;

export const state = noun('state', 'Copy the state between work folder and DynamoDB table', [
  command(
    'copy',
    'Copy the state to the other place; the old one then refuses work',
    (yargs) =>
      yargs
        .option('to', { choices: ['table', 'folder'] as const, demandOption: true, describe: 'Where to' })
        .option('table', {
          type: 'string',
          describe: 'The DynamoDB table; by default stateTable of the configuration',
        })
        .option('yes', { type: 'boolean', default: false, describe: 'Complete it without asking' })
        .example('hf-aws state copy --to table --table hf-state', 'copies, asks, and copies the rest')
        .example('hf-aws state copy --to folder --yes', 'back into the work folder of this host'),
    (context, options) => runCopy(context, options),
  ),
  fromOperation('verify', operations.VerifyState, {
    examples: [['hf-aws state verify', 'after a copy']],
    progress: 'looks for requests',
    rows: 'differences',
    id: 'what',
    columns: () => [
      ['WHAT', ({ what }) => what, 'whole'],
      ['FOLDER', ({ folder }) => folder],
      ['TABLE', ({ table }) => table],
    ],
    text: ({ folder, table, requests, isSame }, rows) => [
      ...[folder, table].map(({ name, stands }) => `${name}: ${standings[stands]}`),
      isSame ? `${requests} requests and returns, and all else: the same.` : rows,
    ],
    failsIf: 'anything differs',
    fails: ({ isSame }) => !isSame,
  }),
]);
