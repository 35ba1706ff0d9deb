import { expect, it } from 'vitest';
import { bucketEnds } from '../../../../src/application/read-model/metric-values.ts';
import { metricsText } from '../../../../src/application/read-model/metrics-text.ts';

const bucketForm = /^hf_aws_operation_duration_ms_bucket\{operation="(\w+)",le="([^"]+)"\} (\d+)$/;

it('every series of the histogram has all buckets, which rise to its count: they may be summed over operations', () => {
  const counters = {
    'operation_duration_ms_bucket{operation="Quick",le="5"}': 3,
    'operation_duration_ms_bucket{operation="Quick",le="250"}': 1,
    'operation_duration_ms_bucket{operation="Slow",le="1000"}': 2,
    'operation_duration_ms_bucket{operation="Slow",le="+Inf"}': 4,
    'operation_duration_ms_sum{operation="Quick"}': 20,
    'operation_duration_ms_sum{operation="Slow"}': 90_000,
  };
  const lines = metricsText({ counters, gauges: {} }).split('\n');
  const rows = lines.flatMap((line) => {
    const [, operation, le, count] = bucketForm.exec(line) ?? [];
    return operation === undefined ? [] : [{ operation, le, count: Number(count) }];
  });
  const ends = [...bucketEnds.map(String), '+Inf'];
  for (const [operation, counts] of [
    ['Quick', [3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]],
    ['Slow', [0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 6]],
  ] as const) {
    const series = rows.filter((row) => row.operation === operation);
    expect(series.map(({ le }) => le)).toEqual(ends);
    expect(series.map(({ count }) => count)).toEqual(counts);
    expect(lines).toContain(`hf_aws_operation_duration_ms_count{operation="${operation}"} ${counts.at(-1)}`);
  }
});

it('what is so at a moment is a gauge, what only grows a counter', () => {
  const text = metricsText({
    counters: { 'aws_calls{action="RunInstances"}': 2 },
    gauges: { 'last_call_timestamp_seconds{entry="getReturnRequests"}': 1_767_225_600 },
  });
  expect(text).toContain('# TYPE hf_aws_aws_calls counter\nhf_aws_aws_calls{action="RunInstances"} 2\n');
  expect(text).toContain(
    '# TYPE hf_aws_last_call_timestamp_seconds gauge\nhf_aws_last_call_timestamp_seconds{entry="getReturnRequests"} 1767225600\n',
  );
});
