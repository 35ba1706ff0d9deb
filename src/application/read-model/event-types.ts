import type { StreamEvent } from '../ports/streams.ts';

const known: Readonly<Record<StreamEvent['type'], true>> = {
  RequestCreated: true,
  LaunchIntended: true,
  LaunchRepeated: true,
  LaunchThrottled: true,
  CapacityGranted: true,
  CapacityRefused: true,
  ResourceCreated: true,
  ResourceChanged: true,
  SearchExplained: true,
  MachinesObserved: true,
  MachinesMissed: true,
  MachinesGivenUp: true,
  MachinesDisowned: true,
  MachinesLeftGroup: true,
  MachineStatusReported: true,
  MachinesReturned: true,
  RequestClaimed: true,
  RequestCancelled: true,
  RequestCompleted: true,
  ReturnRequested: true,
  ReturnProgressed: true,
  ReturnCompleted: true,
};

/** What can happen, by the names of the events. */
export const eventTypes: readonly string[] = Object.keys(known);
