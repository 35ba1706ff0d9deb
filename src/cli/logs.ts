import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import { localTime } from '../domain/time-text.ts';
import { type Colour, isColoured, painted } from './colour.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { isForPeople } from './formats.ts';
import { requestIdOf } from './ids.ts';
import { type LogLine, logFilter, logLevels, logTail } from './log-files.ts';
import { originOptions, UsageError, withService } from './run.ts';
import { fold } from './table.ts';
import { beginning, followOptions, whole } from './usage.ts';

export const logOptions = (yargs: Argv<CommonOptions>) =>
  followOptions(yargs)
    .option('request', {
      type: 'string',
      describe: 'Only lines about this request, and of the calls that worked on it',
    })
    .option('level', { choices: logLevels, describe: 'Only lines of this level or above' })
    .option('code', { type: 'string', describe: 'Only lines with this code, e.g. aws.fault, or aws for all of aws' })
    .option('since', {
      type: 'string',
      describe: 'Only lines since then, e.g. 2h or 2026-11-28T10:00Z; default 24h',
      coerce: beginning('--since'),
    })
    .option('limit', { ...whole('--limit', 1, 1_000_000), default: 100, describe: 'Most lines; the latest are shown' })
    .example('hf-aws logs --level warn --since 2h', 'what went wrong lately')
    .example('hf-aws logs --follow --request req-…', 'what is done about one request')
    .example('hf-aws logs -o json | jq .code', 'a JSON object for each line');

interface LogOptions extends CommonOptions {
  readonly request?: string | undefined;
  readonly level?: (typeof logLevels)[number] | undefined;
  readonly code?: string | undefined;
  /** ms since the epoch */
  readonly since?: number | undefined;
  readonly limit: number;
  readonly follow: boolean;
  readonly interval: number;
}

const day = 86_400_000;

const colours: Readonly<Record<string, Colour>> = { WARN: 'yellow', ERROR: 'red', FATAL: 'red', DEBUG: 'dim' };

const timeColumns = 19;
/** `req-` and the eight digits that tables show. */
const shortId = 12;

const lineText = ({ output }: CommonOptions, { at, level, code, text, fields, line }: LogLine): string => {
  if (output === 'json') return JSON.stringify({ at: new Date(at).toISOString(), level, code, text, ...fields });
  if (output === 'wide' || level === '') return line;
  const { requestId } = fields;
  const about = typeof requestId === 'string' ? ` (${requestId.slice(0, shortId)})` : '';
  const told = `${localTime(at).slice(0, timeColumns)} ${level.padEnd(5)} ${code}: ${text}${about}`;
  const place = timeColumns + 1;
  const folded = fold(told, place + 6);
  const paint = isColoured() ? painted(folded.slice(place, place + 5), colours[level]) : folded.slice(place, place + 5);
  return folded.slice(0, place) + paint + folded.slice(place + 5);
};

/** Where the log files are. */
const folderOf = async (service: ApplicationService, options: CommonOptions): Promise<string> => {
  const { values } = await service.getConfiguration(originOptions(options));
  return String(values.find(({ name }) => name === 'logDir')?.value);
};

/** Ids of the calls that the events of a request are of. */
const callsOf = async (service: ApplicationService, requestId: string): Promise<readonly string[]> => {
  const { items } = await service.listEvents({ requestId, limit: 10_000 });
  return items.flatMap(({ correlationId }) => (correlationId === undefined ? [] : [correlationId]));
};

const tailOf = (folder: string, since: number) => {
  const { poll } = logTail(folder, since);
  return (): readonly LogLine[] => {
    try {
      return poll();
    } catch (error) {
      throw new PluginError('input.invalid', `the log folder cannot be read: ${messageOf(error)}`);
    }
  };
};

/** Prints log lines of all hosts by their time; with --follow until somebody ends it. */
export const runLogs = async (context: CliContext, options: LogOptions): Promise<number> => {
  if (options.output === 'yaml')
    throw new UsageError('logs has no form yaml: -o json gives a JSON object for each line');
  return withService(
    context,
    options,
    async (service) => {
      const { request, level, code, limit, follow, interval, since = Date.now() - day } = options;
      const requestId = request === undefined ? undefined : await requestIdOf(service, options, request);
      const correlations = requestId === undefined ? [] : await callsOf(service, requestId);
      const isMeant = logFilter({ since, level, code, requestId, correlations });
      const poll = tailOf(await folderOf(service, options), since);
      const tell = (lines: readonly LogLine[]): void => {
        for (const line of lines) context.print(lineText(options, line));
      };
      const lines = poll().filter(isMeant).slice(-limit);
      tell(lines);
      if (lines.length === 0 && !follow && isForPeople(options)) context.print('No line found.');
      while (follow) {
        await context.pause(interval * 1000);
        tell(poll().filter(isMeant));
      }
      return 0;
    },
    { forgives: true },
  );
};
