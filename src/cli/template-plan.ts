import type { Argv } from 'yargs';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { isPluginError } from '../domain/errors.ts';
import type { Finding } from '../domain/finding.ts';
import { offeringOf, providerApiOf, type Template } from '../domain/template/template.ts';
import { type Column, columnTable } from './columns.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { avoidedInWords, avoidedOf, marketOf, templateOf } from './explain-launch.ts';
import { type CsvColumn, rowFormats } from './formats.ts';
import { originOptions, show, warn, withService } from './run.ts';
import { fold } from './table.ts';
import { whole } from './usage.ts';

/** What the next request for a template would come to. */
interface TemplatePlan {
  readonly templateId: string;
  readonly providerApi: string;
  readonly offering: string;
  readonly market: string;
  /** Units asked for. */
  readonly wanted: number;
  /** Whether AWS would be asked at all; if not, `code` and `reason` say why. */
  readonly launches: boolean;
  readonly code?: string;
  readonly reason?: string;
  /** Actions at AWS, in order. */
  readonly calls: readonly string[];
  /** USD per hour of all units, at current prices; absent if one is not known. */
  readonly usdPerHour?: number;
  /** What launches avoid for now, in words. */
  readonly avoided: readonly string[];
  /** Problems that AWS told of; absent unless it was asked. */
  readonly problems?: readonly Finding[];
}

const csvColumns: readonly CsvColumn<TemplatePlan>[] = [
  ['templateId', ({ templateId }) => templateId],
  ['providerApi', ({ providerApi }) => providerApi],
  ['offering', ({ offering }) => offering],
  ['market', ({ market }) => market],
  ['wanted', ({ wanted }) => wanted],
  ['launches', ({ launches }) => launches],
  ['code', ({ code }) => code],
  ['usdPerHour', ({ usdPerHour }) => usdPerHour],
];

const columns: readonly Column<TemplatePlan>[] = [
  ['TEMPLATE', ({ templateId }) => templateId],
  ['API', ({ providerApi }) => providerApi],
  ['TYPES', ({ offering }) => offering],
  ['MARKET', ({ market }) => market],
  ['WANTED', ({ wanted }) => String(wanted)],
  ['USD/H', ({ usdPerHour }) => (usdPerHour === undefined ? '-' : usdPerHour.toFixed(2)), 'whole'],
  ['OUTCOME', ({ launches, code = '' }) => (launches ? 'launches' : code), 'whole'],
  ['CALLS', ({ calls }) => calls.join(', '), 'wide'],
];

const remarksOf = ({ templateId, reason, avoided, problems = [] }: TemplatePlan): readonly string[] => [
  ...(reason === undefined ? [] : [`${templateId} launches nothing: ${reason}`]),
  ...avoided.map((each) => `${templateId}: ${each}`),
  ...problems.map(({ severity, field, rule }) => `${templateId}: ${severity}: ${field} ${rule}`),
];

const planText = (options: CommonOptions, plans: readonly TemplatePlan[]): string =>
  [
    columnTable(options, plans, columns, 'No template is served.'),
    ...plans.flatMap(remarksOf).map((line) => fold(line, 2)),
    'Nothing was sent or written.',
  ].join('\n');

/** The request played without AWS. Throws what is no refusal of it. */
const outcomeOf = async (
  { service, calls }: Awaited<ReturnType<CliContext['rehearse']>>,
  templateId: string,
  maxNumber: number,
): Promise<Pick<TemplatePlan, 'launches' | 'calls' | 'code' | 'reason'>> => {
  const before = calls.length;
  try {
    await service.createRequest({ templateId, maxNumber });
    return { launches: true, calls: calls.slice(before).map(({ action }) => action) };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return { launches: false, calls: [], code: error.code, reason: error.message };
  }
};

const chosen = async (service: ApplicationService, templateId: string | undefined): Promise<readonly Template[]> =>
  templateId === undefined
    ? (await service.getTemplates()).templates
    : [(await templateOf(service, templateId)).template];

export const planOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('output', rowFormats)
    .positional('templateId', { type: 'string', describe: 'The template; default: all' })
    .option('count', { ...whole('--count', 1, 10_000), default: 1, describe: 'Machines, or units, to plan for' })
    .option('aws', {
      type: 'boolean',
      default: false,
      describe: 'Also ask AWS whether the launch would work: images, networks, permissions',
    })
    .example('hf-aws templates plan', 'what the next request for each template would do')
    .example(
      'hf-aws templates plan od-m5 --count 50 --aws',
      'fifty hosts of one template, checked against the account',
    );

/** Exit 1 if a planned request would launch nothing, or AWS told of an error. */
export const runTemplatePlan = (
  context: CliContext,
  options: CommonOptions & {
    readonly templateId?: string | undefined;
    readonly count: number;
    readonly aws: boolean;
  },
): Promise<number> =>
  withService(context, options, async (service) => {
    const { count, aws } = options;
    const origin = originOptions(options);
    const templates = await chosen(service, options.templateId);
    const { refused } = await service.listOfferings(origin);
    const prices = new Map(
      (await service.listPrices(origin)).templates.map(({ templateId, price }) => [templateId, price] as const),
    );
    const rehearsal = await context.rehearse(options.provider);
    const plans: TemplatePlan[] = [];
    for (const template of templates) {
      const { templateId } = template;
      const price = prices.get(templateId);
      const checked = aws ? await service.validateTemplate({ templateId, aws, ...origin }) : undefined;
      plans.push({
        templateId,
        providerApi: providerApiOf(template),
        offering: offeringOf(template),
        market: marketOf(template, count),
        wanted: count,
        ...(await outcomeOf(rehearsal, templateId, count)),
        ...(price === undefined ? {} : { usdPerHour: Number((price * count).toFixed(4)) }),
        avoided: avoidedInWords(avoidedOf(template, refused)),
        ...(checked === undefined ? {} : { problems: [...checked.errors, ...checked.warnings] }),
      });
    }
    const rejected = options.templateId === undefined ? (await service.getTemplates()).rejected : [];
    warn(
      context,
      rejected.map(({ templateId }) => `${templateId} is left out: hf-aws templates validate ${templateId}`),
    );
    await show(context, options, plans, () => planText(options, plans), {
      rows: plans,
      columns: csvColumns,
      id: ({ templateId }) => templateId,
    });
    const isWell = ({ launches, problems = [] }: TemplatePlan): boolean =>
      launches && problems.every(({ severity }) => severity !== 'error');
    return plans.every(isWell) ? 0 : 1;
  });
