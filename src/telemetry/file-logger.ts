import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, LogFields, Logger } from '../application/ports.ts';
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

/** `LOG_INFO` (Host Factory's spelling) or `INFO`; undefined for anything else. */
export const toLogLevel = (text: string | undefined): LogLevel | undefined => {
  const name = text?.trim().toUpperCase().replace(/^LOG_/, '');
  return levels.find((level) => level === name);
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
      const plain = text.replaceAll(/\s*\n\s*/g, ' ');
      lines.push(
        `[${localTime(clock(), { fraction: true })}]-[${level}]-[${code}] ${plain} ${JSON.stringify({ correlationId: correlationId(), ...fields })}\n`,
      );
    };
  const append = (text: string): void => {
    rotate(options);
    appendFileSync(file, text, { mode: 0o600 });
  };
  const appendToNew = (text: string): void => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
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
