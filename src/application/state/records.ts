import { hasCode, messageOf } from '../../domain/errors.ts';
import type { StatePlace } from '../ports/state-copy.ts';
import type { CapacityClaim, RecordedEvent, Stream } from '../ports/streams.ts';

/** Calls to a table that run side by side. */
const atOnce = 8;

/** Does the work for each, some at a time; the first fault ends it. */
export const forEach = async <T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> => {
  const left = [...items].values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
};

/** A stream, or why it cannot be read. */
export const readStream = async (place: StatePlace, id: string): Promise<Stream | string> => {
  try {
    return await place.store.streams.load(id);
  } catch (error) {
    if (!hasCode(error, 'storage.unreadable')) throw error;
    return messageOf(error);
  }
};

/** The number of events that both begin with. */
export const commonEvents = ({ events }: Stream, other: Stream): number => {
  const differing = events.findIndex((event, n) => JSON.stringify(event) !== JSON.stringify(other.events[n]));
  return differing < 0 ? events.length : differing;
};

/** What events tell of where else there is something of a request. */
export interface Traces {
  /** Auto Scaling groups of the administrator's. */
  readonly groups: Set<string>;
  readonly commandIds: Set<string>;
  readonly machineIds: Set<string>;
}

export const noTraces = (): Traces => ({ groups: new Set(), commandIds: new Set(), machineIds: new Set() });

export const noteTraces = ({ groups, commandIds, machineIds }: Traces, events: readonly RecordedEvent[]): void => {
  for (const event of events) {
    const { type, commandId } = event;
    if (commandId !== undefined) commandIds.add(commandId);
    if (type === 'RequestCreated' && event.template.autoScalingGroupName !== undefined)
      groups.add(event.template.autoScalingGroupName);
    if (type === 'ResourceCreated' && event.resource.kind === 'ASG' && !event.resource.ours)
      groups.add(event.resource.id);
    if (type === 'CapacityGranted' || type === 'MachinesObserved')
      for (const { machineId } of event.machines) machineIds.add(machineId);
  }
};

export const claimKey = ({ templateId, requestId }: CapacityClaim): string => `${templateId} ${requestId}`;
