import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsExchange, CallRecorder, CallRecording } from '../application/ports/recording.ts';
import { messageOf } from '../domain/errors.ts';
import { redaction } from '../json/redact.ts';
import { type Limits, removeOld } from './limits.ts';
import {
  type RecordedCall,
  type RecordedRest,
  type RecordedSettings,
  recordingFile,
  settingsFile,
} from './record-form.ts';

export interface RecorderOptions extends Limits {
  /** Made, for this user alone, when the first call is written down. */
  readonly folder: string;
  readonly host: string;
  readonly version: string;
  /** The same object as long as nothing has changed. */
  readonly settings: () => Promise<RecordedSettings>;
  /** What must stand nowhere, whatever it is called. */
  readonly secrets: () => readonly string[];
  /** Told why a call could not be recorded. */
  readonly failed: (why: string) => void;
  readonly now?: () => number;
}

const megabyte = 1_048_576;

/** An account of AWS as it stands in ARNs, URLs and owners; not the end of a UUID. */
const account = /(?<![\w-])\d{12}(?![\w-])/g;

const withoutAccounts = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll(account, '000000000000');
  if (Array.isArray(value)) return value.map(withoutAccounts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutAccounts(each)]));
};

/** As JSON has it: dates become texts before anything is looked for in them. */
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** Takes secrets, user data and account numbers out of what is to be written down. */
export const forRecording = (secrets: readonly string[]) => {
  const { json } = redaction(secrets);
  return (value: unknown): unknown => withoutAccounts(json(plain(value)));
};

/**
 * Appends each call as one line of JSON. A line begins and ends with a line feed: a writer that is killed spoils its own line at most.
 * Nothing that fails here reaches the call.
 */
export const createCallRecorder = (options: RecorderOptions): CallRecorder => {
  const { folder, host, version, settings, secrets, failed, now = Date.now } = options;
  const digests = new WeakMap<RecordedSettings, { readonly digest: string; readonly text: string }>();

  const told = (found: RecordedSettings) => {
    const known = digests.get(found);
    if (known !== undefined) return known;
    const text = JSON.stringify(forRecording(secrets())(found));
    const fresh = { digest: createHash('sha256').update(text).digest('hex').slice(0, 16), text };
    digests.set(found, fresh);
    return fresh;
  };
  /** Dated anew, so that they are kept as long as what names them. */
  const keepSettings = ({ digest, text }: ReturnType<typeof told>): void => {
    const file = join(folder, settingsFile(digest));
    const seconds = now() / 1000;
    try {
      utimesSync(file, seconds, seconds);
    } catch {
      const aside = `${file}.${process.pid}.tmp`;
      writeFileSync(aside, text, { mode: 0o600 });
      renameSync(aside, file);
    }
  };
  const append = (line: unknown): void => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const bytes = Buffer.from(`\n${JSON.stringify(line)}\n`);
    const descriptor = openSync(join(folder, recordingFile(now(), host)), 'a', 0o600);
    try {
      const { size } = fstatSync(descriptor);
      if (writeSync(descriptor, bytes) < bytes.length) failed('the disk took only a part of it');
      if (size === 0 || Math.floor(size / megabyte) !== Math.floor((size + bytes.length) / megabyte))
        removeOld(folder, host, options, now());
    } finally {
      closeSync(descriptor);
    }
  };

  const begin = (operation: string, way: 'process' | 'server'): CallRecording => {
    const call = randomUUID();
    // A process of its own has taken time before it came here.
    const at = Math.round(now() - (way === 'process' ? process.uptime() * 1000 : 0));
    let aws: AwsExchange[] = [];
    const taken = (): readonly AwsExchange[] => {
      const before = aws;
      aws = [];
      return before;
    };
    const unlessFault = async (work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failed(messageOf(error));
      }
    };
    const write = (line: RecordedCall | RecordedRest): void => append(forRecording(secrets())(line));
    return {
      exchange: (exchange) => {
        aws.push(exchange);
      },
      end: ({ ok, input, answer }) =>
        unlessFault(async () => {
          const ms = now() - at;
          const known = told(await settings());
          const about = { call, at: new Date(at).toISOString(), ms, host, version, way, operation };
          const went = { input, status: ok ? (0 as const) : (1 as const), answer, aws: taken() };
          write({ ...about, settings: known.digest, ...went });
          keepSettings(known);
        }),
      after: () =>
        unlessFault(async () => {
          if (aws.length > 0) write({ after: call, aws: taken() });
        }),
    };
  };
  return { begin };
};
