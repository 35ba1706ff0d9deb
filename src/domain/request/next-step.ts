import { type DuePolicy, due } from './due.ts';
import { type Look, noLook } from './look.ts';
import type { KnownRequest } from './state.ts';
import type { Step } from './step.ts';
import { fillingResources, unresolvedLaunches } from './units.ts';

/** What is done about a request next, where AWS shows nothing new. */
export interface NextStep {
  /** The kind of the step; `look` where nothing but a look at AWS is due. */
  readonly do: Step['do'] | 'look';
  /** For people. */
  readonly text: string;
}

/** A look that shows everything as it is on record. */
const unchanged = (request: KnownRequest, at: number): Look => ({
  ...noLook(at),
  isAwsTime: true,
  known: request.machines,
  sought: new Set(unresolvedLaunches(request).map(({ clientToken }) => clientToken)),
  resources: new Map(fillingResources(request).map(({ id }) => [id, { state: 'active', machineIds: [] }])),
});

/** Ids for people: the first of them, and how many more there are. */
export const listed = (ids: readonly string[]): string =>
  ids.length > 4 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ');

const textOf = (step: Step): string => {
  switch (step.do) {
    case 'send':
      return `send the launch of ${step.launch.count}, ${step.launch.pool}`;
    case 'resend':
      return `repeat the launch of ${step.launch.count}, ${step.launch.pool}; its token keeps anything from being launched twice`;
    case 'launch':
      return step.instead === undefined
        ? `ask the next pool of ${step.api} for ${step.count}`
        : `ask for the missing ${step.count} on demand, by ${step.api}`;
    case 'tag':
      return `tag ${listed(step.machineIds)} as ours`;
    case 'tag-with-id':
      return `tag ${listed(step.machineIds)} with their own ids`;
    case 'look-again':
      return `look for machines that ${step.resource.kind} ${step.resource.id} has brought by now, then end its search`;
    case 'end-search':
      return `end the search of ${step.resource.kind} ${step.resource.id} at ${step.hold.total}`;
    case 'close':
      return `record that the search of ${step.end.resourceId} has ended`;
    case 'aim':
      return `lower the target of ${step.resource.kind} ${step.resource.id} to ${step.hold.total}`;
    case 'remove':
      return `remove ${step.resource.kind} ${step.resource.id}`;
    case 'terminate':
      return `terminate ${listed(step.machines.map(({ machineId }) => machineId))}: ${step.reason}`;
    case 'leave-group':
      return `lower the desired capacity of ${step.resource.kind} ${step.resource.id} by ${listed(step.machineIds)}, which died`;
    case 'explain':
      return `ask AWS why ${step.resource.kind} ${step.resource.id} finds no more`;
  }
};

/** Where nothing but a look at AWS is due. */
export const nothingDue = { do: 'look', text: 'nothing, unless AWS shows a change' } as const;

/** Undefined where the request is over and nothing is left to do. */
export const nextStep = (request: KnownRequest, now: number, policy: DuePolicy): NextStep | undefined => {
  const step = due(request, unchanged(request, now), policy);
  if (step !== undefined) return { do: step.do, text: textOf(step) };
  return request.stage === 'open' ? nothingDue : undefined;
};
