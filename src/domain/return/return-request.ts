import type { MachineState, Sighting } from '../machine.ts';

/**
 * How a host that Host Factory gives back stands:
 * `unseen` - EC2 has not shown it yet, or not with its tags, so its owner cannot be told; `terminating` - ours, EC2 was or will be
 * asked again;
 * `gone` - terminated or never there; `foreign` - it lacks our ownership tag and is never touched.
 */
type ReturnVerdict = 'unseen' | 'terminating' | 'gone' | 'foreign';

export interface ReturnItem {
  /** The instance id, or the host name where no id could be found. Unique within the request. */
  readonly key: string;
  readonly machineId: string;
  readonly name: string;
  readonly verdict: ReturnVerdict;
  readonly message: string;
  /** The request that launched it, from its tags. */
  readonly owner?: string;
  readonly instanceTags: string;
  readonly missedSince?: number;
  readonly last?: Sighting;
}

export type ReturnEvent =
  | { readonly type: 'ReturnRequested'; readonly at: number; readonly items: readonly ReturnItem[] }
  | { readonly type: 'ReturnProgressed'; readonly at: number; readonly items: readonly ReturnItem[] }
  | { readonly type: 'ReturnCompleted'; readonly at: number };

export interface KnownReturn {
  readonly stage: 'open' | 'settled';
  readonly createdAt: number;
  readonly settledAt?: number;
  readonly items: ReadonlyMap<string, ReturnItem>;
}

export type ReturnRequest = { readonly stage: 'absent' } | KnownReturn;

export const absentReturn: ReturnRequest = { stage: 'absent' };

const isFinal = ({ verdict }: ReturnItem): boolean => verdict === 'gone' || verdict === 'foreign';

export const evolveReturn = (state: ReturnRequest, event: ReturnEvent): ReturnRequest => {
  switch (event.type) {
    case 'ReturnRequested':
      return { stage: 'open', createdAt: event.at, items: new Map(event.items.map((item) => [item.key, item])) };
    case 'ReturnProgressed':
      return state.stage === 'absent'
        ? state
        : { ...state, items: new Map([...state.items, ...event.items.map((item) => [item.key, item] as const)]) };
    case 'ReturnCompleted':
      return state.stage === 'absent' ? state : { ...state, stage: 'settled', settledAt: event.at };
  }
};

/** Whether neither EC2 nor our records ever knew it: nothing has ended, though nothing is left to do either. */
export const isUnknown = ({ verdict, last }: ReturnItem): boolean => verdict === 'gone' && last === undefined;

/** Items whose end EC2 has not confirmed. */
export const openItems = (state: KnownReturn): readonly ReturnItem[] =>
  [...state.items.values()].filter((item) => !isFinal(item));

/** One look at an instance together with what its tags say. */
export interface OwnedSighting extends Sighting {
  /** Whether it carries this provider's ownership mark. */
  readonly ours: boolean;
  /** Whether its ownership tag names somebody else; where it has none, the tag may just not be visible yet. */
  readonly ofOtherOwner?: true;
  /** The request named in its tags. */
  readonly owner?: string;
  /** Whether its tags name another work directory than ours. */
  readonly ofOtherStore?: true;
  /** The administrator's tags as `k=v;k=v`, without ours and AWS's. */
  readonly instanceTags: string;
}

/** States in which EC2 still has to be asked to terminate the instance. */
const stillStands: ReadonlySet<MachineState> = new Set(['pending', 'running', 'stopping', 'stopped']);

/** Whether the terminate call has to go out (again). */
export const needsTermination = ({ verdict, last }: ReturnItem): boolean =>
  verdict === 'terminating' && last !== undefined && stillStands.has(last.state);

export interface JudgedAt {
  readonly now: number;
  /** Milliseconds for which EC2 may not show what it has; undefined where `now` is not AWS's time: then no miss counts. */
  readonly consistencyWindow: number | undefined;
}

/** When it was first missed, as far as that can be told; a time that lies ahead was noted by a clock that was wrong. */
const missedFrom = ({ missedSince = Number.POSITIVE_INFINITY }: ReturnItem, now: number): number =>
  Math.min(missedSince, now);

/**
 * Whether the ownership tag of a machine that shows none may just not be visible yet: for a while after its launch and, where a
 * record says that we launched it, after the first look without the tag.
 */
