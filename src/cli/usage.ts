import { closeSync, openSync } from 'node:fs';
import type { Argv } from 'yargs';
import { camel } from '../application/read-model/listing.ts';
import { messageOf } from '../domain/errors.ts';
import { UsageError } from './run.ts';

const numberIn = (name: string, rule: string, isRight: (value: number) => boolean) => (given: unknown) => {
  if (typeof given === 'number' && isRight(given)) return given;
  throw new UsageError(`${name} must be ${rule}`);
};

/** A whole number, as an option or argument of yargs. */
export const whole = (name: string, least: number, most: number) =>
  ({
    type: 'number',
    coerce: numberIn(
      name,
      `a whole number from ${least} to ${most}`,
      (value) => Number.isInteger(value) && value >= least && value <= most,
    ),
  }) as const;

/** Seconds, also parts of one. */
export const seconds = (name: string) =>
  ({
    type: 'number',
    coerce: numberIn(name, 'a number of seconds above 0', (value) => value > 0 && value <= 86_400),
  }) as const;

/** Of a file to write. */
export const fileName =
  (name: string) =>
  (given: unknown): string | undefined => {
    if (given === undefined || (typeof given === 'string' && given !== '')) return given;
    throw new UsageError(`${name} must name one file`);
  };

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id by which a command can be repeated. */
export const commandIdOption = (answer: string) =>
  ({
    type: 'string',
    describe: `UUID; repeating it gives the same ${answer}`,
    coerce: (given: unknown): string => {
      if (typeof given === 'string' && uuidForm.test(given)) return given;
      throw new UsageError('--command-id must be a UUID in lower case, e.g. of uuidgen | tr A-Z a-z');
    },
  }) as const;

const nameCommand = 'Name a command';

/** For yargs' `demandCommand`: told, above the help of the noun, where a noun stands alone. */
export const verbMissing = (noun: string, ...verbs: readonly string[]): string => {
  const [last = '', ...others] = verbs.toReversed();
  return `${nameCommand} for ${noun}: ${others.length === 0 ? last : `${others.toReversed().join(', ')} or ${last}`}`;
};

/** The same where not even a noun is named. */
export const nounMissing = `${nameCommand}, e.g. hf-aws requests list`;

export const isCommandMissing = (message: string): boolean => message.startsWith(nameCommand);

/** `created_at` is `createdAt`. */
export const snake = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The field a list is sorted by. */
export const sortField =
  (fields: readonly string[]) =>
  (given: unknown): string => {
    if (typeof given === 'string' && fields.includes(camel(given))) return given;
    throw new UsageError(`--sort-by must be one of ${fields.map(snake).join(', ')}`);
  };

/** `field=value` options as an object. `fields`: those there are, where not any is good. */
export const pairs =
  (name: string, fields?: readonly string[]) =>
  (given: unknown): Record<string, string> => {
    const texts = [given].flat().map(String);
    return Object.fromEntries(
      texts.map((text) => {
        const split = text.indexOf('=');
        if (split < 1) throw new UsageError(`${name} must have the form field=value, not "${text}"`);
        const field = text.slice(0, split);
        if (fields !== undefined && !fields.includes(field))
          throw new UsageError(`${name} knows no field "${field}"; there are ${fields.join(', ')}`);
        return [field, text.slice(split + 1)];
      }),
    );
  };

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `200ms`, `5s` or `5`, `3m`, `1h`, `2d` in milliseconds. */
export const duration =
  (name: string, most = Number.MAX_SAFE_INTEGER) =>
  (given: unknown): number => {
    const [, count = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(String(given)) ?? [];
    const ms = count === '' ? Number.NaN : Number(count) * (units[unit] ?? Number.NaN);
    if (ms <= most) return ms;
    const limit = most === Number.MAX_SAFE_INTEGER ? '' : `, at most ${most / 1000}s`;
    throw new UsageError(`${name} must be a length of time such as 200ms, 5s, 3m, 1h or 2d${limit}`);
  };

/** One of these words; where there are too many for the help. */
export const oneOf =
  (name: string, words: readonly string[]) =>
  (given: unknown): string => {
    if (typeof given === 'string' && words.includes(given)) return given;
    throw new UsageError(`${name} must be one of ${words.join(', ')}`);
  };

const positionForm = /^\d{1,15}(-re[qt]-[0-9a-f-]{36}-\d{1,9})?$/;
/** Whole dates and times of ISO 8601; without a zone, local ones. */
const isoForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** A place among all events: a position that was shown, a time in ms, or a time of ISO 8601. */
export const eventPlace = (given: unknown): string => {
  const text = String(given);
  if (positionForm.test(text)) return text;
  // A date alone would be taken for UTC.
  const at = isoForm.test(text) ? Date.parse(text.includes('T') ? text : `${text}T00:00`) : Number.NaN;
  if (Number.isFinite(at)) return String(Math.max(0, at));
  throw new UsageError(
    '--from must be a position that events list --wide shows, a time such as 2026-11-28T09:30 or 2026-11-28T00:30:00Z, or milliseconds since 1970',
  );
};

/** A time, in ms since the epoch: so long ago, or a time of ISO 8601. */
export const beginning =
  (name: string) =>
  (given: unknown): number => {
    const text = String(given);
    if (isoForm.test(text)) return Number(eventPlace(text));
    try {
      return Math.max(0, Date.now() - duration(name)(text));
    } catch {
      throw new UsageError(
        `${name} must be a length of time such as 30m, 2h or 7d, or a time such as 2026-11-28T10:00Z`,
      );
    }
  };

/** The options of what can be followed. */
export const followOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'Go on with new ones until Ctrl-C' })
    .option('interval', { ...seconds('--interval'), default: 1, describe: 'Seconds between two looks of --follow' });

export const providerName = (given: unknown): string => {
  if (typeof given === 'string' && given.trim() !== '') return given;
  throw new UsageError('--provider must be one name; hf-aws providers list shows them');
};

/** The file that takes the spans of a call. Made here, so that one that cannot be is told before anything is done. */
export const traceFile = (given: unknown): string => {
  const file = String(given);
  try {
    closeSync(openSync(file, 'a', 0o600));
    return file;
  } catch (error) {
    throw new UsageError(`--trace-file cannot be written to: ${messageOf(error)}`);
  }
};
