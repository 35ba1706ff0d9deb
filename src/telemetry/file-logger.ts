import { appendFileSync, closeSync, constants, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../application/ports/policy.ts';
import type { LogFields, Logger } from '../application/ports/telemetry.ts';
import { localTime } from '../domain/time-text.ts';

const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const;
export type LogLevel = (typeof levels)[number];

export interface FileLoggerOptions {
  readonly file: string;
  readonly level: LogLevel;
  /** Bytes after which the file is set aside. */
  readonly maxBytes: number;
  /** Files set aside that are kept. */
  readonly maxFiles: number;
  /** Of the call that is being served. */
  readonly correlationId: () => string;
  readonly clock: Clock;
}

export interface FileLogger extends Logger {
  /** Writes what was logged so far. A log that cannot be written never fails a call. */
  flush(): Promise<void>;
}

const renameIfPresent = (from: string, to: string): void => {
  try {
    renameSync(from, to);
  } catch {
    // There are not so many yet, or another process was first.
  }
};

const rotate = ({ file, maxBytes, maxFiles }: FileLoggerOptions): void => {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxBytes) return;
  for (let n = maxFiles - 1; n >= 1; n--) renameIfPresent(`${file}.${n}`, `${file}.${n + 1}`);
  renameIfPresent(file, `${file}.1`);
};

/** Appends to a plain file or makes one: whoever else may write in the folder could lay a link or a pipe there. */
const appending =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Characters that would begin a line, ring, colour or turn round the text on a terminal. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Text as one line that any terminal may be shown. */
export const asOneLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .replaceAll(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Characters of a text or field. A whole answer or input says no more to who reads a log than its beginning. */
const longestText = 10_000;

const shortened = (value: unknown): unknown =>
  typeof value === 'string' && value.length > longestText
    ? `${value.slice(0, longestText)}… (${value.length} characters)`
    : value;

/** `LOG_INFO` (Host Factory's spelling) or `INFO`; undefined for anything else. */
export const toLogLevel = (text: string | undefined): LogLevel | undefined => {
  const name = text?.trim().toUpperCase().replace(/^LOG_/, '');
  return levels.find((level) => level === name);
};

/** With its parents. Node's own way of making them never ends where a file system takes no folders, as /proc does. */
const makeFolder = (path: string): void => {
  const make = (): void => mkdirSync(path, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    make();
  }
};

/**
 * Lines in the form of IBM's plug-ins, `[date time.ms zone]-[LEVEL]-[code] text {fields}`, gathered in memory and appended in one
 * write. Private to its owner.
 */
export const createFileLogger = (options: FileLoggerOptions): FileLogger => {
  const { file, correlationId, clock } = options;
  const least = levels.indexOf(options.level);
  let lines: string[] = [];
  const write =
    (level: LogLevel) =>
    (code: string, text: string, fields: LogFields = {}): void => {
      if (levels.indexOf(level) < least) return;
      const told = JSON.stringify({ correlationId: correlationId(), ...fields }, (_key, value) => shortened(value));
      const time = localTime(clock(), { fraction: true });
      lines.push(`${asOneLine(`[${time}]-[${level}]-[${code}] ${shortened(text)} ${told}`)}\n`);
    };
  const append = (text: string): void => {
    rotate(options);
    const descriptor = openSync(file, appending, 0o600);
    try {
      appendFileSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  };
  const appendToNew = (text: string): void => {
    makeFolder(dirname(file));
    append(text);
  };
  return {
    debug: write('DEBUG'),
    info: write('INFO'),
    warn: write('WARN'),
    error: write('ERROR'),
    flush: async () => {
      if (lines.length === 0) return;
      const text = lines.join('');
      lines = [];
      for (const write of [append, appendToNew]) {
        try {
          return write(text);
        } catch {
          // A full disk or a missing folder of logs is no reason to lose a launch.
        }
      }
    },
  };
};
