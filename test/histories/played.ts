import type { StreamEvent } from '../../src/application/ports/streams.ts';
import { isReturnId } from '../../src/domain/ids.ts';
import { type Kind, kindNames } from './kinds.ts';

/** How often each event was appended, by `<kind of capacity> <type of event>`; returns are a kind of their own. */
export type Played = Map<string, number>;

/** Counts the events of one history. */
export const noter = (played: Played): ((id: string, events: readonly StreamEvent[]) => void) => {
  const kinds = new Map<string, string>();
  return (id, events) => {
    for (const event of events) {
      if (event.type === 'RequestCreated') kinds.set(id, event.template.templateId);
      const cell = `${isReturnId(id) ? 'return' : kinds.get(id)} ${event.type}`;
      played.set(cell, (played.get(cell) ?? 0) + 1);
    }
  };
};

type EventType = StreamEvent['type'];

/** What every kind of capacity meets in some hundred histories. */
const common = [
  ...(['RequestCreated', 'LaunchIntended', 'CapacityGranted', 'RequestClaimed'] as const),
  ...(['MachinesReturned', 'RequestCompleted'] as const),
] satisfies readonly EventType[];

/** What every kind meets in some thousand. */
const rarer = ['MachinesObserved', 'CapacityRefused', 'RequestCancelled', 'LaunchRepeated'] satisfies EventType[];

/** What fleets and groups meet besides: the others have nothing that lasts. */
const ofResources = ['ResourceCreated', 'ResourceChanged', 'SearchExplained'] satisfies EventType[];
const withoutResource: readonly Kind[] = ['RunInstances', 'RunInstancesSpot', 'instant'];

/** What is met by one kind or the other. */
const elsewhere = [
  ...(['MachinesMissed', 'MachinesGivenUp', 'MachinesLeftGroup', 'MachineStatusReported'] as const),
  ...(['ReturnRequested', 'ReturnProgressed', 'ReturnCompleted'] as const),
] satisfies EventType[];

/** Every cell that so many histories fill and these did not: a kind, a fault or a step that nobody plays any more. */
export const missing = (played: Played, histories: number): readonly string[] => {
  const ofAll = histories >= 5000 ? [...common, ...rarer] : common;
  const cells = kindNames.flatMap((kind) =>
    [...ofAll, ...(withoutResource.includes(kind) ? [] : ofResources)].map((type) => `${kind} ${type}`),
  );
  const met = new Set([...played.keys()].map((cell) => cell.split(' ')[1]));
  return [...cells.filter((cell) => !played.has(cell)), ...elsewhere.filter((type) => !met.has(type))];
};

/** A row for each event, a column for each kind. */
export const tableOf = (played: Played): string => {
  const columns = [...kindNames, 'return'];
  const types = [...new Set([...played.keys()].map((cell) => cell.split(' ')[1] ?? ''))].sort();
  const row = (first: string, cells: readonly string[]): string =>
    first.padEnd(22) + cells.map((cell, n) => cell.padStart((columns[n] ?? '').length + 2)).join('');
  return [
    row('', columns),
    ...types.map((type) =>
      row(
        type,
        columns.map((kind) => String(played.get(`${kind} ${type}`) ?? '-')),
      ),
    ),
  ].join('\n');
};
