import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** A line of the log, as file-logger.ts writes it. What is not in that form has neither level nor code, and the time of the line before. */
export interface LogLine {
  /** ms since the epoch */
  readonly at: number;
  readonly level: string;
  readonly code: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** As it is in the file. */
  readonly line: string;
}

const form = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d:\d\d)\]-\[([A-Z]+)\]-\[([^\]]*)\] /;
const fieldsBegin = ' {"correlationId":';

const fieldsOf = (text: string): LogLine['fields'] => {
  try {
    return Object.fromEntries(Object.entries(Object(JSON.parse(text))));
  } catch {
    return {};
  }
};

export const parseLogLine = (line: string, before = 0): LogLine => {
  const [head, day = '', time = '', zone = '', level = '', code = ''] = form.exec(line) ?? [];
  if (head === undefined) return { at: before, level: '', code: '', text: line, fields: {}, line };
  const rest = line.slice(head.length);
  const end = rest.indexOf(fieldsBegin);
  const [text, fields] = end < 0 ? [rest, {}] : [rest.slice(0, end), fieldsOf(rest.slice(end))];
  return { at: Date.parse(`${day}T${time}${zone}`), level, code, text, fields, line };
};

/** A plain file: another user who may write to the folder could put a pipe there. */
const reading = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

interface Place {
  /** Bytes that were read. */
  readonly offset: number;
  /** Time of the last line. */
  readonly at: number;
}

const bytesOf = (descriptor: number, from: number, to: number): Buffer => {
  const bytes = Buffer.alloc(to - from);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, from));
};

/** As long as the time of a line. */
const headBytes = 32;

/** Its inode and how it begins, since the inode of a file that was removed is given to a new one; undefined before its first line. */
const identityOf = (descriptor: number, inode: number): string | undefined => {
  const head = bytesOf(descriptor, 0, headBytes);
  const end = head.indexOf('\n');
  if (end < 0 && head.length < headBytes) return undefined;
  return `${inode} ${head.subarray(0, end < 0 ? headBytes : end).toString('latin1')}`;
};

/** What a file has after its place, in whole lines. */
const readOn = (descriptor: number, size: number, { offset, at }: Place): [lines: LogLine[], place: Place] => {
  const bytes = bytesOf(descriptor, offset, size);
  const end = bytes.lastIndexOf('\n') + 1;
  const lines: LogLine[] = [];
  let last = at;
  for (const text of bytes.subarray(0, end).toString('utf8').split('\n')) {
    if (text === '') continue;
    const line = parseLogLine(text, last);
    last = line.at;
    lines.push(line);
  }
  return [lines, { offset: offset + end, at: last }];
};

/** What `act` makes of a file; undefined where it is not there any more: another process has just set it aside. */
const withFile = <A>(path: string, act: (descriptor: number) => A): A | undefined => {
  let descriptor: number;
  try {
    descriptor = openSync(path, reading);
  } catch {
    return undefined;
  }
  try {
    return act(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

/** Those of all hosts, and those set aside, oldest first. */
const logFiles = (folder: string): readonly string[] => {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.log(\.\d+)?$/.test(name))
    .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
};

export interface LogTail {
  /** The lines of the log that no earlier call has returned, by time. */
  poll(): readonly LogLine[];
}

/**
 * Reads the log files of a folder on and on; one that is set aside is read to its end, and not again. `since`: files that were last
 * written before are left out, ms since the epoch. A folder that is not there yet has no lines.
 */
export const logTail = (folder: string, since = 0): LogTail => {
  const places = new Map<string, Place>();
  const pollFile = (descriptor: number): readonly LogLine[] => {
    const { ino, size, mtimeMs } = fstatSync(descriptor);
    const identity = identityOf(descriptor, ino);
    if (identity === undefined || mtimeMs < since) return [];
    const known = places.get(identity);
    const place = known === undefined || known.offset > size ? { offset: 0, at: 0 } : known;
    const [lines, next] = readOn(descriptor, size, place);
    places.set(identity, next);
    return lines;
  };
  return {
    poll: () =>
      logFiles(folder)
        .flatMap((name) => withFile(join(folder, name), pollFile) ?? [])
        .sort((a, b) => a.at - b.at),
  };
};

/** From the least to the gravest. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export interface LogFilter {
  /** ms since the epoch */
  readonly since: number;
  readonly level?: (typeof logLevels)[number] | undefined;
  /** A code, or the first words of several: `aws` for `aws.fault`. */
  readonly code?: string | undefined;
  readonly requestId?: string | undefined;
  /** Of the calls that the request has events of. */
  readonly correlations?: readonly string[];
}

/** Whether a line is asked for. Learns from each line about the request the call that wrote it, whose other lines are then meant too. */
export const logFilter = ({ since, level, code, requestId, correlations = [] }: LogFilter) => {
  const known = new Set(correlations);
  const levels: readonly string[] = logLevels;
  const graveness = (name: string): number => levels.indexOf(name.toLowerCase());
  const isOfRequest = ({ line, fields }: LogLine): boolean => {
    if (requestId === undefined) return true;
    const { correlationId } = fields;
    if (line.includes(requestId) && typeof correlationId === 'string') known.add(correlationId);
    return line.includes(requestId) || (typeof correlationId === 'string' && known.has(correlationId));
  };
  const least = level === undefined ? Number.NEGATIVE_INFINITY : graveness(level);
  return (line: LogLine): boolean =>
    line.at >= since &&
    (line.level === 'FATAL' || graveness(line.level) >= least) &&
    (code === undefined || line.code === code || line.code.startsWith(`${code}.`)) &&
    isOfRequest(line);
};
