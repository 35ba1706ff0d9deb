import { isPluginError, messageOf } from '../../domain/errors.ts';
import { providerApiOf } from '../../domain/template/template.ts';
import { closed, listOf, named } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, texts, time, words } from '../bus/shapes.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures, PriceMemory } from '../ports/memory.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { ReadModel } from '../ports/read-model.ts';
import type { MetricValues } from '../ports/telemetry.ts';
import type { TemplateCatalog } from '../ports/templates.ts';
import { capacityCost, capacitySeries, isCapacityRow } from '../read-model/capacity-series.ts';
import { isoTime } from '../read-model/iso-times.ts';

const market = { enum: ['spot', 'ondemand'] } as const;
const amount = { type: 'number', minimum: 0 } as const;

export const getOverview = defineOperation({
  name: 'GetOverview',
  bus: 'query',
  role: 'viewer',
  title: 'Show capacity, cost and the calls of Host Factory at a glance',
  input: {
    hours: { type: 'integer', minimum: 1, maximum: 720, description: 'How far to look back; default 24' },
  },
  answer: named(
    'Overview',
    closed({
      at: time,
      from: time,
      step: { ...number, description: 'Milliseconds from one point of a series to the next' },
      templates: listOf(
        closed({
          templateId: words,
          maxNumber: { type: 'integer', description: '-1: no limit' },
          providerApi: words,
          priceType: words,
          running: number,
          pending: number,
          isProtected: { ...flag, description: 'Whether it launches nothing because all its last machines failed' },
        }),
      ),
      capacity: listOf(closed({ templateId: words, machines: { ...listOf(number), description: 'From `from` on' } })),
      refusals: listOf(closed({ at: time, templateId: words, code: words, missing: number, requestId: words })),
      costs: listOf(
        closed(
          {
            templateId: words,
            priceType: market,
            hours: { ...amount, description: 'Of machines' },
            usd: {
              ...amount,
              description: 'At prices known at launch, else at the latest; absent if one is not known',
            },
            launchPricedUsd: { ...amount, description: 'How much of usd goes by prices known at launch' },
            savings: {
              type: 'number',
              description: 'USD that spot saved against On-Demand; absent on demand or if a price is not known',
            },
          },
          ['usd', 'launchPricedUsd', 'savings'],
        ),
      ),
      requests: closed({ running: number, complete: number, complete_with_error: number, cancelled: number }),
      calls: listOf(
        closed({
          operation: words,
          calls: number,
          median: { ...amount, description: 'Median in milliseconds, as the end of its bucket' },
          slowest: { ...amount, description: '99th percentile in milliseconds, likewise' },
        }),
      ),
      lastCalls: listOf(closed({ by: { ...words, description: 'A script, hf-aws, REST or MCP' }, at: time })),
      aws: closed({ calls: number, errors: number, throttles: number }),
      warnings: texts,
    }),
  ),
});

export type GetOverviewAnswer = AnswerOf<typeof getOverview>;

export interface GetOverviewPorts {
  readonly readModel: Pick<ReadModel, 'read'>;
  readonly templates: TemplateCatalog;
  readonly failures: Pick<LaunchFailures, 'of'>;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor'>;
  readonly prices: Pick<PriceMemory, 'read' | 'history'>;
  readonly usage: () => Promise<MetricValues>;
  readonly clock: Clock;
}

const hour = 3_600_000;
/** Points of a series. */
const parts = 240;
/** Only the latest are shown. */
const mostRefusals = 200;

/** Rows by template and state, told by their text, of which JSON has no other such pair: see listing.ts. */
const countMachines = (rows: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const [, state = ''] = /"status":"(running|pending)"/.exec(row) ?? [];
    const [, templateId = ''] = /"templateId":"([^"\\]*)"/.exec(row) ?? [];
    if (state !== '') counts.set(`${state} ${templateId}`, (counts.get(`${state} ${templateId}`) ?? 0) + 1);
  }
  return counts;
};

