import type { RecordedEvent } from '../ports/streams.ts';
import type { Figures } from '../ports/telemetry.ts';
import { figure, sumFigures } from '../read-model/figures.ts';
import type { Projection } from './projection.ts';

interface Counted {
  readonly template: string;
  readonly figures: Figures;
}

/** What one event adds. */
const countsOf = (event: RecordedEvent, template: string): Figures => {
  switch (event.type) {
    case 'RequestCreated':
      return { [figure('requests_created', { template })]: 1, [figure('machines_wanted', { template })]: event.wanted };
    case 'CapacityGranted':
      return { [figure('machines_granted', { template })]: event.machines.length };
    case 'CapacityRefused':
      return { [figure('machines_refused', { template, code: event.refusal.code })]: event.refusal.missing };
    case 'MachinesGivenUp':
      return { [figure('machines_given_up', { template })]: event.machineIds.length };
    case 'MachinesReturned':
      return { [figure('machines_returned', { template })]: event.machineIds.length };
    case 'RequestCancelled':
      return { [figure('requests_cancelled', { template })]: 1 };
    case 'ReturnRequested':
      return { [figure('returns_requested')]: 1 };
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

/** What happened so far, in figures that only grow: archived requests count on. */
export const countersProjection: Projection<Counted> = {
  name: 'counters',
  handles: (type) => handled.has(type),
  clear: () => ({ template: '', figures: {} }),
  apply: ({ template: known, figures }, event) => {
    const template = event.type === 'RequestCreated' ? event.template.templateId : known;
    return { template, figures: sumFigures([figures, countsOf(event, template)]) };
  },
  rows: ({ state }) => [state.figures],
  keepsArchived: true,
};
