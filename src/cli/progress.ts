import type { Progress } from '../application/ports/telemetry.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { isForPeople } from './formats.ts';

const width = 20;

/** `[#####...............]` for a quarter; a share above 1 fills it. */
export const bar = (share: number): string => {
  const filled = Math.min(width, Math.round(share * width));
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
};

/** On a terminal one line that changes, elsewhere a line per change; nothing where no people read. */
export const progress = (context: CliContext, options: CommonOptions): ((text: string, isOver: boolean) => void) => {
  if (!isForPeople(options)) return () => undefined;
  let last = '';
  const began = process.uptime();
  return (text, isOver) => {
    const { isTTY, columns = 80 } = process.stdout;
    const line = `${text}, ${Math.round(process.uptime() - began)} s`;
    if (isTTY) process.stdout.write(`\r\u001b[K${line.slice(0, columns - 1)}${isOver ? '\n' : ''}`);
    else if (text !== last) context.print(text);
    last = text;
  };
};

/** Milliseconds between two signs of life. */
const [onTerminal, elsewhere] = [250, 15_000];

export interface ProgressBar {
  /** For the application to tell of its steps. */
  readonly tell: Progress;
  /** Shows them as long as the work lasts. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** Shows on standard error how far long work has come, and how long it has taken; nothing where no people read. */
export const progressBar = (
  context: Pick<CliContext, 'complain'>,
  options: CommonOptions,
  what: string,
): ProgressBar => {
  const began = process.uptime();
  let step = { text: what, share: 0 };
  const show = (): void => {
    const { isTTY, columns = 80 } = process.stderr;
    const text = `${bar(step.share)} ${step.text}, ${Math.round(process.uptime() - began)} s`;
    if (isTTY) process.stderr.write(`\r\u001b[K${text.slice(0, columns - 1)}`);
    else context.complain(text);
  };
  return {
    tell: (name, done, total) => {
      step = { text: `${name} ${done} of ${total}`, share: done / Math.max(1, total) };
    },
    during: async (work) => {
      if (!isForPeople(options)) return work;
      const { isTTY } = process.stderr;
      const ticks = setInterval(show, isTTY ? onTerminal : elsewhere);
      try {
        return await work;
      } finally {
        clearInterval(ticks);
        if (isTTY) process.stderr.write('\r\u001b[K');
      }
    },
  };
};
