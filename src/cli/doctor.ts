import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Diagnosis } from '../domain/finding.ts';
import { colourOf, isColoured, painted } from './colour.ts';
import type { CliContext, CommonOptions } from './context.ts';
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

const labels = { ok: 'ok     ', warning: 'WARNING', error: 'ERROR  ' } as const;

/** After the text is folded, which measures it. */
const coloured = (text: string): string => {
  const [label = ''] = Object.values(labels).filter((each) => text.startsWith(each));
  return isColoured() ? painted(label, colourOf(label)) + text.slice(label.length) : text;
};

const diagnosisText = ({ subject, status, what, why, mend }: Diagnosis): string =>
  [
    `${labels[status]} ${subject}: ${what}`,
    ...(why === undefined ? [] : [`        why it matters: ${why}`]),
    ...(mend === undefined ? [] : [`        how to fix it:  ${mend}`]),
  ]
    .map((line) => coloured(fold(line, 8)))
    .join('\n');

/** What the command line shows of a diagnosis. */
export const diagnosisOf = async (service: ApplicationService, options: CommonOptions & { readonly aws: boolean }) => {
  const {
    iamPolicy: _policy,
    iamPolicyNotes: _notes,
    ...answer
  } = await service.diagnose({ aws: options.aws, ...originOptions(options) });
  return answer;
};

export const diagnosisTexts = ({ diagnoses, isWell }: Awaited<ReturnType<typeof diagnosisOf>>): string =>
  [...diagnoses.map(diagnosisText), isWell ? 'Everything needed is in place.' : 'See ERROR above.'].join('\n');

/** Mends what can be mended without harm, each when it was agreed to. */
const mendAll = async (context: CliContext, { yes }: DoctorOptions, diagnoses: readonly Diagnosis[]): Promise<void> => {
  const cures = diagnoses.flatMap(({ cure }) => cure ?? []);
  if (cures.length === 0) return context.complain('There is nothing that --fix can fix.');
  if (!yes && process.stdin.isTTY !== true)
    throw new UsageError('there is no terminal to ask on: --fix --yes fixes without asking');
  const { askToMend, mend } = await import('./mend.ts');
  for (const cure of cures) if (yes || (await askToMend(cure))) context.complain(await mend(cure));
};

const diagnose = async (context: CliContext, options: DoctorOptions, service: ApplicationService): Promise<number> => {
  if (options.iamPolicy) {
    const { iamPolicy, iamPolicyNotes } = await service.diagnose({ aws: false, ...originOptions(options) });
    for (const note of iamPolicyNotes) context.complain(`note: ${note}`);
    context.print(JSON.stringify(iamPolicy, null, 2));
    return 0;
  }
  const answer = await diagnosisOf(service, options);
  await show(context, options, answer, diagnosisTexts);
  if (options.fix) await mendAll(context, options, answer.diagnoses);
  return answer.isWell ? 0 : 1;
};

/** Exit 1 when something is an error. */
export const runDoctor = (context: CliContext, options: DoctorOptions): Promise<number> =>
  withService(context, options, (service) => diagnose(context, options, service), {
    // A policy for another owner would be worse than none.
    forgives: !options.iamPolicy,
  });
