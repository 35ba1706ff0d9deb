import type { MetricValues, Observe, Span } from '../application/ports/telemetry.ts';
import { bucketEnds, metricName } from '../application/read-model/metric-values.ts';
import { isPluginError } from '../domain/errors.ts';

export interface Observer {
  readonly observe: Observe;
  /** What was counted since the last time somebody took it. */
  take(): MetricValues;
  /** The same without taking it. */
  peek(): MetricValues;
}

/** Not by `performance`, whose modules Node loads when it is first touched: that would cost a script more than all of this. */
const millisSince = (start: bigint): number => Number(process.hrtime.bigint() - start) / 1e6;

/** Without credentials nothing goes out. */
const wasSent = (error: unknown): boolean =>
  !isPluginError(error) || !(error.code.startsWith('configuration.') || error.aws?.code === 'CredentialsProviderError');

/** A script's own name, hf-aws, MCP, or REST whatever its route. */
const entryOf = (name: string): string => (name.includes(' ') ? 'REST' : name);

/** Counts operations and AWS calls, how long they take and how they fail; passes all on to `trace`. */
export const createObserver = (trace?: Observe): Observer => {
  let counted = new Map<string, number>();
  const add = (name: string, labels: Readonly<Record<string, string>>, value = 1): void => {
    const key = metricName(name, labels);
    counted.set(key, (counted.get(key) ?? 0) + value);
  };
  const countTime = (name: string, labels: Readonly<Record<string, string>>, ms: number): void => {
    const le = String(bucketEnds.find((end) => ms <= end) ?? '+Inf');
    add(`${name}_bucket`, { ...labels, le });
    add(`${name}_sum`, labels, ms);
  };
  const countFault = ({ kind, name }: Span, error: unknown): void => {
    const code = isPluginError(error) ? error.code : 'internal';
    if (kind === 'operation') add('operation_errors', { operation: name, code });
    if (kind !== 'aws' || !wasSent(error)) return;
    add('aws_calls', { action: name });
    add('aws_errors', { action: name, code });
    if (code === 'provider.throttled') add('aws_throttles', { action: name });
  };
  const observe: Observe = async (span, work) => {
    const started = process.hrtime.bigint();
    // A process of its own has taken time before it came here.
    const before = span.way === 'process' ? process.uptime() * 1000 : 0;
    if (span.kind === 'entry')
      counted.set(
        metricName('last_call_timestamp_seconds', { entry: entryOf(span.name) }),
        Math.floor(Date.now() / 1000),
      );
    try {
      const answer = await (trace === undefined ? work() : trace(span, work));
      if (span.kind === 'aws') add('aws_calls', { action: span.name });
      return answer;
    } catch (error) {
      countFault(span, error);
      throw error;
    } finally {
      const ms = before + millisSince(started);
      if (span.kind === 'operation') countTime('operation_duration_ms', { operation: span.name }, ms);
      if (span.way !== undefined) countTime('call_duration_ms', { call: span.name, way: span.way }, ms);
    }
  };
  return {
    observe,
    peek: () => Object.fromEntries(counted),
    take: () => {
      const taken = Object.fromEntries(counted);
      counted = new Map();
      return taken;
    },
  };
};
