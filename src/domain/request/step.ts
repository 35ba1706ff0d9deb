import type { Machine } from '../machine.ts';
import type { ProviderApi, Template } from '../template/template.ts';
import type { RequestCommand } from './commands.ts';
import type { Look } from './look.ts';
import type { HeldResource, Launch } from './state.ts';
import type { TargetUnits } from './units.ts';

/** How the search of a fleet or group came to its end, as it is put on record. */
export type EndOfSearch = Pick<Extract<RequestCommand, { type: 'ChangeResource' }>, 'resourceId' | 'stage' | 'refusal'>;

export type Step =
  /** The first time. */
  | { readonly do: 'send'; readonly launch: Launch }
  /** The answer was lost. `otherwise` is recorded where this one is lost as well. */
  | { readonly do: 'resend'; readonly launch: Launch; readonly otherwise: readonly RequestCommand[] }
  | {
      /** Prepares the next launch and puts it on record, `instead` of a search that has ended short. */
      readonly do: 'launch';
      readonly attempt: number;
      readonly template: Template;
      readonly api: ProviderApi;
      readonly count: number;
      readonly instead?: EndOfSearch;
    }
  | { readonly do: 'tag'; readonly resource: HeldResource; readonly machineIds: readonly string[] }
  /** Looks for machines that have come since the look, `before` or `after` AWS ends the search. */
  | { readonly do: 'look-again'; readonly resource: HeldResource; readonly when: 'before' | 'after' }
  | {
      readonly do: 'end-search';
      readonly resource: HeldResource;
      readonly hold: TargetUnits;
      readonly isShort: boolean;
      /** Whether it is left to itself where AWS does not end it. */
      readonly mayStay: boolean;
    }
  | { readonly do: 'close'; readonly end: EndOfSearch }
  | { readonly do: 'aim'; readonly resource: HeldResource; readonly hold: TargetUnits }
  | { readonly do: 'remove'; readonly resource: HeldResource }
  | {
      readonly do: 'terminate';
      readonly machines: readonly Machine[];
      /** Those of them that were not given up before, and why they are. */
      readonly late: readonly string[];
      readonly reason: string;
    }
  /** Dead machines are taken out of what a group of the administrator's counts. */
  | { readonly do: 'leave-group'; readonly resource: HeldResource; readonly machineIds: readonly string[] }
  | { readonly do: 'tag-with-id'; readonly machineIds: readonly string[] }
  | { readonly do: 'explain'; readonly resource: HeldResource };

const keysOf = (step: Step): readonly string[] => {
  switch (step.do) {
    case 'send':
    case 'resend':
      return [`${step.do} ${step.launch.clientToken}`];
    case 'launch':
      return [`launch ${step.attempt}`];
    case 'tag':
    case 'tag-with-id':
    case 'leave-group':
      return step.machineIds.map((machineId) => `${step.do} ${machineId}`);
    case 'look-again':
      return [`look-again ${step.when} ${step.resource.id}`];
    case 'close':
      return [`close ${step.end.resourceId}`];
    case 'terminate':
      return ['terminate'];
    default:
      return [`${step.do} ${step.resource.id}`];
  }
};

export const isTried = ({ tried }: Look, step: Step): boolean => keysOf(step).every((key) => tried.has(key));

/** Whatever came of a step, it is not due again on the same look. */
export const withTried = (look: Look, step: Step): Look => ({
  ...look,
  tried: new Set([...look.tried, ...keysOf(step)]),
});

/** What goes on record before AWS is asked. */
export const intentOf = (step: Step, now: number): readonly RequestCommand[] => {
  if (step.do === 'resend') return [{ type: 'RepeatLaunch', now, clientToken: step.launch.clientToken }];
  if (step.do === 'terminate') return [{ type: 'GiveUp', now, machineIds: step.late, reason: step.reason }];
  return [];
};
