import type { CommonOptions, Door } from './door.ts';

/** On a terminal one line that changes, elsewhere a line per change; nothing with --json. */
export const progress = (door: Door, { json }: CommonOptions): ((text: string, isOver: boolean) => void) => {
  if (json === true) return () => undefined;
  let last = '';
  return (text, isOver) => {
    const { isTTY, columns = 80 } = process.stdout;
    if (isTTY) process.stdout.write(`\r\u001b[K${text.slice(0, columns - 1)}${isOver ? '\n' : ''}`);
    else if (text !== last) door.print(text);
    last = text;
  };
};

/** Seconds between two signs of life. */
const [onTerminal, elsewhere] = [1, 15];

/** Tells on standard error that something takes its time, and how long it has. */
export const ticking = async <T>(door: Door, { json }: CommonOptions, what: string, work: Promise<T>): Promise<T> => {
  if (json === true) return work;
  const { isTTY } = process.stderr;
  const began = process.uptime();
  const tell = (): void => {
    const text = `${what} ... ${Math.round(process.uptime() - began)} s`;
    if (isTTY) process.stderr.write(`\r\u001b[K${text}`);
    else door.complain(text);
  };
  const ticks = setInterval(tell, (isTTY ? onTerminal : elsewhere) * 1000);
  try {
    return await work;
  } finally {
    clearInterval(ticks);
    if (isTTY) process.stderr.write('\r\u001b[K');
  }
};
