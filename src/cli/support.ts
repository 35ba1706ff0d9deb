import { closeSync, existsSync, openSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { ConfiguredValue } from '../application/queries/get-configuration.ts';
import { isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import { redaction, secretsIn } from '../json/redact.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { diagnosisOf } from './doctor.ts';
import { requestIdOf } from './ids.ts';
import { logFilter, logTail } from './log-files.ts';
import { originOptions, show, withService } from './run.ts';
import { type ArchiveEntry, tarGz } from './tar.ts';
import { duration, fileName } from './usage.ts';

export const supportOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('request', { type: 'string', describe: 'Only about this request or return' })
    .option('since', {
      type: 'string',
      describe: 'Only about this long until now; default 24h',
      coerce: duration('--since'),
    })
    .conflicts('request', 'since')
    .option('aws', { type: 'boolean', default: true, describe: 'Let doctor also ask AWS' })
    .option('recordings', {
      type: 'boolean',
      default: false,
      describe: 'Also include recorded calls (recordCalls), for hf-aws replay',
    })
    .option('out', {
      type: 'string',
      describe: 'File to write; default: hf-aws-support-<time>.tar.gz in the current folder',
      coerce: fileName('--out'),
    })
    .example('hf-aws support --request req-…', 'for a ticket about one request')
    .example('hf-aws support --since 2h --out /tmp/bundle.tar.gz', 'about everything lately');

interface SupportOptions extends CommonOptions {
  readonly request?: string | undefined;
  /** ms */
  readonly since?: number | undefined;
  readonly aws: boolean;
  readonly recordings: boolean;
  readonly out?: string | undefined;
}

const textIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** The text of the credentials file, where one is configured. */
const credentialsIn = (values: readonly ConfiguredValue[]): string => {
  const file = values.find(({ name }) => name === 'AWS_CREDENTIAL_FILE')?.value;
  return typeof file === 'string' ? textIn(file) : '';
};

const mostEvents = 10_000;

interface About {
  readonly requestId?: string | undefined;
  /** ms since the epoch */
  readonly from: number;
}

/** Lines of the log files about it: by the id of the request, or of a call that it has events of; else by their time. */
const logLines = (folder: string, { requestId, from }: About, correlations: readonly string[]): string => {
  const since = requestId === undefined ? from : 0;
  return logTail(folder, since)
    .poll()
    .filter(logFilter({ since, requestId, correlations }))
    .map(({ line }) => line)
    .join('\n');
};

/** Bytes of recordings in a bundle. */
const mostRecorded = 200_000_000;
const hour = 3_600_000;

const reparsed = (line: string, json: (value: unknown) => unknown): string => {
  try {
    return JSON.stringify(json(JSON.parse(line)));
  } catch {
    return '';
  }
};

/** Recorded calls since then, hour by hour, the youngest first where all are too much, and what they went by. */
const recordingsSince = (
  folder: string,
  from: number,
  json: (value: unknown) => unknown,
): { readonly entries: readonly ArchiveEntry[]; readonly warnings: readonly string[] } => {
  const isMeant = (name: string): boolean => {
    const [, begun] = /^(\d{4}-\d\d-\d\dT\d\d)\..*\.jsonl$/.exec(name) ?? [];
    return begun === undefined ? name.startsWith('settings-') : Date.parse(`${begun}:00:00Z`) + hour >= from;
  };
  const names = existsSync(folder) ? readdirSync(folder).filter(isMeant).toSorted().toReversed() : [];
  const entries: ArchiveEntry[] = [];
  let size = 0;
  for (const name of names) {
    const written = textIn(join(folder, name));
    size += written.length;
    if (size > mostRecorded) continue;
    const lines = written.split('\n').map((line) => reparsed(line, json));
    entries.push({ name: `recordings/${name}`, text: lines.filter((line) => line !== '').join('\n') });
  }
  const left = names.length - entries.length;
  return {
    entries,
    warnings: left === 0 ? [] : [`${left} of ${names.length} files of recordings left out: too large`],
  };
};

/** A part that fails is replaced by its error: a bundle is wanted most where something is broken. */
const unlessFault = async (look: () => unknown): Promise<unknown> => {
  try {
    return await look();
  } catch (error) {
    return { error: { code: isPluginError(error) ? error.code : 'internal', message: messageOf(error) } };
  }
};

const contentsOf = async (
  service: ApplicationService,
  context: CliContext,
  options: SupportOptions,
): Promise<{ readonly entries: readonly ArchiveEntry[]; readonly warnings: readonly string[] }> => {
  const origin = originOptions(options);
  const { request, since = 86_400_000, aws } = options;
  const from = Date.now() - since;
  const requestId = request === undefined ? undefined : await requestIdOf(service, options, request);
  const configuration = await service.getConfiguration(origin);
  const { text, json } = redaction(secretsIn(context.env, credentialsIn(configuration.values)));
  const events = await service.listEvents({
    ...(requestId === undefined ? { from: String(from) } : { requestId }),
    limit: mostEvents,
    ...origin,
  });
  const correlations = events.items.flatMap(({ correlationId }) =>
    correlationId === undefined ? [] : [correlationId],
  );
  const folder = configuration.values.find(({ name }) => name === 'logDir')?.value;
  const documents: Readonly<Record<string, () => unknown>> = {
    versions: () => ({
      program: context.version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    }),
    configuration: () => configuration,
    templates: () => service.listTemplates({ limit: mostEvents, ...origin }),
    'templates-validate': () => service.validateTemplate(origin),
    doctor: () => diagnosisOf(service, { ...options, aws }),
    events: () => events,
    ...(requestId === undefined
      ? {}
      : {
          request: () => service.getRequestStatus({ requestId, includeMachines: true, ...origin }),
          explain: () => service.explain({ id: requestId, ...origin }),
        }),
  };
  const entries: ArchiveEntry[] = [];
  for (const [name, look] of Object.entries(documents))
    entries.push({ name: `${name}.json`, text: JSON.stringify(json(await unlessFault(look)), null, 2) });
  const log = await unlessFault(() => logLines(String(folder), { requestId, from }, correlations));
  entries.push({ name: 'log.txt', text: typeof log === 'string' ? text(log) : JSON.stringify(json(log)) });
  const workDir = String(configuration.values.find(({ name }) => name === 'workDir')?.value);
  const recorded = options.recordings ? recordingsSince(join(workDir, 'recordings'), from, json) : undefined;
  const cut = events.next === undefined ? [] : [`only the first ${mostEvents} events`];
  return {
    entries: [...entries, ...(recorded?.entries ?? [])],
    warnings: [...events.warnings, ...cut, ...(recorded?.warnings ?? [])],
  };
};

/** For its owner alone. A file that is there stays; one that the disk does not take whole goes. */
const writeNew = (file: string, bytes: Buffer): void => {
  try {
    const descriptor = openSync(file, 'wx', 0o600);
    try {
      writeFileSync(descriptor, bytes);
    } catch (cause) {
      unlinkSync(file);
      throw cause;
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new PluginError('input.invalid', `cannot write ${file}: ${messageOf(cause)}`, { cause });
  }
};

/** Writes one archive for support: configuration, log, findings; no secrets and no user data. */
export const runSupport = (context: CliContext, options: SupportOptions): Promise<number> =>
  withService(
    context,
    options,
    async (service) => {
      const { entries, warnings } = await contentsOf(service, context, options);
      const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
      const file = resolve(options.out ?? `hf-aws-support-${stamp}.tar.gz`);
      writeNew(file, tarGz(entries, Date.now()));
      const files = entries.map(({ name }) => name);
      await show(context, options, { file, files, warnings }, () =>
        [
          ...warnings.map((warning) => `warning: ${warning}`),
          `Written: ${file}`,
          `It holds ${files.join(', ')}: look through it before you send it. Secrets and user data were taken out.`,
        ].join('\n'),
      );
      return 0;
    },
    { forgives: true },
  );
