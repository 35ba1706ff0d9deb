import { constants } from 'node:os';
import type { Size } from './frame.ts';

const esc = '\u001b';
/** The alternate screen, without cursor and without going on in the next line; and back. */
const enter = `${esc}[?1049h${esc}[?25l${esc}[?7l`;
const leave = `${esc}[?7h${esc}[?25h${esc}[?1049l`;

/** A terminal, as the process has it. */
export interface Terminal {
  readonly stdin: {
    setRawMode?(isRaw: boolean): unknown;
    setEncoding(encoding: 'utf8'): unknown;
    on(event: 'data', listener: (text: string) => void): unknown;
    on(event: 'end', listener: () => void): unknown;
    pause(): unknown;
    removeAllListeners(event: string): unknown;
  };
  readonly stdout: {
    readonly columns?: number;
    readonly rows?: number;
    write(text: string): unknown;
    on(event: 'resize', listener: () => void): unknown;
    off(event: 'resize', listener: () => void): unknown;
  };
}

export interface Screen {
  size(): Size;
  draw(lines: readonly string[]): void;
  /** Puts the terminal back as it was. */
  close(): void;
}

interface Listeners {
  keys(sent: string): void;
  resized(): void;
  /** The terminal went away, or somebody ends the process: the exit status. */
  ended(status: number): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Takes the terminal over until it is closed, the process gets a signal, or ends however it does. */
export const openScreen = ({ stdin, stdout }: Terminal, listeners: Listeners): Screen => {
  const size = (): Size => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
  let isOpen = true;
  const restore = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdin.setRawMode?.(false);
    stdout.write(leave);
  };
  const ends = signals.map((signal) => [signal, () => listeners.ended(128 + constants.signals[signal])] as const);
  for (const [signal, end] of ends) process.on(signal, end);
  // Also of a fault that nobody has caught: its message is then on the screen that stays.
  process.on('exit', restore);
  stdout.on('resize', listeners.resized);
  stdin.setRawMode?.(true);
  stdin.setEncoding('utf8');
  stdin.on('data', listeners.keys);
  stdin.on('end', () => listeners.ended(128 + constants.signals.SIGHUP));
  stdout.write(enter);
  return {
    size,
    draw: (lines) => {
      if (isOpen) stdout.write(`${esc}[H${lines.map((line) => `${line}${esc}[K`).join('\r\n')}${esc}[J`);
    },
    close: () => {
      restore();
      process.off('exit', restore);
      for (const [signal, end] of ends) process.off(signal, end);
      stdout.off('resize', listeners.resized);
      for (const event of ['data', 'end']) stdin.removeAllListeners(event);
      stdin.pause();
    },
  };
};
