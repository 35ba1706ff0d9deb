import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { colourOf, isColoured, painted } from './colour.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { type ProgressBar, progressBar } from './progress.ts';
import { originOptions, show, UsageError, withService } from './run.ts';
import { fold } from './table.ts';

interface DoctorOptions extends CommonOptions {
  readonly aws: boolean;
  readonly iamPolicy: boolean;
  readonly fix: boolean;
  readonly yes: boolean;
}

export const doctorOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('aws', { type: 'boolean', default: true, describe: 'Also ask AWS; --no-aws checks this host only' })
    .option('iam-policy', {
      type: 'boolean',
      default: false,
      describe: 'Print the smallest IAM policy for the configured templates, and do nothing else',
    })
    .option('fix', { type: 'boolean', default: false, describe: 'Fix what can be fixed without risk; asks first' })
    .option('yes', { type: 'boolean', default: false, describe: 'With --fix: do not ask first' })
    .example('hf-aws doctor', 'after an installation, or when the grid does not grow')
    .example('hf-aws doctor --iam-policy > policy.json', 'for whoever grants permissions');

/** As the query answers it. */
type Told = Awaited<ReturnType<ApplicationService['diagnose']>>['diagnoses'][number];

const labels = { ok: 'ok     ', warning: 'WARNING', error: 'ERROR  ' } as const;

/** After the text is folded, which measures it. */
const coloured = (text: string): string => {
  const [label = ''] = Object.values(labels).filter((each) => text.startsWith(each));
  return isColoured() ? painted(label, colourOf(label)) + text.slice(label.length) : text;
};

const diagnosisText = ({ subject, status, what, why, cure }: Told): string =>
  [
    `${labels[status]} ${subject}: ${what}`,
    ...(status === 'ok' ? [] : [`        why it matters: ${why}`, `        how to fix it:  ${cure}`]),
  ]
    .map((line) => coloured(fold(line, 8)))
    .join('\n');

const counted = (count: number, what: string): readonly string[] =>
  count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`];

/** The last line, where it is read first. */
const summaryText = (diagnoses: readonly Told[], isWell: boolean): string => {
  const count = (status: Told['status']): number => diagnoses.filter((each) => each.status === status).length;
  const counts = [...counted(count('error'), 'error'), ...counted(count('warning'), 'warning')].join(', ');
  const [first] = diagnoses;
  if (!isWell) return fold(`${counts}, what blocks most first. Begin with ${first?.subject}: ${first?.cure}`, 2);
  return `Everything needed is in place${counts === '' ? '' : `; ${counts} above`}.`;
};

/** What the command line shows of a diagnosis. */
export const diagnosisOf = async (service: ApplicationService, options: CommonOptions & { readonly aws: boolean }) => {
  const {
    iamPolicy: _policy,
    iamPolicyNotes: _notes,
    ...answer
  } = await service.diagnose({ aws: options.aws, ...originOptions(options) });
  return answer;
};

type Answer = Awaited<ReturnType<typeof diagnosisOf>>;

/** The exit status, 1 when something is an error. What still hangs is not waited for. */
export const statusAfter = (context: CliContext, { diagnoses, isWell }: Answer): number => {
  const status = isWell ? 0 : 1;
  if (diagnoses.some(({ code }) => code === 'check.late')) context.abandon(status);
  return status;
};

export const doctorProgress = (context: CliContext, options: CommonOptions): ProgressBar =>
  progressBar(context, options, 'looks at this host');

export const diagnosisTexts = ({ diagnoses, isWell }: Answer): string =>
  [
    // Trouble comes last, where it is not scrolled away.
    ...diagnoses.filter(({ status }) => status === 'ok').map(diagnosisText),
    ...diagnoses.filter(({ status }) => status !== 'ok').map(diagnosisText),
    summaryText(diagnoses, isWell),
  ].join('\n');

/** Mends what can be mended without harm, each when it was agreed to. */
const mendAll = async (context: CliContext, { yes }: DoctorOptions, diagnoses: readonly Told[]): Promise<void> => {
  const fixes = diagnoses.flatMap(({ fix }) => fix ?? []);
  if (fixes.length === 0) return context.complain('There is nothing that --fix can fix.');
  if (!yes && process.stdin.isTTY !== true)
    throw new UsageError('there is no terminal to ask on: --fix --yes fixes without asking');
  const { askToMend, mend } = await import('./mend.ts');
  for (const fix of fixes) if (yes || (await askToMend(fix))) context.complain(await mend(fix));
};

const diagnose = async (
  context: CliContext,
  options: DoctorOptions,
  service: ApplicationService,
  bar: ProgressBar,
): Promise<number> => {
  if (options.iamPolicy) {
    const { iamPolicy, iamPolicyNotes } = await service.diagnose({ aws: false, ...originOptions(options) });
    for (const note of iamPolicyNotes) context.complain(`note: ${note}`);
    context.print(JSON.stringify(iamPolicy, null, 2));
    return 0;
  }
  const answer = await bar.during(diagnosisOf(service, options));
  await show(context, options, answer, diagnosisTexts);
  if (options.fix) await mendAll(context, options, answer.diagnoses);
  return statusAfter(context, answer);
};

/** Exit 1 when something is an error. */
export const runDoctor = (context: CliContext, options: DoctorOptions): Promise<number> => {
  const bar = doctorProgress(context, options);
  return withService(context, options, (service) => diagnose(context, options, service, bar), {
    // A policy for another owner would be worse than none.
    forgives: !options.iamPolicy,
    progress: bar.tell,
  });
};
