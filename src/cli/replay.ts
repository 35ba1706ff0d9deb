import type { Argv } from 'yargs';
import type { ReplayDifference, ReplayReport } from '../application/ports/replay.ts';
import { localTime } from '../domain/time-text.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { progressBar } from './progress.ts';
import { reporting, show, warn } from './run.ts';

export const replayOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .positional('path', {
      type: 'string',
      demandOption: true,
      describe: 'A folder of recordings, a work folder, or a bundle of hf-aws support --recordings',
    })
    .option('keep', { type: 'boolean', default: false, describe: 'Leave configuration, state and log of the replay' })
    .example('hf-aws replay $HF_PROVIDER_WORKDIR/recordings', 'with the version that is to be installed')
    .example('hf-aws replay bundle.tar.gz --json', 'every difference, for machines');

interface ReplayOptions extends CommonOptions {
  readonly path: string;
  readonly keep: boolean;
}

/** In a table; --json has all. */
const mostShown = 50;

const valueText = (value: unknown): string => (value === undefined ? '-' : JSON.stringify(value));

const columns: readonly Column<ReplayDifference>[] = [
  ['TIME', ({ at }) => localTime(Date.parse(at)), 'whole'],
  ['CALL', ({ operation }) => operation, 'whole'],
  ['WHERE', ({ where }) => where],
  ['RECORDED', ({ recorded }) => valueText(recorded)],
  ['REPLAYED', ({ replayed }) => valueText(replayed)],
  ['ID', ({ call }) => call, 'wide'],
];

const operationColumns: readonly Column<ReplayReport['operations'][number]>[] = [
  ['OPERATION', ({ operation }) => operation, 'whole'],
  ['REPLAYED', ({ calls }) => String(calls)],
  ['THE SAME', ({ calls, different }) => String(calls - different)],
  ['DIFFERENT', ({ different }) => String(different)],
  ['LEFT OUT', ({ skipped }) => String(skipped)],
];

const inWords = (options: CommonOptions, report: ReplayReport): string => {
  const { recorded, version, operations, differences, notes, folder } = report;
  const { from, to, calls, versions } = recorded;
  const more = differences.length - mostShown;
  return [
    `${calls} calls from ${localTime(Date.parse(from))} to ${localTime(Date.parse(to))}, recorded by ${versions.join(', ')}, replayed by ${version}.`,
    columnTable(options, operations, operationColumns, ''),
    ...(differences.length === 0
      ? ['Every answer says the same.']
      : ['', columnTable(options, differences.slice(0, mostShown), columns, '')]),
    ...(more > 0 ? [`and ${more} more: --json tells all`] : []),
    ...notes.map((note) => `note: ${note}`),
    ...(folder === undefined ? [] : [`The replay is in ${folder}.`]),
  ].join('\n');
};

/** Exit 1 where an answer differs. */
export const runReplay = (context: CliContext, options: ReplayOptions): Promise<number> =>
  reporting(context, options, async () => {
    const { path, keep } = options;
    const { tell, during } = progressBar(context, options, 'reads the recordings');
    const report = await during(context.replay({ path, keep, progress: tell }));
    warn(context, report.warnings);
    await show(context, options, report, () => inWords(options, report));
    return report.differences.length === 0 ? 0 : 1;
  });
