import { basename, join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { ForeignField } from '../application/ports/setup.ts';
import { messageOf } from '../domain/errors.ts';
import { type CommonOptions, type Door, fold, originOptions, reporting, show } from './door.ts';

export const importOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .positional('directory', { type: 'string', demandOption: true, describe: "An instance's folder, with its files" })
    .example('hf-aws import-ibm $HF_TOP/conf/providers/awsinst', 'before you move over; changes nothing');

const tableOf = (fields: readonly ForeignField[]): readonly string[] => {
  const width = Math.max(...fields.map(({ field }) => field.length));
  return fields.map(({ field, use, why }) =>
    fold(`  ${field.padEnd(width)}  ${use.padEnd(7)}  ${why}`, width + 13, process.stdout.columns || 80),
  );
};

/** One table per file and template. */
const textOf = (fields: readonly ForeignField[]): readonly string[] => {
  const titles = fields.map(({ file, templateId }) => (templateId === undefined ? file : `template ${templateId}`));
  return [...new Set(titles)].flatMap((title) => [
    title,
    ...tableOf(fields.filter((_, index) => titles[index] === title)),
    '',
  ]);
};

/** Tells how another plug-in's provider folder will be read. Exit 1 where a file cannot be used or a template would be left out. */
export const runImport = (door: Door, options: CommonOptions & { readonly directory: string }): Promise<number> =>
  reporting(door, options, async () => {
    const directory = resolve(options.directory);
    const report = await door.foreignReport(directory);
    const { instance, fields, templatesFile } = report;
    const faults = [...report.faults];
    // Nothing comes to be there: the log of this look is not written.
    const work = join(directory, 'work');
    const env = {
      ...door.env,
      HF_PROVIDER_NAME: instance,
      HF_PROVIDER_CONFDIR: directory,
      HF_PROVIDER_WORKDIR: work,
      HF_PROVIDER_LOGDIR: work,
    };
    const configured = await door.compose({ env }).catch((error: unknown) => {
      if (faults.length === 0) faults.push(messageOf(error));
    });
    const { service } = configured ?? (await door.compose({ env, forgives: true }));
    const checked =
      templatesFile === undefined
        ? undefined
        : await service.validateTemplate({ file: templatesFile, ...originOptions(options) });
    const errors = checked?.errors ?? [];
    const leftOut = [...new Set(errors.map(({ templateId }) => templateId))];
    const answer = { instance, fields, faults, leftOut, errors };
    show(door, options, answer, () =>
      [
        ...textOf(fields),
        ...faults.map((fault) => `error: ${fault}`),
        ...errors.map(
          ({ templateId, field, rule, line, column }) =>
            `${basename(templatesFile ?? '')}:${line}:${column}: ${templateId}: ${field} ${rule}`,
        ),
        leftOut.length === 0 ? 'No template would be left out.' : `Left out: ${leftOut.join(', ')}`,
      ].join('\n'),
    );
    return faults.length + errors.length > 0 ? 1 : 0;
  });
