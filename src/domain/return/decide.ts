import type { Observation, OwnedObservation } from '../machine.ts';
import type { ReturnEvent, ReturnItem } from './events.ts';
import { evolveReturn, type KnownReturn, openItems, type ReturnRequest } from './state.ts';

export interface JudgedAt {
  readonly now: number;
  /** Milliseconds for which EC2 may not show what it has; undefined where `now` is not AWS's time: then no miss counts. */
  readonly consistencyWindow: number | undefined;
}

/** When it was first missed. A time in the future was noted by a wrong clock. */
const missedFrom = ({ missedSince = Number.POSITIVE_INFINITY }: ReturnItem, now: number): number =>
  Math.min(missedSince, now);

/**
 * Whether the ownership tag of a machine that shows none may just not be visible yet: for a while after its launch and, where a
 * record says that we launched it, after the first look without the tag.
 */
const mayYetBeOurs = (
  item: ReturnItem,
  { ofOtherOwner, launchTime = 0 }: OwnedObservation,
  { now, consistencyWindow }: JudgedAt,
): boolean => {
  if (ofOtherOwner === true) return false;
  const from = Math.max(launchTime * 1000, item.requestId === undefined ? 0 : missedFrom(item, now));
  return consistencyWindow === undefined || now - from < consistencyWindow;
};

const membership = (isMember: true | undefined) => (isMember === undefined ? {} : { isMember });

const untagged = (item: ReturnItem, { now, consistencyWindow }: JudgedAt): Partial<ReturnItem> => {
  const missedSince = consistencyWindow === undefined ? item.missedSince : missedFrom(item, now);
  return {
    ...(missedSince === undefined ? {} : { missedSince }),
    ...(item.requestId === undefined ? {} : { isUntagged: true }),
  };
};

/** What a look at EC2 makes of an item. */
export const judge = (item: ReturnItem, seen: OwnedObservation, time: JudgedAt): ReturnItem => {
  const { missedSince: _found, isUntagged: _tagged, ...rest } = item;
  const { ours, ofOtherOwner: _else, requestId, ofOtherStore: _store, isMember, instanceTags, ...observation } = seen;
  const last: Observation = {
    ...observation,
    name: observation.name || item.last?.name || item.name,
    privateIpAddress: observation.privateIpAddress || item.last?.privateIpAddress || '',
    publicIpAddress: observation.publicIpAddress || item.last?.publicIpAddress || '',
  };
  const name = item.name || observation.name;
  if (!ours && mayYetBeOurs(item, seen, time)) {
    const message = `${seen.machineId} does not show this provider's ownership tag yet`;
    return { ...rest, ...untagged(item, time), name, instanceTags, last, verdict: 'unseen', message };
  }
  if (!ours) {
    const message = `${seen.machineId} does not carry this provider's ownership tag and was not terminated`;
    return { ...rest, name, instanceTags, last, verdict: 'foreign', message };
  }
  const owned = {
    ...rest,
    ...membership(isMember),
    name,
    instanceTags,
    last,
    ...(requestId === undefined ? {} : { requestId }),
  };
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
  | (JudgedAt & { readonly type: 'Observe'; readonly seen: readonly OwnedObservation[] })
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
  const seen = new Map(command.seen.map((observation) => [observation.machineId, observation]));
  return openItems(state).flatMap((item) => {
    const observation = seen.get(item.machineId);
    const next = observation === undefined ? missed(item, command) : judge(item, observation, command);
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
