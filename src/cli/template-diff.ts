import { operations } from '../application/operations.ts';
import type { DiffTemplatesAnswer } from '../application/queries/diff-templates.ts';
import { fromOperation } from './command.ts';
import { fold, plural } from './table.ts';

type TemplateChange = DiffTemplatesAnswer['templates'][number];
type FieldChange = TemplateChange['fields'][number];

const signs = { added: '+', removed: '-', changed: '~', faulty: '!' } as const;

const valueText = (value: unknown): string =>
  value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);

const fieldText = ({ field, before, now, effect }: FieldChange): string =>
  fold(`    ${field}: ${valueText(before)} -> ${valueText(now)}: ${effect}`, 6);

const runningText = ({ requests, machines, fields }: TemplateChange['running'][number]): readonly string[] => {
  if (fields.length === 0) return [];
  const kept = fields.map(({ field, before, now }) => `${field} ${valueText(before)} (now ${valueText(now)})`);
  const who = `${plural(requests.length, 'running request')} with ${plural(machines, 'machine')}`;
  return [fold(`    ${who} ${requests.length === 1 ? 'keeps' : 'keep'} ${kept.join(', ')}`, 6)];
};

const templateText = ({ templateId, change, effect, fields, running }: TemplateChange): string =>
  [
    fold(`${signs[change]} ${templateId} ${change}: ${effect}`, 4),
    ...fields.map(fieldText),
    ...running.flatMap(runningText),
  ].join('\n');

/** Exit 1 where a template of the file has faults. */
export const diffCommand = fromOperation('diff [file]', operations.DiffTemplates, {
  examples: [
    ['hf-aws templates diff', 'what running requests go by, where the file says something else now'],
    ['hf-aws templates diff new.json', 'what a file would change, before it is put in place'],
  ],
  text: ({ file, against, templates }) => [
    `${file} against ${against === undefined ? 'what running requests go by' : `${against}, in effect, and running requests`}:`,
    ...(templates.length === 0 ? ['No difference.'] : templates.map(templateText)),
  ],
  warnings: ({ rejected }, { file }) =>
    rejected.map(
      ({ templateId }) => `${templateId} has faults: hf-aws templates validate ${file ?? templateId} tells them`,
    ),
  failsIf: 'a template has errors',
  fails: ({ rejected }) => rejected.length > 0,
});
