import type { LogFields, Logger } from '../../src/application/ports/telemetry.ts';

interface LogLine {
  readonly level: keyof Logger;
  readonly code: string;
  readonly text: string;
  readonly fields: LogFields;
}

export interface RecordingLog extends Logger {
  readonly lines: readonly LogLine[];
  /** The codes of all lines, in order. */
  readonly codes: () => readonly string[];
}

/** A log that keeps its lines in memory. */
export const createRecordingLog = (): RecordingLog => {
  const lines: LogLine[] = [];
  const write =
    (level: keyof Logger) =>
    (code: string, text: string, fields: LogFields = {}): void => {
      lines.push({ level, code, text, fields });
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    lines,
    codes: () => lines.map(({ code }) => code),
  };
};
