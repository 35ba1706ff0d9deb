import type { RequestEvent } from '../../domain/request/events.ts';
import { isRequestEvent } from '../life-cycle/streams.ts';
import { type MachineUse, usesOf } from '../read-model/machine-use.ts';
import type { Projection } from './projection.ts';

/** Machines of one kind that came and went together. */
export interface CapacitySpan extends Pick<MachineUse, 'instanceType' | 'priceType' | 'zone'> {
  readonly machines: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  /** Absent while they are there. */
  readonly until?: number;
}

/** What one request had over time, and what it was refused. */
export interface CapacityRow {
  readonly requestId: string;
  readonly templateId: string;
  readonly spans: readonly CapacitySpan[];
  readonly refusals: readonly { readonly at: number; readonly code: string; readonly missing: number }[];
}

/** Those that are alike in everything, counted. */
const spansOf = (uses: readonly MachineUse[]): readonly CapacitySpan[] => {
  const spans = new Map<string, CapacitySpan>();
  for (const { instanceType, priceType, zone, from, until } of uses) {
    const key = [instanceType, priceType, zone, from, until].join(' ');
    spans.set(key, {
      instanceType,
      priceType,
      ...(zone === undefined ? {} : { zone }),
      machines: (spans.get(key)?.machines ?? 0) + 1,
      from,
      ...(until === undefined ? {} : { until }),
    });
  }
  return [...spans.values()];
};

const handled: ReadonlySet<string> = new Set([
  'RequestCreated',
  'CapacityGranted',
  'CapacityRefused',
  'MachinesObserved',
  'MachinesMissed',
  'MachinesGivenUp',
  'MachinesDisowned',
  'MachinesReturned',
  'MachineStatusReported',
]);

/** How many machines each request had, from when to when. */
export const capacityProjection: Projection<readonly RequestEvent[]> = {
  name: 'capacity',
  handles: (type) => handled.has(type),
  clear: () => [],
  apply: (events, event) => (isRequestEvent(event) ? [...events, event] : events),
  rows: ({ requestId, state: events }) => {
    const [created] = events;
    if (created?.type !== 'RequestCreated') return [];
    const refusals = events.flatMap((event) =>
      event.type === 'CapacityRefused'
        ? [{ at: event.at, code: event.refusal.code, missing: event.refusal.missing }]
        : [],
    );
    const { templateId } = created.template;
    return [{ requestId, templateId, spans: spansOf(usesOf(events)), refusals } satisfies CapacityRow];
  },
  keepsArchived: false,
};
