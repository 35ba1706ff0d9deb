import { hasEnded, type MachineState } from '../machine.ts';
import type { ReturnItem } from './events.ts';
import { type KnownReturn, openItems } from './state.ts';

export type ReturnStep =
  /** Puts on record what was asked for or seen. */
  | { readonly do: 'record' }
  /** Tags hosts that a group of the administrator's has launched, where that did not succeed before. */
  | { readonly do: 'tag'; readonly items: readonly ReturnItem[] }
  /** Has hosts terminated, by their fleets and groups or by EC2. */
  | { readonly do: 'terminate'; readonly items: readonly ReturnItem[] }
  /** Notes on the requests that launched them that hosts have been given back. */
  | { readonly do: 'tell-requests'; readonly items: readonly ReturnItem[] }
  /** Removes what the hosts leave behind in fleets and groups. */
  | { readonly do: 'leave'; readonly items: readonly ReturnItem[] };

/** What there is to know about a return beside its own state. */
export interface ReturnLook {
  /** Its items as they were on record before; undefined of a return that is new. */
  readonly known: ReadonlyMap<string, ReturnItem> | undefined;
  /** The disk did not take what was to be put on record. */
  readonly isUnrecorded: boolean;
  /** Items that EC2 or their groups have taken on to end. */
  readonly accepted: readonly ReturnItem[];
  /** The steps taken on this look: none is taken twice. */
  readonly tried: ReadonlySet<ReturnStep['do']>;
}

export const newReturn: ReturnLook = { known: undefined, isUnrecorded: false, accepted: [], tried: new Set() };

/** States in which EC2 still has to be asked to terminate the instance. */
const aliveStates: ReadonlySet<MachineState> = new Set(['pending', 'running', 'stopping', 'stopped']);

/** Whether the terminate call has to go out (again). */
export const needsTermination = ({ verdict, last }: ReturnItem): boolean =>
  verdict === 'terminating' && last !== undefined && aliveStates.has(last.state);

const isEnding = (item: ReturnItem | undefined): boolean =>
  item?.verdict === 'gone' || item?.verdict === 'foreign' || (item?.last !== undefined && hasEnded(item.last.state));

/** Items that are going, taken for gone, or not ours to end, for the first time: their requests may not know yet. */
const newlyEnding = ({ items }: KnownReturn, { known }: ReturnLook): readonly ReturnItem[] =>
  [...items.values()].filter((item) => isEnding(item) && !isEnding(known?.get(item.key)));

type Rule = (request: KnownReturn, look: ReturnLook) => readonly ReturnItem[];

const tag: Rule = (request) => openItems(request).filter(({ isUntagged }) => isUntagged === true);

const terminate: Rule = (request) => openItems(request).filter(needsTermination);

/** A return that is not on record has to come again: nothing is noted of it elsewhere. */
const tellRequests: Rule = (request, look) =>
  look.isUnrecorded ? [] : [...look.accepted, ...newlyEnding(request, look)];

const leave: Rule = ({ stage, items }, { isUnrecorded }) =>
  stage === 'settled' && !isUnrecorded ? [...items.values()] : [];

const rules = { tag, terminate, 'tell-requests': tellRequests, leave } as const;

/** The record comes before hosts go. They go even where it cannot be written: whoever takes the step sees to that. */
const inOrder = ['record', 'tag', 'terminate', 'tell-requests', 'leave'] as const;
/** That a return is over is put on record last: nobody asks about it afterwards. */
const atItsEnd = ['tell-requests', 'leave', 'record'] as const;

/** The next thing to do about a return, after what was asked for or seen; all that the program will ever do about it. */
export const due = (request: KnownReturn, look: ReturnLook): ReturnStep | undefined => {
  for (const step of request.stage === 'settled' && look.known !== undefined ? atItsEnd : inOrder) {
    if (look.tried.has(step)) continue;
    if (step === 'record') return { do: step };
    const items = rules[step](request, look);
    if (items.length > 0) return { do: step, items };
  }
  return undefined;
};
