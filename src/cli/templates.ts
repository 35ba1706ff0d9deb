import { statSync } from 'node:fs';
import { servedTemplate } from '../application/bus/shapes.ts';
import type { ValidateTemplateAnswer } from '../application/commands/validate-template.ts';
import { operations } from '../application/operations.ts';
import { listFields } from '../application/read-model/listing.ts';
import type { Finding } from '../domain/finding.ts';
import { offeringOf, providerApiOf, type Template } from '../domain/template/template.ts';
import type { Column } from './columns.ts';
import { command, fromOperation, noun } from './command.ts';
import { avoidedInWords, avoidedOf, launchInWords, templateOf } from './explain-launch.ts';
import { isForPeople, recordsOf, rowFormats } from './formats.ts';
import { originOptions, show, withRehearsal, withService } from './run.ts';
import { fold, plural } from './table.ts';
import { diffCommand } from './template-diff.ts';
import { planOptions, runTemplatePlan } from './template-plan.ts';
import { pairs, sortField, whole } from './usage.ts';

const isFile = (what: string): boolean =>
  /[/\\]|\.json$/.test(what) || statSync(what, { throwIfNoEntry: false })?.isFile() === true;

const byPlace = (a: Finding, b: Finding): number => a.line - b.line || a.column - b.column;

/** The same mistake in several templates, at the first place of each; several of one template are listed one by one. */
interface Told extends Finding {
  readonly templateIds: readonly string[];
}

const oneByOne = (findings: readonly Finding[]): readonly Told[] =>
  findings.map((finding) => ({ ...finding, templateIds: [finding.templateId] }));

const byMistake = (findings: readonly Finding[]): readonly Told[] => {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const { severity, field, rule, hint } = finding;
    const mistake = JSON.stringify([severity, field, rule, hint]);
    groups.set(mistake, [...(groups.get(mistake) ?? []), finding]);
  }
  return [...groups.values()].flatMap((group): readonly Told[] => {
    const templateIds = [...new Set(group.map(({ templateId }) => templateId))];
    return templateIds.length === 1 ? oneByOne(group) : group.slice(0, 1).map((first) => ({ ...first, templateIds }));
  });
};

const findingText = (file: string, { severity, templateIds, field, rule, hint, line, column }: Told): string => {
  const [templateId = '', ...others] = templateIds;
  const who = others.length === 0 ? templateId : plural(templateIds.length, 'template');
  const what = [who === '' ? '' : `${who}:`, field, rule].filter((part) => part !== '').join(' ');
  return [
    `${file}:${line}:${column}: ${severity}: ${what}`,
    ...(hint === undefined ? [] : [`    ${hint}`]),
    ...(others.length === 0 ? [] : [`    in ${templateIds.join(', ')}`]),
  ]
    .map((each) => fold(each, 4))
    .join('\n');
};

/** In the form that editors and terminals make links of: `file:line:column`. Without `all`, a mistake of many templates is listed once. */
export const findingsText = (answer: ValidateTemplateAnswer, all: boolean): string => {
  const { file, templates, errors, warnings } = answer;
  const findings = [...errors, ...warnings].sort(byPlace);
  const told = all ? oneByOne(findings) : [...byMistake(findings)].sort(byPlace);
  const counts = `${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}`;
  const isShort = told.length < findings.length;
  return [
    ...told.map((each) => findingText(file, each)),
    `${plural(templates.length, 'template')} in ${file}: ${counts}${isShort ? ' (--all shows every place)' : ''}`,
  ].join('\n');
};

const attributeOf =
  (name: string) =>
  ({ attributes }: Template) =>
    attributes[name]?.[1] ?? '';

const templateColumns: readonly Column<Template>[] = [
  ['TEMPLATE', ({ templateId }) => templateId],
  ['PRICE', ({ priceType }) => priceType],
  ['API', providerApiOf],
  ['MAX', ({ maxNumber }) => String(maxNumber)],
  ['TYPES', offeringOf],
  ['NCPUS', attributeOf('ncpus')],
  ['NRAM(MB)', attributeOf('nram')],
  ['SUBNETS', ({ subnetIds }) => subnetIds.join(', '), 'wide'],
  ['IMAGE', ({ imageId = '' }) => imageId, 'wide'],
];

const templateArgument = { type: 'string', demandOption: true, describe: 'The template' } as const;