const ofTemplates = async (
  { templates, failures, policy }: GetOverviewPorts,
  machines: readonly string[],
): Promise<Pick<GetOverviewAnswer, 'templates' | 'warnings'>> => {
  const counts = countMachines(machines);
  try {
    const offered = (await templates.read()).templates.map(async (template) => {
      const { templateId, maxNumber, priceType } = template;
      return {
        templateId,
        maxNumber,
        providerApi: providerApiOf(template),
        priceType,
        running: counts.get(`running ${templateId}`) ?? 0,
        pending: counts.get(`pending ${templateId}`) ?? 0,
        isProtected: isProtected(policy, await failures.of(templateId)),
      };
    });
    return { templates: await Promise.all(offered), warnings: [] };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return { templates: [], warnings: [messageOf(error)] };
  }
};

const countRequests = (rows: readonly string[]): GetOverviewAnswer['requests'] => {
  const withStatus = (status: string): number => rows.filter((row) => row.includes(`"status":"${status}"`)).length;
  return {
    running: withStatus('running'),
    complete: withStatus('complete'),
    complete_with_error: withStatus('complete_with_error'),
    cancelled: withStatus('cancelled'),
  };
};

const labelled = (values: MetricValues, name: string) =>
  Object.entries(values).flatMap(([key, value]) => {
    if (!key.startsWith(`${name}{`)) return [];
    const labels = [...key.matchAll(/\b(\w+)="([^"]*)"/g)].map(([, label = '', text = '']) => [label, text] as const);
    return [{ labels: new Map(labels), value }];
  });

/** The end of the bucket in which this share of all is reached, ms. */
const within = (buckets: readonly (readonly [end: number, count: number])[], share: number): number => {
  const rising = buckets.toSorted(([a], [b]) => a - b);
  const needed = rising.reduce((sum, [, count]) => sum + count, 0) * share;
  let seen = 0;
  const reached = rising.find(([, count]) => {
    seen += count;
    return seen >= needed;
  });
  return reached?.[0] ?? 0;
};

/** The value shown for calls slower than all buckets, ms. */
const slowest = 60_000;

const ofCalls = (values: MetricValues): Pick<GetOverviewAnswer, 'calls' | 'lastCalls' | 'aws'> => {
  const buckets = new Map<string, [number, number][]>();
  for (const { labels, value } of labelled(values, 'call_duration_ms_bucket')) {
    const end = labels.get('le') === '+Inf' ? slowest : Number(labels.get('le'));
    const call = labels.get('call') ?? '';
    buckets.set(call, [...(buckets.get(call) ?? []), [end, value]]);
  }
  const sum = (name: string): number => labelled(values, name).reduce((total, { value }) => total + value, 0);
  return {
    calls: [...buckets].map(([operation, ends]) => ({
      operation,
      calls: ends.reduce((total, [, count]) => total + count, 0),
      median: within(ends, 0.5),
      slowest: within(ends, 0.99),
    })),
    lastCalls: labelled(values, 'last_call_timestamp_seconds').map(({ labels, value }) => ({
      by: labels.get('entry') ?? '',
      at: isoTime(value * 1000),
    })),
    aws: { calls: sum('aws_calls'), errors: sum('aws_errors'), throttles: sum('aws_throttles') },
  };
};

/** Everything that a page shows at a glance, from our own records: AWS is not asked. */
export const getOverviewHandler =
  (ports: GetOverviewPorts): HandlerOf<typeof getOverview> =>
  async ({ hours = 24 }) => {
    const { readModel, prices, usage, clock } = ports;
    const to = clock();
    const window = { from: to - hours * hour, to };
    const machines = await readModel.read('machines');
    const requests = await readModel.read('requests');
    const capacity = await readModel.read('capacity');
    const rows = capacity.rows.map((row): unknown => JSON.parse(row)).filter(isCapacityRow);
    const refusals = rows
      .flatMap(({ requestId, templateId, refusals: own }) => own.map((each) => ({ ...each, requestId, templateId })))
      .filter(({ at }) => at >= window.from)
      .sort((a, b) => b.at - a.at)
      .slice(0, mostRefusals);
    const offered = await ofTemplates(ports, machines.rows);
    return {
      at: isoTime(to),
      from: isoTime(window.from),
      step: (window.to - window.from) / parts,
      templates: offered.templates,
      capacity: capacitySeries(rows, window, parts),
      refusals: refusals.map((each) => ({ ...each, at: isoTime(each.at) })),
      costs: capacityCost(rows, window, { latest: await prices.read(), history: await prices.history() }),
      requests: countRequests(requests.rows),
      ...ofCalls(await usage()),
      warnings: [...offered.warnings, ...requests.warnings],
    };
  };
