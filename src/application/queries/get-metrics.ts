import { isPluginError } from '../../domain/errors.ts';
import { closed, type FromSchema } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag } from '../bus/shapes.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures, PriceMemory } from '../ports/memory.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { ReadModel } from '../ports/read-model.ts';
import type { MetricValues } from '../ports/telemetry.ts';
import type { TemplateCatalog } from '../ports/templates.ts';
import { isLastTime, metricName, sumMetrics } from '../read-model/metric-values.ts';

const metrics = { type: 'object', additionalProperties: { type: 'number' } } as const;

export const getMetrics = defineOperation({
  name: 'GetMetrics',
  bus: 'query',
  role: 'viewer',
  title: 'Show metrics of requests, machines, operations and AWS calls',
  input: {
    costs: { ...flag, description: 'With machine hours and cost of the last 24 hours; default false' },
  },
  answer: closed({
    counters: { ...metrics, description: 'Counters' },
    gauges: { ...metrics, description: 'Gauges' },
  }),
});

export type GetMetricsAnswer = FromSchema<typeof getMetrics.answer>;

export interface GetMetricsPorts {
  readonly readModel: Pick<ReadModel, 'read' | 'status'>;
  /** What all processes counted so far. */
  readonly usage: () => Promise<MetricValues>;
  readonly templates: TemplateCatalog;
  readonly failures: Pick<LaunchFailures, 'of'>;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor'>;
  readonly prices: Pick<PriceMemory, 'read' | 'history'>;
  readonly clock: Clock;
  readonly version: string;
}

const isMetrics = (value: unknown): value is MetricValues =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'number');

/** Sums rows of metrics. Most are the same as many others: each text is parsed once. */
const sumRows = (rows: readonly string[]): MetricValues => {
  const times = new Map<string, number>();
  for (const row of rows) times.set(row, (times.get(row) ?? 0) + 1);
  return sumMetrics(
    [...times].map(([row, count]) => {
      const value: unknown = JSON.parse(row);
      const metrics = isMetrics(value) ? value : {};
      return Object.fromEntries(Object.entries(metrics).map(([name, each]) => [name, each * count]));
    }),
  );
};

/** Counts rows by some of their fields, which are told by the text: see listing.ts. */
const countBy = (name: string, rows: readonly string[], fields: Readonly<Record<string, string>>): MetricValues => {
  const counts = new Map<string, number>();
  const forms = Object.entries(fields).map(
    ([label, field]) => [label, new RegExp(`"${field}":"([^"\\\\]*)"`)] as const,
  );
  for (const row of rows) {
    const labels = forms.map(([label, form]) => [label, form.exec(row)?.[1] ?? '']);
    const key = metricName(name, Object.fromEntries(labels));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
};

/** Nothing where the templates cannot be read: the other metrics are still answered. */
const ofTemplates = async ({ templates, failures, policy }: GetMetricsPorts): Promise<MetricValues> => {
  try {
    const offered = (await templates.read()).templates;
    const metrics = offered.map(async ({ templateId: template, maxNumber }) => ({
      ...(maxNumber < 0 ? {} : { [metricName('template_max_machines', { template })]: maxNumber }),
      [metricName('template_protected', { template })]: isProtected(policy, await failures.of(template)) ? 1 : 0,
    }));
    return sumMetrics(await Promise.all(metrics));
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return {};
  }
};

const day = 86_400_000;

/** Gauges, not counters: requests that are set aside leave the records, so that a sum over all would fall. */
const ofLastDay = async ({ readModel, prices, clock }: GetMetricsPorts): Promise<MetricValues> => {
  // Loaded here: scripts write the text file without it.
  const { capacityCost, isCapacityRow } = await import('../read-model/capacity-series.ts');
  const to = clock();
  const { rows } = await readModel.read('capacity');
  const spans = rows.map((row): unknown => JSON.parse(row)).filter(isCapacityRow);
  const known = { latest: await prices.read(), history: await prices.history() };
  const costs = capacityCost(spans, { from: to - day, to }, known);
  return sumMetrics(
    costs.map(({ templateId: template, priceType: market, hours, usd }) => ({
      [metricName('day_machine_hours', { template, market })]: hours,
      ...(usd === undefined ? {} : { [metricName('day_cost_usd', { template, market })]: usd }),
    })),
  );
};

const pick = (metrics: MetricValues, isWanted: (name: string) => boolean): MetricValues =>
  Object.fromEntries(Object.entries(metrics).filter(([name]) => isWanted(name)));

/** Metrics of requests, machines, operations and AWS calls, over all processes that ever ran on this work folder. */
export const getMetricsHandler =
  (ports: GetMetricsPorts): HandlerOf<typeof getMetrics> =>
  async ({ costs = false }) => {
    const { readModel, version } = ports;
    const lag = (await readModel.status()).map(({ name, behind }) => ({
      [metricName('projection_lag_streams', { projection: name })]: behind,
    }));
    const { rows: counted } = await readModel.read('counters');
    const { rows: machines } = await readModel.read('machines');
    const { rows: requests } = await readModel.read('requests');
    const used = await ports.usage();
    return {
      counters: sumMetrics([sumRows(counted), pick(used, (name) => !isLastTime(name))]),
      gauges: sumMetrics([
        ...lag,
        { [metricName('build_info', { version })]: 1 },
        pick(used, isLastTime),
        countBy('machines', machines, { state: 'status', template: 'templateId' }),
        countBy('machine_results', machines, { result: 'result', template: 'templateId' }),
        countBy('requests', requests, { status: 'status', kind: 'kind' }),
        await ofTemplates(ports),
        costs ? await ofLastDay(ports) : {},
      ]),
    };
  };
