import { constants } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { Argv } from 'yargs';
import { operations } from '../application/operations.ts';
import type { GetRequestStatusAnswer } from '../application/queries/get-request-status.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { recordsOf } from './formats.ts';
import { requestIdOf } from './ids.ts';
import { bar, progress } from './progress.ts';
import { originOptions, show, warn, withService } from './run.ts';
import { seconds } from './usage.ts';

export interface WatchOptions extends CommonOptions {
  /** Seconds between two looks. */
  readonly interval: number;
}

export const watchOptions = <T>(yargs: Argv<T>) =>
  yargs.option('interval', { ...seconds('--interval'), default: 5, describe: 'Seconds between calls to AWS' });

const statesOf = ({ machines = [] }: GetRequestStatusAnswer): string => {
  const states = [...new Set(machines.map(({ status }) => status))].sort();
  return states.map((each) => `${machines.filter(({ status }) => status === each).length} ${each}`).join(', ');
};

const progressText = (view: GetRequestStatusAnswer): string => {
  const { wanted, counts } = view;
  const states = statesOf(view);
  const done = `${bar(counts.succeed / Math.max(1, wanted))} ${counts.succeed}/${wanted}`;
  return `${done}  ${view.status}${states === '' ? '' : `: ${states}`}`;
};

/** One look; each has a time budget of its own, as Host Factory's calls have. */
const look = async (context: CliContext, options: CommonOptions, written: string) => {
  let view: GetRequestStatusAnswer | undefined;
  const code = await withService(context, options, async (service, may) => {
    const requestId = await requestIdOf(service, options, written);
    if (may.write) {
      const { unverified } = await service.syncRequests({
        requestIds: [requestId],
        claims: true,
        ...originOptions(options),
      });
      warn(context, Object.values(unverified));
    }
    view = await service.getRequestStatus({ requestId, includeMachines: true, ...originOptions(options) });
    return 0;
  });
  return { code, view };
};

/** Follows a request until it is over, and prints the end. Exit 0 when it ended complete. */
export const watchRequest = async (context: CliContext, options: WatchOptions, written: string): Promise<number> => {
  const tell = progress(context, options);
  let requestId = written;
  const leave = (): void => {
    if (process.stdout.isTTY) process.stdout.write('\n');
    context.complain(
      `${requestId} goes on. hf-aws requests watch ${requestId} follows it again, hf-aws requests cancel ${requestId} ends it.`,
    );
    process.exit(128 + constants.signals.SIGINT);
  };
  process.once('SIGINT', leave);
  try {
    for (;;) {
      const { code, view } = await look(context, options, requestId);
      if (view === undefined) return code;
      requestId = view.requestId;
      const isOver = view.status !== 'running';
      tell(progressText(view), isOver);
      if (isOver) {
        const records = recordsOf(operations.GetRequestStatus.answer, [view], (each) => each.requestId);
        await show(context, options, view, ({ message }) => message, records);
        return view.status === 'complete' ? 0 : 1;
      }
      await wait(options.interval * 1000);
    }
  } finally {
    process.off('SIGINT', leave);
  }
};
