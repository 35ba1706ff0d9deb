import { statSync } from 'node:fs';
import type { Argv } from 'yargs';
import { servedTemplate } from '../application/bus/shapes.ts';
import type { ValidateTemplateAnswer } from '../application/commands/validate-template.ts';
import { listFields } from '../application/read-model/listing.ts';
import type { Finding } from '../domain/finding.ts';
import { offeringOf, providerApiOf, type Template } from '../domain/template/template.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { avoidedInWords, avoidedOf, launchInWords, templateOf } from './explain-launch.ts';
import { isForPeople, recordsOf, rowFormats } from './formats.ts';
import { listingOf, showList, withListing } from './listing.ts';
import { originOptions, show, withRehearsal, withService } from './run.ts';
import { fold } from './table.ts';
import { diffOptions, runTemplateDiff } from './template-diff.ts';
import { planOptions, runTemplatePlan } from './template-plan.ts';
import { pairs, verbMissing, whole } from './usage.ts';

const isFile = (what: string): boolean =>
  /[/\\]|\.json$/.test(what) || statSync(what, { throwIfNoEntry: false })?.isFile() === true;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const byPlace = (a: Finding, b: Finding): number => a.line - b.line || a.column - b.column;

/** The same mistake in several templates, at the first place of each; several of one template are told one by one. */
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

/** In the form that editors and terminals make links of: `file:line:column`. Without `all`, a mistake of many templates is told once. */
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

const recordsOfTemplates = (rows: readonly Template[]) =>
  recordsOf(servedTemplate, rows, ({ templateId }) => templateId);

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

export const templateCommands =
  (context: CliContext, done: Done) =>
  (yargs: Argv<CommonOptions>): Argv<CommonOptions> =>
    yargs
      .command(
        'list',
        'List the templates offered to Host Factory',
        (each) =>
          withListing(each, listFields.templates)
            .option('output', rowFormats)
            .option('filter', {
              type: 'string',
              array: true,
              default: [] as string[],
              describe: 'field=value, e.g. priceType=spot',
              coerce: pairs('--filter', listFields.templates),
            })
            .strict()
            .example(
              'hf-aws templates list --filter priceType=ondemand --json',
              'those that RunInstances serves, for machines',
            ),
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { expected: _none, ...listing } = await listingOf(service, options);
              const list = await service.listTemplates({ filters: options.filter, ...listing });
              const { templates: noted } = await service.listOfferings(originOptions(options));
              const protectedOnes = noted.filter(({ isProtected }) => isProtected);
              await showList(
                context,
                options,
                list,
                (templates) =>
                  [
                    list.file,
                    columnTable(options, templates, templateColumns, 'No template found.'),
                    ...protectedOnes.map(
                      ({ templateId, failures }) =>
                        `${templateId} launches nothing: its last ${failures} machines failed. hf-aws offerings list tells more.`,
                    ),
                  ].join('\n'),
                recordsOfTemplates(list.items),
              );
              return 0;
            }),
          ),
      )
      .command(
        'show <templateId>',
        'Show one template with its defaults filled in and its attributes derived',
        (each) =>
          each
            .option('output', rowFormats)
            .positional('templateId', { type: 'string', demandOption: true, describe: 'The template' })
            .example('hf-aws templates show od-m5', 'every field of one template'),
        (options) =>
          done(
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
                recordsOfTemplates([answer]),
              );
              return 0;
            }),
          ),
      )
      .command(
        'explain-launch <templateId> [count]',
        'Show what a request for this template would do, with the exact AWS calls; sends nothing',
        (each) =>
          each
            .positional('templateId', { type: 'string', demandOption: true, describe: 'The template' })
            .positional('count', { ...whole('COUNT', 1, 10_000), default: 1, describe: 'Machines wanted' })
            .example('hf-aws templates explain-launch od-m5 3', 'three hosts of template od-m5'),
        (options) =>
          done(
            withRehearsal(context, options, async (service) => {
              const { templateId, count } = options;
              const { template } = await templateOf(service, templateId);
              const avoided = avoidedOf(template, (await service.listOfferings({})).refused);
              const words = [...launchInWords(template, count), ...avoidedInWords(avoided, Date.now())];
              if (isForPeople(options)) context.print(`${words.map((line) => fold(line, 2)).join('\n')}\n`);
              return { ...(await service.createRequest({ templateId, maxNumber: count })), avoided };
            }),
          ),
      )
      .command(
        'validate [what]',
        'Check the templates, and report each problem with its place in the file; exit 1 if one is an error',
        (each) =>
          each
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
        (options) =>
          done(
            withService(context, options, async (service) => {
              const { what, aws, all } = options;
              const chosen = what === undefined ? {} : isFile(what) ? { file: what } : { templateId: what };
              const answer = await service.validateTemplate({ aws, ...chosen, ...originOptions(options) });
              await show(context, options, answer, (found) => findingsText(found, all));
              return answer.isValid ? 0 : 1;
            }),
          ),
      )
      .command(
        'diff [file]',
        'Show what a templates file changes and what running requests keep; exit 1 when a template has errors',
        diffOptions,
        (options) => done(runTemplateDiff(context, options)),
      )
      .command(
        'plan [templateId]',
        'Show what the next request for each template would do; exit 1 if one would launch nothing',
        planOptions,
        (options) => done(runTemplatePlan(context, options)),
      )
      .strict()
      .demandCommand(1, verbMissing('templates', 'list', 'show', 'validate', 'diff', 'plan', 'explain-launch'));
