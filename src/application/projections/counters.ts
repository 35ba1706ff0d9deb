import type { RecordedEvent } from '../ports/streams.ts';
import type { MetricValues } from '../ports/telemetry.ts';
import { metricName, sumMetrics } from '../read-model/metric-values.ts';
import type { Projection } from './projection.ts';

interface Counted {
  readonly template: string;
  readonly figures: MetricValues;
}

/** What one event adds. */
const countsOf = (event: RecordedEvent, template: string): MetricValues => {
  switch (event.type) {
    case 'RequestCreated':
      return {
        [metricName('requests_created', { template })]: 1,
        [metricName('machines_wanted', { template })]: event.wanted,
      };
    case 'CapacityGranted':
      return { [metricName('machines_granted', { template })]: event.machines.length };
    case 'CapacityRefused':
      return { [metricName('machines_refused', { template, code: event.refusal.code })]: event.refusal.missing };
    case 'MachinesGivenUp':
      return { [metricName('machines_given_up', { template })]: event.machineIds.length };
    case 'MachinesReturned':
      return { [metricName('machines_returned', { template })]: event.machineIds.length };
    case 'RequestCancelled':
      return { [metricName('requests_cancelled', { template })]: 1 };
    case 'ReturnRequested':
      return { [metricName('returns_requested')]: 1 };
    default:
      return {};
  }
};

const handled: ReadonlySet<string> = new Set([
  'RequestCreated',
  'CapacityGranted',
  'CapacityRefused',
  'MachinesGivenUp',
  'MachinesReturned',
  'RequestCancelled',
  'ReturnRequested',
]);

/** What happened so far, in metrics that only grow: archived requests count on. */
export const countersProjection: Projection<Counted> = {
  name: 'counters',
  handles: (type) => handled.has(type),
  clear: () => ({ template: '', figures: {} }),
  apply: ({ template: known, figures }, event) => {
    const template = event.type === 'RequestCreated' ? event.template.templateId : known;
    return { template, figures: sumMetrics([figures, countsOf(event, template)]) };
  },
  rows: ({ state }) => [state.figures],
  keepsArchived: true,
};