const mayYetBeOurs = (
  item: ReturnItem,
  { ofOtherOwner, launchTime = 0 }: OwnedSighting,
  { now, consistencyWindow }: JudgedAt,
): boolean => {
  if (ofOtherOwner === true) return false;
  const from = Math.max(launchTime * 1000, item.owner === undefined ? 0 : missedFrom(item, now));
  return consistencyWindow === undefined || now - from < consistencyWindow;
};

const withOthers = 'asked for again later: ';
/** The reason for what was refused together with others, any of which may be meant. */
export const refusedWithOthers = (reason: string): string => `${withOthers}${reason}`;

/** Whether an earlier look had it refused by itself. */
export const wasRefused = ({ message }: ReturnItem): boolean => message !== '' && !message.startsWith(withOthers);

/** What a look at EC2 makes of an item. */
export const judge = (item: ReturnItem, seen: OwnedSighting, time: JudgedAt): ReturnItem => {
  const { missedSince: _found, ...rest } = item;
  const { ours, ofOtherOwner: _else, owner, ofOtherStore: _store, instanceTags, ...sighting } = seen;
  const last: Sighting = {
    ...sighting,
    name: sighting.name || item.last?.name || item.name,
    privateIpAddress: sighting.privateIpAddress || item.last?.privateIpAddress || '',
    publicIpAddress: sighting.publicIpAddress || item.last?.publicIpAddress || '',
  };
  const name = item.name || sighting.name;
  if (!ours && mayYetBeOurs(item, seen, time)) {
    const message = `${seen.machineId} does not show this provider's ownership tag yet`;
    const missedSince = time.consistencyWindow === undefined ? item.missedSince : missedFrom(item, time.now);
    const since = missedSince === undefined ? {} : { missedSince };
    return { ...rest, ...since, name, instanceTags, last, verdict: 'unseen', message };
  }
  if (!ours) {
    const message = `${seen.machineId} does not carry this provider's ownership tag and was not terminated`;
    return { ...rest, name, instanceTags, last, verdict: 'foreign', message };
  }
  const owned = { ...rest, name, instanceTags, last, ...(owner === undefined ? {} : { owner }) };
  return seen.state === 'terminated'
    ? { ...owned, verdict: 'gone', message: '' }
    : { ...owned, verdict: 'terminating', message: item.verdict === 'terminating' ? item.message : '' };
};

const missed = (item: ReturnItem, { now, consistencyWindow }: JudgedAt): ReturnItem => {
  if (consistencyWindow === undefined) return item;
  const missedSince = missedFrom(item, now);
  return now - missedSince >= consistencyWindow && item.missedSince !== undefined
    ? { ...item, verdict: 'gone', message: 'no longer known to EC2' }
    : { ...item, missedSince };
};

export type ReturnCommand =
  | { readonly type: 'Request'; readonly now: number; readonly items: readonly ReturnItem[] }
  | (JudgedAt & { readonly type: 'Observe'; readonly seen: readonly OwnedSighting[] })
  | {
      /** EC2 would not terminate these: tried again at the next look. */
      readonly type: 'Refuse';
      readonly now: number;
      readonly refused: ReadonlyMap<string, string>;
    };

const changedItems = (
  state: KnownReturn,
  command: Exclude<ReturnCommand, { type: 'Request' }>,
): readonly ReturnItem[] => {
  if (command.type === 'Refuse') {
    return openItems(state).flatMap((item) => {
      const message = command.refused.get(item.machineId);
      return message === undefined || message === item.message ? [] : [{ ...item, message }];
    });
  }
  const seen = new Map(command.seen.map((sighting) => [sighting.machineId, sighting]));
  return openItems(state).flatMap((item) => {
    const sighting = seen.get(item.machineId);
    const next = sighting === undefined ? missed(item, command) : judge(item, sighting, command);
    return JSON.stringify(next) === JSON.stringify(item) ? [] : [next];
  });
};

/** What follows from a command in the present state; a return that is done with changes no more. */
export const decideReturn = (command: ReturnCommand, state: ReturnRequest): readonly ReturnEvent[] => {
  const events: ReturnEvent[] = [];
  if (command.type === 'Request') {
    if (state.stage === 'absent') events.push({ type: 'ReturnRequested', at: command.now, items: command.items });
  } else if (state.stage === 'open') {
    const items = changedItems(state, command);
    if (items.length > 0) events.push({ type: 'ReturnProgressed', at: command.now, items });
  }
  const after = events.reduce<ReturnRequest>(evolveReturn, state);
  if (after.stage === 'open' && openItems(after).length === 0)
    events.push({ type: 'ReturnCompleted', at: command.now });
  return events;
};
