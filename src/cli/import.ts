import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Argv } from 'yargs';
import type { ForeignField, ImportReport } from '../application/ports/setup.ts';
import { messageOf } from '../domain/errors.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { originOptions, reporting, show } from './run.ts';
import { fold } from './table.ts';

export const importOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .positional('path', { type: 'string', demandOption: true, describe: 'Folder with the files, or one of them' })
    .option('write', { type: 'string', describe: 'Folder for our configuration and templates' })
    .option('instance', {
      type: 'string',
      describe: 'Name of the provider; if there are several, the one to import',
    })
    .option('force', { type: 'boolean', default: false, describe: 'Replace existing files; a copy of each is kept' })
    .option('all', {
      type: 'boolean',
      default: false,
      describe: 'Show every field, not only those that need a decision',
    })
    .example('hf-aws import $HF_TOP/conf/providers/awsinst', 'before you move over; changes nothing')
    .example('hf-aws import ~/orb/config --write conf', 'Open Resource Broker: its files in our words');

type Told = Omit<ForeignField, 'use'> & { readonly use?: ForeignField['use'] };

const tableOf = (fields: readonly Told[]): readonly string[] => {
  const width = Math.max(...fields.map(({ field }) => field.length));
  return fields.map(({ field, use, why }) => {
    const start = `  ${field.padEnd(width)}  ${use === undefined ? '' : `${use.padEnd(7)}  `}`;
    return fold(`${start}${why}`, start.length, process.stdout.columns || 80);
  });
};

/** One table per file and template. */
const textOf = (fields: readonly Told[]): readonly string[] => {
  const titles = fields.map(({ file, templateId }) => (templateId === undefined ? file : `template ${templateId}`));
  return [...new Set(titles)].flatMap((title) => [
    title,
    ...tableOf(fields.filter((_, index) => titles[index] === title)),
    '',
  ]);
};

/** Judges templates as the scripts would, with the configuration in the same folder. */
const judge = async (
  context: CliContext,
  options: CommonOptions,
  folder: string,
  { instance, templatesFile }: ImportReport,
) => {
  const faults: string[] = [];
  // Nothing comes to be there: the log of this look is not written.
  const work = join(folder, 'work');
  const env = {
    ...context.env,
    HF_PROVIDER_NAME: instance,
    HF_PROVIDER_CONFDIR: folder,
    HF_PROVIDER_WORKDIR: work,
    HF_PROVIDER_LOGDIR: work,
  };
  const configured = await context.compose({ env }).catch((error: unknown) => void faults.push(messageOf(error)));
  const { service } = configured ?? (await context.compose({ env, forgives: true }));
  const file = templatesFile === undefined ? {} : { file: templatesFile };
  const { errors } = await service.validateTemplate({ ...file, ...originOptions(options) });
  return { faults, errors };
};

interface ImportOptions extends CommonOptions {
  readonly path: string;
  readonly write?: string | undefined;
  readonly instance?: string | undefined;
  readonly force: boolean;
  readonly all: boolean;
}

/** The report, and the folder whose files are judged: those written, else IBM's own, which are read as they are. */
const take = async (context: CliContext, { path, instance, force, write }: ImportOptions, scratch: string) => {
  if (write !== undefined) {
    const { templatesFile: _foreign, ...report } = await context.importTree({ path, instance, force, write });
    return { report, folder: write };
  }
  const tried = await context.importTree({ path, instance, force: true, write: scratch });
  const report: ImportReport = { ...tried, written: [], backups: [] };
  return { report, folder: report.templatesFile === undefined ? scratch : dirname(report.templatesFile) };
};

/**
 * Takes another plug-in's files over, or reports what would become of them. Exit 1 where a file cannot be used or a template would be
 * left out.
 */
export const runImport = (context: CliContext, options: ImportOptions): Promise<number> =>
  reporting(context, options, async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'hf-aws-import-'));
    try {
      const { report, folder } = await take(context, options, scratch);
      const { source, instance, decisions, fields, written, backups } = report;
      const judged = await judge(context, options, folder, report);
      const faults = report.faults.length > 0 ? report.faults : judged.faults;
      const leftOut = [...new Set(judged.errors.map(({ templateId }) => templateId))];
      const told = options.all ? { fields } : {};
      const answer = { source, instance, decisions, ...told, faults, leftOut, errors: judged.errors, written, backups };
      await show(context, options, answer, ({ errors }) =>
        [
          `${source}, provider ${instance}`,
          '',
          ...textOf(options.all ? fields : decisions),
          ...faults.map((fault) => `error: ${fault}`),
          ...errors.map(({ templateId, field, rule }) => fold(`error: ${templateId}: ${field} ${rule}`, 4)),
          leftOut.length === 0 ? 'No template would be left out.' : `Left out: ${leftOut.join(', ')}`,
          ...written.map((file) => `Written: ${file}`),
          ...backups.map((file) => `Kept: ${file}`),
        ].join('\n'),
      );
      return faults.length + leftOut.length > 0 ? 1 : 0;
    } finally {
      await rm(scratch, { recursive: true });
    }
  });
