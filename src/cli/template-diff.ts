import type { Argv } from 'yargs';
import type { DiffTemplatesAnswer } from '../application/queries/diff-templates.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { originOptions, show, warn, withService } from './run.ts';
import { fold } from './table.ts';

type TemplateChange = DiffTemplatesAnswer['templates'][number];
type FieldChange = TemplateChange['fields'][number];

const signs = { added: '+', removed: '-', changed: '~', faulty: '!' } as const;

const valueText = (value: unknown): string =>
  value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);

const fieldText = ({ field, before, now, effect }: FieldChange): string =>
  fold(`    ${field}: ${valueText(before)} -> ${valueText(now)}: ${effect}`, 6);

const runningText = ({ requests, machines, fields }: TemplateChange['running'][number]): readonly string[] => {
  const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
  if (fields.length === 0) return [];
  const kept = fields.map(({ field, before, now }) => `${field} ${valueText(before)} (now ${valueText(now)})`);
  const who = `${count(requests.length, 'running request')} with ${count(machines, 'machine')}`;
  return [fold(`    ${who} ${requests.length === 1 ? 'keeps' : 'keep'} ${kept.join(', ')}`, 6)];
};

const templateText = ({ templateId, change, effect, fields, running }: TemplateChange): string =>
  [
    fold(`${signs[change]} ${templateId} ${change}: ${effect}`, 4),
    ...fields.map(fieldText),
    ...running.flatMap(runningText),
  ].join('\n');

const diffText = ({ file, against, templates }: DiffTemplatesAnswer): string => {
  const what = against === undefined ? 'what running requests go by' : `${against}, in effect, and running requests`;
  return [
    `${file} against ${what}:`,
    ...(templates.length === 0 ? ['No difference.'] : templates.map(templateText)),
  ].join('\n');
};

export const diffOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .positional('file', { type: 'string', describe: 'A file that is to take the place of the configured one' })
    .example('hf-aws templates diff', 'what running requests go by, where the file says something else now')
    .example('hf-aws templates diff new.json', 'what a file would change, before it is put in place');

/** Exit 1 where a template of the file has faults. */
export const runTemplateDiff = (
  context: CliContext,
  options: CommonOptions & { readonly file?: string | undefined },
): Promise<number> =>
  withService(context, options, async (service) => {
    const { file } = options;
    const diff = await service.diffTemplates({ ...(file === undefined ? {} : { file }), ...originOptions(options) });
    const faults = diff.rejected.map(
      ({ templateId }) => `${templateId} has faults: hf-aws templates validate ${file ?? templateId} tells them`,
    );
    warn(context, [...diff.warnings, ...faults]);
    await show(context, options, diff, diffText);
    return diff.rejected.length === 0 ? 0 : 1;
  });
