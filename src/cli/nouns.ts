import { operations } from '../application/operations.ts';
import { metricsText } from '../application/read-model/metrics-text.ts';
import { PluginError } from '../domain/errors.ts';
import { age } from '../domain/time-text.ts';
import { ageOf, timeOf } from './columns.ts';
import { command, fromOperation, noun } from './command.ts';
import { minutesLeft } from './explain-launch.ts';
import { recordsOf, rowFormats } from './formats.ts';
import { shortIds } from './ids.ts';
import { originOptions, reporting, show, UsageError, withService } from './run.ts';
import { fold, plural, table } from './table.ts';

const textOf = (value: unknown): string => {
  if (value === null) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

export const config = noun('config', 'Provider configuration', [
  fromOperation('show', operations.GetConfiguration, {
    examples: [['hf-aws config show', 'what applies, and why']],
    rows: 'values',
    id: 'name',
    columns: () => [
      ['SETTING', ({ name }) => name, 'whole'],
      ['VALUE', ({ value }) => textOf(value)],
      ['ORIGIN', ({ origin }) => origin],
    ],
  }),
  command(
    'validate',
    'Check the provider configuration; exit 1 if it cannot be used',
    (yargs) => yargs.example('hf-aws config validate', 'before Host Factory reads it'),
    (context, options) =>
      withService(context, options, async (service) => {
        const { file, warnings, errors } = await service.getConfiguration(originOptions(options));
        const answer = { file: file ?? null, isValid: errors.length === 0, warnings, errors };
        const verdict = errors.length === 0 ? 'can be used' : 'cannot be used as it is';
        await show(context, options, answer, () =>
          [
            ...warnings.map((warning) => `warning: ${warning}`),
            ...errors.map((error) => `error: ${error}`),
            file === undefined ? 'There is no file; the defaults apply.' : `${file} ${verdict}`,
          ].join('\n'),
        );
        return errors.length === 0 ? 0 : 1;
      }),
  ),
]);

const providerFields = ['name', 'enabled', 'plugin', 'isOurs', 'confPath', 'workPath', 'logPath'];
const yesNo = (is: boolean): string => (is ? 'yes' : 'no');

export const providers = noun('providers', 'Providers registered with Host Factory', [
  command(
    'list',
    'List the registered providers; those of this installation can be named with --provider',
    (yargs) =>
      yargs.option('output', rowFormats).example('hf-aws providers list', 'then hf-aws doctor --provider <name>'),
    (context, options) =>
      reporting(context, options, async () => {
        const registered = await context.providers();
        if (registered === undefined)
          throw new PluginError('configuration.missing', 'set HF_TOP, under which providers are registered');
        const rows = registered.providers.map(({ name, enabled, plugin, isOurs, confPath, workPath }) => [
          ...[name, yesNo(enabled), plugin, yesNo(isOurs), confPath, workPath],
        ]);
        await show(
          context,
          options,
          registered,
          ({ file }) => `${file}\n${table(['PROVIDER', 'ENABLED', 'PLUG-IN', 'OURS', 'CONFIGURATION', 'STATE'], rows)}`,
          recordsOf(
            { properties: Object.fromEntries(providerFields.map((name) => [name, {}])) },
            registered.providers,
            ({ name }) => name,
          ),
        );
        return 0;
      }),
  ),
]);

const day = 24 * 3_600_000;

export const launchTemplates = noun('launch-templates', 'Launch templates made for fleets and groups', [
  fromOperation('gc', operations.CollectLaunchTemplates, {
    forms: {
      unusedFor: {
        type: 'number',
        default: 30,
        describe: 'Days',
        coerce: (days: unknown) => {
          if (typeof days === 'number' && days >= 0) return days * day;
          throw new UsageError('--unused-for must be a number of days');
        },
      },
    },
    examples: [
      ['hf-aws launch-templates gc', 'what would go'],
      ['hf-aws launch-templates gc --unused-for 7 --apply', 'remove what a week did not need'],
    ],
    rows: 'unused',
    id: 'id',
    columns: (_rows, _options, { removed }) => [
      ['LAUNCH TEMPLATE', ({ id }) => id, 'whole'],
      ['NAME', ({ name }) => name],
      ['AGE', ({ createdAt }) => ageOf(createdAt)],
      ['MADE', ({ createdAt }) => timeOf(createdAt), 'wide'],
      ['STATE', ({ id }) => (removed.includes(id) ? 'removed' : 'unused')],
    ],
    text: ({ unused, kept, removed }, rows, { apply }) => [
      ...(unused.length === 0 ? [] : [rows]),
      `${unused.length} unused, ${removed.length} removed, ${kept} kept.`,
      ...(apply === true || unused.length === 0 ? [] : ['Nothing was removed: add --apply.']),
    ],
    fails: ({ unused, removed }, { apply }) => apply === true && removed.length < unused.length,
  }),
]);

export const offerings = noun('offerings', 'Refused offerings and protected templates, which launches avoid', [
  fromOperation('list', operations.ListOfferings, {
    examples: [['hf-aws offerings list', 'why another subnet or type is chosen']],
    rows: 'refused',
    id: 'instanceType',
    columns: () => [
      ['MARKET', ({ market }) => market],
      ['TYPE', ({ instanceType = 'all' }) => instanceType],
      ['SUBNET', ({ subnetId = 'all' }) => subnetId],
      ['CODE', ({ code }) => code],
      ['FOR', ({ expiresAt }) => minutesLeft(expiresAt)],
      ['UNTIL', ({ expiresAt }) => timeOf(expiresAt), 'wide'],
    ],
    empty: 'EC2 has refused nothing recently.',
    text: ({ templates }, rows) => [
      rows,
      ...templates.map(
        ({ templateId, failures, isProtected }) =>
          `${templateId}: ${failures} machines in a row died or never became usable${isProtected ? '; it launches nothing' : ''}`,
      ),
    ],
  }),
  fromOperation('clear', operations.ClearOfferings, {
    rules: (yargs) => yargs.conflicts('type', 'template'),
    examples: [
      ['hf-aws offerings clear', 'forget all'],
      ['hf-aws offerings clear --template od-m5-large', 'let a template launch again once its cause is fixed'],
    ],
    text: ({ offerings: refused, templates }) => [
      `Forgotten: ${plural(refused, 'refused offering')}, the failures of ${plural(templates.length, 'template')}.`,
    ],
  }),
]);

export const instanceTypes = noun('instance-types', 'Known EC2 instance types', [
  fromOperation('refresh', operations.RefreshInstanceTypes, {
    examples: [['hf-aws instance-types refresh', 'after AWS has released new types']],
    text: ({ known, added }) => [`${known} instance types are known, ${added.length} of them new.`, ...added],
  }),
]);

export const prices = noun('prices', 'Prices of templates', [
  fromOperation('list', operations.ListPrices, {
    examples: [['hf-aws prices list', 'which template is the cheapest']],
    rows: 'templates',
    id: 'templateId',
    columns: () => [
      ['TEMPLATE', ({ templateId }) => templateId],
      ['PRICE TYPE', ({ priceType }) => priceType],
      ['USD PER HOUR AND UNIT', ({ price }) => (price === undefined ? 'not known' : String(Number(price.toFixed(4))))],
      ['RANK', ({ told }) => told.rank ?? '-'],
      ['PRICEINFO', ({ told }) => told.priceInfo ?? '-'],
    ],
    empty: 'No template is served.',
    text: ({ refreshedAt }, rows) => [
      rows,
      refreshedAt === undefined
        ? 'AWS was never asked for prices: hf-aws prices refresh'
        : `AWS was asked at ${timeOf(refreshedAt)}.`,
    ],
  }),
  fromOperation('refresh', operations.RefreshPrices, {
    leftOut: ['olderThan'],
    examples: [['hf-aws prices refresh', 'a server does it once an hour where templates use prices']],
    text: ({ onDemand, spot }) => [
      `Prices of ${onDemand} instance types on demand and of ${spot} for spot were found.`,
    ],
  }),
]);

export const projections = noun('projections', 'Projections of the events, which lists are read from', [
  fromOperation('status', operations.GetProjections, {
    examples: [['hf-aws projections status', 'BEHIND is what the next list will apply first']],
    rows: 'items',
    id: 'name',
    columns: (rows) => [
      ['PROJECTION', ({ name }) => name],
      ['REQUESTS', ({ streams }) => String(streams)],
      ['EVENTS', ({ events }) => String(events)],
      ['BEHIND', ({ behind }) => String(behind)],
      ['FAILED', ({ failures }) => String(failures.length)],
      ...(rows.every(({ version }) => version === undefined)
        ? []
        : [['VERSION', ({ version = '' }: { readonly version?: number | string }) => String(version)] as const]),
    ],
    text: ({ items }, rows) => [
      rows,
      ...items.flatMap(({ name, failures }) =>
        failures.map(({ requestId, message, tries }) => `${name}: ${requestId}: ${message} (tried ${tries} times)`),
      ),
    ],
  }),
  fromOperation('rebuild [name]', operations.RebuildProjection, {
    examples: [['hf-aws projections rebuild requests', 'after editing or restoring records by hand']],
    progress: 'looks for requests',
    text: ({ items }) => items.map(({ name, streams, events }) => `${name}: ${events} events of ${streams} requests`),
  }),
]);

export const metrics = fromOperation('metrics', operations.GetMetrics, {
  sets: { costs: true },
  examples: [['hf-aws metrics', 'in the Prometheus text format, as GET /metrics of hf-aws serve']],
  text: (answer) => [metricsText(answer).trimEnd()],
});

const plainly = (n: number): string => (n === 1 ? '1 is' : `${n} are`);

export const reconcile = fromOperation('reconcile', operations.Reconcile, {
  leftOut: ['nowAndThen', 'held'],
  examples: [
    ['hf-aws reconcile', 'what runs at AWS but belongs to no live request'],
    ['hf-aws reconcile --apply', 'release what was seen before and is old enough'],
  ],
  progress: 'looks at AWS',
  rows: 'findings',
  id: 'id',
  columns: (findings, options, { released }) => {
    const short = shortIds(
      findings.map(({ requestId }) => requestId),
      options,
    );
    return [
      ['WHAT', ({ kind }) => kind],
      ['ID', ({ id, kind }) => (kind === 'request' ? short(id) : id), 'whole'],
      ['REQUEST', ({ requestId }) => (requestId === '' ? '-' : short(requestId)), 'whole'],
      [
        'STATE',
        ({ id, verdict, dueAt }) => {
          if (released.includes(id)) return 'released';
          if (verdict === 'leave') return 'left alone';
          return verdict === 'release' ? 'due' : `due in ${age(Math.max(0, Date.parse(dueAt) - Date.now()))}`;
        },
        'whole',
      ],
      ['WHY', ({ why }) => why],
      ['FOUND', ({ since }) => timeOf(since), 'wide'],
    ];
  },
  empty: 'Nothing is out of place.',
  /** What was released, what was not, and when it will be. */
  text: ({ findings, released }, rows, { apply }) => {
    const of = (verdict: string) => findings.filter((each) => each.verdict === verdict);
    const [due, waiting, left] = [of('release').length - released.length, of('wait'), of('leave').length];
    const [first] = waiting.map(({ dueAt }) => dueAt).sort();
    const ofApply = released.length === 0 ? 'Nothing was released.' : `${released.length} released.`;
    const dueText = apply === true ? 'due and could not be released.' : 'due: --apply releases it.';
    if (findings.length === 0) return [rows];
    return [
      rows,
      ...[
        ...(apply === true ? [ofApply] : []),
        ...(due === 0 ? [] : [`${plainly(due)} ${dueText}`]),
        ...(waiting.length === 0
          ? []
          : [
              `${plainly(waiting.length)} not due yet: a sweep after ${timeOf(first)} releases it if it is still there, by itself or with --apply.`,
            ]),
        ...(left === 0 ? [] : [`${plainly(left)} left alone: not ours to judge.`]),
      ].map((line) => fold(line, 2)),
    ];
  },
  fails: ({ warnings }, { apply }) => apply === true && warnings.length > 0,
});
