import type { Notice, Notifier, SentNotice } from '../application/ports/notices.ts';
import { localTime } from '../domain/time-text.ts';
import { command, noun } from './command.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { reporting, show } from './run.ts';
import { fold } from './table.ts';

const lineOf = ({ status, condition, subject, summary, since, channel }: Notice, fault?: string): string => {
  const about = subject === '' ? condition : `${condition} ${subject}`;
  const first =
    status === 'test' ? `test by ${channel}` : `${status} by ${channel}: ${about}, since ${localTime(since)}`;
  return [first, summary, ...(fault === undefined ? [] : [`NOT SENT: ${fault}`])]
    .map((line, index) => fold(index === 0 ? line : `  ${line}`, 2))
    .join('\n');
};

const withNotifier = (
  context: CliContext,
  options: CommonOptions,
  act: (notifier: Notifier) => Promise<number>,
): Promise<number> =>
  reporting(context, options, async () => {
    const { notifier, log } = await context.notifier({ provider: options.provider });
    return act(notifier).finally(() => log.flush());
  });

/** Exit 1 where something did not get through. */
const report = async (
  context: CliContext,
  options: CommonOptions,
  told: readonly SentNotice[],
  nothing: string,
): Promise<number> => {
  await show(context, options, { notices: told }, () =>
    told.length === 0 ? nothing : told.map((each) => lineOf(each, each.fault)).join('\n'),
  );
  return told.some(({ fault }) => fault !== undefined) ? 1 : 0;
};

/** Tells people that something is wrong, as the parameter `notify` says. */
export const notify = noun('notify', 'Tell people that something is wrong', [
  command(
    'check',
    'Look once, and tell what is due: for cron, where no server runs',
    (yargs) =>
      yargs
        .option('dry-run', { type: 'boolean', default: false, describe: 'Only show what would be told' })
        .example('hf-aws notify check', 'each minute, or every five')
        .example('hf-aws notify check --dry-run', 'what is wrong now and was not told yet'),
    (context, options) =>
      withNotifier(context, options, async (notifier) => {
        const told = options.dryRun ? await notifier.preview() : await notifier.check();
        const nothing = told === undefined ? 'Another process is about it.' : 'Nothing is due.';
        return report(context, options, told ?? [], nothing);
      }),
  ),
  command(
    'test',
    'Send a message that says it is a test',
    (yargs) => yargs.example('hf-aws notify test', 'after notify was configured'),
    (context, options) =>
      withNotifier(context, options, async (notifier) => report(context, options, await notifier.test(), 'Nobody.')),
  ),
]);
