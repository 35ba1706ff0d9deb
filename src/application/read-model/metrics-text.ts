import type { GetMetricsAnswer } from '../queries/get-metrics.ts';
import { bucketEnds } from './metric-values.ts';

const prefix = 'hf_aws_';

/** What the metrics mean; also the order in which they are shown. */
const meanings: Readonly<Record<string, string>> = {
  build_info: 'The version of the program',
  last_call_timestamp_seconds: 'When a script of Host Factory, the command line, REST or an assistant last called',
  requests_created: 'Requests for machines',
  requests_cancelled: 'Requests that were cancelled',
  machines_wanted: 'Machines asked for',
  machines_granted: 'Machines granted by AWS',
  machines_refused: 'Machines refused by AWS, by AWS error code',
  machines_given_up: 'Machines terminated because they never became usable or their request was cancelled',
  machines_returned: 'Machines returned',
  returns_requested: 'Return requests',
  aws_calls: 'Calls to AWS, retries included',
  aws_errors: 'Failed calls to AWS, by error code',
  aws_throttles: 'Calls throttled by AWS',
  operation_errors: 'Failed commands and queries, by error code',
  operation_duration_ms: 'Duration of commands and queries in milliseconds',
  call_duration_ms:
    'Duration of script calls in milliseconds, by who served them: a process of their own or the server',
  machines: 'Machines on record by state',
  machine_results: 'Machines on record by result: fail means that they died or never became usable',
  requests: 'Requests on record by status',
  template_max_machines: 'Machines a template may have at once; absent for templates without a limit',
  template_protected: '1 while a template launches nothing because its last machines all failed',
  day_machine_hours: 'Machine hours of the last 24 hours, by template and market',
  day_cost_usd:
    'Cost in USD of the last 24 hours at prices known at launch, else at the latest; absent where one is not known',
  projection_lag_streams: 'Requests with events not yet applied by a projection',
};

const split = (name: string): readonly [string, string] => {
  const brace = name.indexOf('{');
  return brace < 0 ? [name, ''] : [name.slice(0, brace), name.slice(brace + 1, -1)];
};

type Sample = readonly [labels: string, value: number];

const lines = (name: string, samples: readonly Sample[]): readonly string[] =>
  samples.map(([labels, value]) => `${prefix}${name}${labels === '' ? '' : `{${labels}}`} ${value}`);

/** `operation="X",le="25"` as the operation's labels and the bucket's upper end. */
const bucketForm = /^(.*),le="([^"]+)"$/;

/** Our buckets count what fell into each; Prometheus wants what fell into it or below, all buckets in every series. */
const cumulative = (name: string, buckets: readonly Sample[]): readonly string[] => {
  const series = new Map<string, Map<number, number>>();
  const ends = new Set([...bucketEnds, Infinity]);
  for (const [labels, count] of buckets) {
    const [, base = '', le = ''] = bucketForm.exec(labels) ?? [];
    const end = le === '+Inf' ? Infinity : Number(le);
    series.set(base, (series.get(base) ?? new Map<number, number>()).set(end, count));
    ends.add(end);
  }
  const rising = [...ends].sort((a, b) => a - b);
  return [...series].flatMap(([base, counts]) => {
    let total = 0;
    const rows = rising.map((end): Sample => {
      total += counts.get(end) ?? 0;
      return [`${base},le="${end === Infinity ? '+Inf' : end}"`, total];
    });
    return [...lines(`${name}_bucket`, rows), ...lines(`${name}_count`, [[base, total]])];
  });
};

/** The metrics in Prometheus' text format (version 0.0.4). */
export const metricsText = ({ counters, gauges }: GetMetricsAnswer): string => {
  const byName = new Map<string, Sample[]>();
  for (const [key, value] of [...Object.entries(counters), ...Object.entries(gauges)]) {
    const [name, labels] = split(key);
    byName.set(name, [...(byName.get(name) ?? []), [labels, value]]);
  }
  const isGauge = new Set(Object.keys(gauges).map((key) => split(key)[0]));
  const families = Object.entries(meanings).map(([name, help]) => {
    const buckets = byName.get(`${name}_bucket`);
    const samples = [...(byName.get(name) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const kind = isGauge.has(name) ? 'gauge' : 'counter';
    if (buckets !== undefined) {
      const rows = [...cumulative(name, buckets), ...lines(`${name}_sum`, byName.get(`${name}_sum`) ?? [])];
      return [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} histogram`, ...rows];
    }
    return samples.length === 0
      ? []
      : [`# HELP ${prefix}${name} ${help}`, `# TYPE ${prefix}${name} ${kind}`, ...lines(name, samples)];
  });
  return `${families.flat().join('\n')}\n`;
};
