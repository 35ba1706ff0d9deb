import type { TemplateField } from '../../src/templates/fields/template-field.ts';
import { fieldEntries } from '../../src/templates/fields/template-fields.ts';

const code = (name: string): string => `\`${name}\``;

const asValue = ([word, value]: readonly [string, string]): string => `${code(word)} as ${code(value)}`;

const inTemplate = 'LaunchTemplateData.';

/** What is the same for each host is told once. */
const parametersOf = ({ aws = {} }: TemplateField): string => {
  const byApi = Object.entries(aws).map(
    ([api, names]) => [api, names.map((name) => code(name.replace(inTemplate, ''))).join(', ')] as const,
  );
  const isOfHost = Object.values(aws)
    .flat()
    .some((name) => name.startsWith(inTemplate));
  if (isOfHost) return `each host: ${byApi[0]?.[1].replace('`*`', 'as written') ?? ''}`;
  if (aws.EC2Fleet?.includes('*') === true) return 'as written';
  return byApi.map(([api, names]) => `${api}: ${names}`).join('; ');
};

/** The reference of the fields of a template, as rows of cells. */
export const fieldReference = (): readonly (readonly string[])[] => [
  ['field', 'meaning', 'also read as', 'AWS parameter'],
  ['---', '---', '---', '---'],
  ...fieldEntries.map(([name, field]) => [
    code(name),
    field.meaning,
    [...(field.names ?? []).map(code), ...Object.entries(field.spellings ?? {}).map(asValue)].join(', ') || '-',
    parametersOf(field) || '-',
  ]),
];
