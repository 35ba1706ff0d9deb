import type { AutoScalingGroup } from '@aws-sdk/client-auto-scaling';
import type { CapacityLedger } from '../../../application/ports/streams.ts';
import { countedMembers, unitsIn } from './group-members.ts';

/** What requests note in the ledger of a group of the administrator's, in units; claims on members stand under the instances' ids. */
export const entries = {
  /** Being launched by LaunchInstances: until it has claimed or tagged them, nobody knows whose the group's new members are. */
  launching: 'launching',
  /** LaunchInstances was refused before it launched anything: the request goes by the desired capacity. */
  refused: 'refused',
  /** Wanted of the desired capacity, the members claimed included. */
  wanted: 'wanted',
  /** Owed no more: the desired capacity is not raised for it, and what it brings until it is lowered is the request's. */
  unwanted: 'unwanted',
} as const;

/** Members that were there before anybody asked for more are claimed under this id, which no request has. */
export const nobody = 'req-00000000-0000-0000-0000-000000000000';

/** A claim on an instance that the group does not show is kept so long, ms: a listing may be stale. */
const staleAfter = 3_600_000;
/** Nobody waits longer, ms, for the outcome of another's launch, which is given up before that. */
const mostLaunching = 3_600_000;
/** The note of a launch whose outcome never got known is kept so long, ms. */
const forgetLaunching = 24 * mostLaunching;

/** Claims a member for one request alone. */
export const claimMember = async (groupLedger: CapacityLedger, id: string, requestId: string): Promise<boolean> =>
  (await groupLedger.reserve({ templateId: id, requestId, units: 1 }, 1)).granted;

/**
 * Claims what LaunchInstances has launched where others wait for new members, and answers with what another has claimed: the outcome
 * was waited for in vain. Whoever waits first leaves alone what is there.
 */
export const claimLaunched = async (
  groupLedger: CapacityLedger,
  requestId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> => {
  const noted = await groupLedger.list();
  const claimants = new Map(noted.map((entry) => [entry.templateId, entry.requestId] as const));
  const isWaitedFor = noted.some(({ templateId }) => templateId === entries.wanted);
  if (isWaitedFor) for (const id of ids) if (!claimants.has(id)) await claimMember(groupLedger, id, requestId);
  return new Set(ids.filter((id) => ![requestId, nobody, undefined].includes(claimants.get(id))));
};

/** The ledger of a group beside what the group shows, which was read before it. */
export const readLedger = async (groupLedger: CapacityLedger, group: AutoScalingGroup, now: number) => {
  const noted = await groupLedger.list();
  const members = countedMembers(group);
  const ids = new Set(members.map(({ id }) => id));
  const names: ReadonlySet<string> = new Set(Object.values(entries));
  const isStale = ({ templateId, since }: (typeof noted)[number]): boolean => {
    if (templateId === entries.launching) return now - since > forgetLaunching;
    return now - since > staleAfter && !(names.has(templateId) || ids.has(templateId));
  };
  const under = (name: string) => noted.filter(({ templateId }) => templateId === name);
  const unitsUnder = (name: string, requestId: string): number =>
    under(name).find((entry) => entry.requestId === requestId)?.units ?? 0;
  const claims = new Map(noted.map(({ templateId, requestId }) => [templateId, requestId] as const));
  const wants = under(entries.wanted);
  const heldBy = (requestId: string) => members.filter(({ id }) => claims.get(id) === requestId);
  const owedTo = (requestId: string): number =>
    Math.max(0, unitsUnder(entries.wanted, requestId) - unitsIn(heldBy(requestId)));
  const isUnwanted = (requestId: string): boolean => unitsUnder(entries.unwanted, requestId) > 0;
  const free = members.filter(({ id }) => !claims.has(id));
  const owed = wants.reduce((sum, { requestId }) => sum + (isUnwanted(requestId) ? 0 : owedTo(requestId)), 0);
  const { DesiredCapacity = 0, MaxSize = 0 } = group;
  return {
    desired: DesiredCapacity,
    isWanted: wants.length > 0,
    /** Members that nobody has claimed. */
    free,
    /** Whether these may be what requests launch just now by LaunchInstances. */
    isLaunching: under(entries.launching).some(({ since }) => now - since <= mostLaunching),
    heldBy,
    /** Wanted by a request and not there. */
    owedTo,
    /** The desired capacity that brings what all are owed. */
    size: Math.min(MaxSize, unitsIn(members) + Math.max(0, owed - unitsIn(free))),
    /** The desired capacity without what a request is owed, never below the members and what others are owed. */
    sizeWithout: (requestId: string): number => {
      const own = owedTo(requestId);
      const others = owed - (isUnwanted(requestId) ? 0 : own);
      return Math.max(unitsIn(members) + others, DesiredCapacity - own);
    },
    stale: noted.filter(isStale),
  };
};