/** Every value with its origin; attributes and tags one by one, since defaults join them. */
const originTable = (template: Template, origins: Readonly<Record<string, string>>): string => {
  const { attributes, instanceTags, ...rest } = template;
  const values: readonly (readonly [string, unknown])[] = [
    ...Object.entries({ ...rest, providerApi: providerApiOf(template) }),
    ...Object.entries(attributes).map(([name, value]) => [`attributes.${name}`, value] as const),
    ...instanceTags.map(([key, value]) => [`instanceTags.${key}`, value] as const),
  ];
  const rows = values
    .map(([field, value]) => [field, origins[field] ?? 'program default', value] as const)
    .filter(([, , value]) => !(Array.isArray(value) && value.length === 0));
  const [fieldWidth, originWidth] = [0, 1].map((cell) => Math.max(...rows.map((row) => String(row[cell]).length)));
  return [['FIELD', 'ORIGIN', 'VALUE'] as const, ...rows]
    .map(([field, origin, value]) => {
      const start = `${field.padEnd(fieldWidth ?? 0)}  ${origin.padEnd(originWidth ?? 0)}  `;
      return fold(`${start}${typeof value === 'string' ? value : JSON.stringify(value)}`, start.length);
    })
    .join('\n');
};

export const templates = noun('templates', 'Host templates', [
  fromOperation('list', operations.ListTemplates, {
    forms: {
      sortBy: { coerce: sortField(listFields.templates) },
      filters: {
        as: 'filter',
        describe: 'field=value, e.g. priceType=spot',
        coerce: pairs('--filter', listFields.templates),
      },
    },
    examples: [
      ['hf-aws templates list --filter priceType=ondemand --json', 'those that RunInstances serves, for machines'],
    ],
    rows: 'items',
    id: 'templateId',
    columns: () => templateColumns,
    empty: 'No template found.',
    text: async ({ file }, rows, _message, service) => [
      file,
      rows,
      ...(await service.listOfferings()).templates.flatMap(({ templateId, failures, isProtected }) =>
        isProtected
          ? `${templateId} launches nothing: its last ${failures} machines failed. hf-aws offerings list tells more.`
          : [],
      ),
    ],
  }),
  command(
    'show <templateId>',
    'Show one template with its defaults filled in and its attributes derived',
    (yargs) =>
      yargs
        .option('output', rowFormats)
        .positional('templateId', templateArgument)
        .example('hf-aws templates show od-m5', 'every field of one template'),
    (context, options) =>
      withService(context, options, async (service) => {
        const { templateId } = options;
        await templateOf(service, templateId);
        const { file, template, origins } = await service.getTemplate({ templateId, ...originOptions(options) });
        const answer = { file, ...template, providerApi: providerApiOf(template), origins };
        await show(
          context,
          options,
          answer,
          () => [file, originTable(template, origins)].join('\n'),
          recordsOf(servedTemplate, [answer], () => templateId),
        );
        return 0;
      }),
  ),
  command(
    'validate [what]',
    'Check the templates, and report each problem with its place in the file; exit 1 if one is an error',
    (yargs) =>
      yargs
        .positional('what', { type: 'string', describe: 'A file, or the id of one configured template' })
        .option('aws', { type: 'boolean', default: false, describe: 'Also ask AWS: images, networks, permissions' })
        .option('all', {
          type: 'boolean',
          default: false,
          describe: 'Show every place of a problem, not only the first',
        })
        .example('hf-aws templates validate', 'all templates of the configured file')
        .example('hf-aws templates validate new.json', 'a file before it is put in place')
        .example('hf-aws templates validate od-m5 --aws', 'one template, checked against the account too'),
    (context, options) =>
      withService(context, options, async (service) => {
        const { what, aws, all } = options;
        const chosen = what === undefined ? {} : isFile(what) ? { file: what } : { templateId: what };
        const answer = await service.validateTemplate({ aws, ...chosen, ...originOptions(options) });
        await show(context, options, answer, (found) => findingsText(found, all));
        return answer.isValid ? 0 : 1;
      }),
  ),
  diffCommand,
  command(
    'plan [templateId]',
    'Show what the next request for each template would do; exit 1 if one would launch nothing',
    planOptions,
    runTemplatePlan,
  ),
  command(
    'explain-launch <templateId> [count]',
    'Show what a request for this template would do, with the exact AWS calls; sends nothing',
    (yargs) =>
      yargs
        .positional('templateId', templateArgument)
        .positional('count', { ...whole('COUNT', 1, 10_000), default: 1, describe: 'Machines wanted' })
        .example('hf-aws templates explain-launch od-m5 3', 'three hosts of template od-m5'),
    (context, options) =>
      withRehearsal(context, options, async (service) => {
        const { templateId, count } = options;
        const { template } = await templateOf(service, templateId);
        const avoided = avoidedOf(template, (await service.listOfferings()).refused);
        const words = [...launchInWords(template, count), ...avoidedInWords(avoided)];
        if (isForPeople(options)) context.print(`${words.map((line) => fold(line, 2)).join('\n')}\n`);
        return { ...(await service.createRequest({ templateId, maxNumber: count })), avoided };
      }),
  ),
]);
