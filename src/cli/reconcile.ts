import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { ReconcileAnswer } from '../application/commands/reconcile.ts';
import { operations } from '../application/operations.ts';
import { age, localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { shortIds } from './ids.ts';
import { progressBar } from './progress.ts';
import { originOptions, show, warn, withService } from './run.ts';
import { fold } from './table.ts';

type Finding = ReconcileAnswer['findings'][number];

interface ReconcileOptions extends CommonOptions {
  readonly apply: boolean;
}

const stateOf = (now: number, released: readonly string[], { id, verdict, dueAt }: Finding): string => {
  if (released.includes(id)) return 'released';
  if (verdict === 'leave') return 'left alone';
  return verdict === 'release' ? 'due' : `due in ${age(Math.max(0, Date.parse(dueAt) - now))}`;
};

const findingColumns = (
  released: readonly string[],
  short: (id: string) => string,
  now: number,
): readonly Column<Finding>[] => [
  ['WHAT', ({ kind }) => kind],
  ['ID', ({ id, kind }) => (kind === 'request' ? short(id) : id), 'whole'],
  ['REQUEST', ({ requestId }) => (requestId === '' ? '-' : short(requestId)), 'whole'],
  ['STATE', (finding) => stateOf(now, released, finding), 'whole'],
  ['WHY', ({ why }) => why],
  ['FOUND', ({ since }) => localTime(Date.parse(since)), 'wide'],
];

const count = (findings: readonly Finding[], verdict: Finding['verdict']): number =>
  findings.filter((each) => each.verdict === verdict).length;

const plural = (n: number): string => (n === 1 ? '1 is' : `${n} are`);

/** What was released, what was not, and when it will be. */
const summary = ({ apply }: ReconcileOptions, { findings, released }: ReconcileAnswer): readonly string[] => {
  const due = count(findings, 'release') - released.length;
  const [waiting, left] = [count(findings, 'wait'), count(findings, 'leave')];
  const first = Math.min(...findings.flatMap(({ verdict, dueAt }) => (verdict === 'wait' ? [Date.parse(dueAt)] : [])));
  return [
    ...(apply ? [released.length === 0 ? 'Nothing was released.' : `${released.length} released.`] : []),
    ...(due === 0
      ? []
      : [apply ? `${plural(due)} due and could not be released.` : `${plural(due)} due: --apply releases it.`]),
    ...(waiting === 0
      ? []
      : [
          `${plural(waiting)} not due yet: a sweep after ${localTime(first)} releases it if it is still there, by itself or with --apply.`,
        ]),
    ...(left === 0 ? [] : [`${plural(left)} left alone: not ours to judge.`]),
  ];
};

const findingTable = (options: ReconcileOptions, answer: ReconcileAnswer): string => {
  const { findings, released } = answer;
  if (findings.length === 0) return 'Nothing is out of place.';
  const short = options.wide === true ? String : shortIds(findings.map(({ requestId }) => requestId));
  const columns = findingColumns(released, short, Date.now());
  return [columnTable(options, findings, columns, ''), ...summary(options, answer).map((line) => fold(line, 2))].join(
    '\n',
  );
};

export const reconcileOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('output', rowFormats)
    .option('apply', { type: 'boolean', default: false, describe: 'Release what is due; without it only look' })
    .example('hf-aws reconcile', 'what runs at AWS but belongs to no live request')
    .example('hf-aws reconcile --apply', 'release what was seen before and is old enough');

/** Exit 1 when something due could not be released. */
export const runReconcile = (context: CliContext, options: ReconcileOptions): Promise<number> => {
  const { tell, during } = progressBar(context, options, 'looks at AWS');
  const act = async (service: ApplicationService): Promise<number> => {
    const answer = await during(service.reconcile({ apply: options.apply, ...originOptions(options) }));
    warn(context, answer.warnings);
    await show(
      context,
      options,
      answer,
      (found) => findingTable(options, found),
      recordsOf(operations.Reconcile.answer.properties.findings.items, answer.findings, ({ id }) => id),
    );
    return options.apply && answer.warnings.length > 0 ? 1 : 0;
  };
  return withService(context, options, act, { progress: tell });
};
