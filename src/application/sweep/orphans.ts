import { hasEnded, type Machine, type OwnedObservation } from '../../domain/machine.ts';
import type { Resource } from '../../domain/request/events.ts';
import type { KnownRequest, Request } from '../../domain/request/state.ts';
import { isUnclaimed, liveMachines } from '../../domain/request/units.ts';
import type { OwnedResource, StoredLaunchTemplate } from '../ports/capacity.ts';
import type { Clock, Policy } from '../ports/policy.ts';

/**
 * Something at AWS that nobody will ask about. `release`: due, and released if asked for; `wait`: seen, and due if a later sweep
 * sees it again; `leave`: not ours to judge.
 */
export interface Finding {
  readonly kind: 'request' | 'instance' | 'LaunchTemplate' | Resource['kind'];
  readonly id: string;
  /** Empty if its tags name none. */
  readonly requestId: string;
  readonly why: string;
  readonly verdict: 'release' | 'wait' | 'leave';
  /** When it was first found, ms. */
  readonly since: number;
  /** When it may be released, ms; of what is left alone, when it was found. */
  readonly dueAt: number;
}

/** Something at AWS with our ownership tag. */
export interface Owned extends Pick<Finding, 'kind' | 'id' | 'requestId'> {
  readonly ofOtherStore: boolean;
  /** When AWS made it, ms; 0 where AWS does not say. */
  readonly madeAt: number;
  readonly name: string;
  readonly resource?: Resource;
  /** Instances that would go with it. */
  readonly members?: readonly string[];
}

export const ownedInstance = ({
  machineId,
  name,
  requestId = '',
  ofOtherStore,
  launchTime = 0,
}: OwnedObservation): Owned => ({
  kind: 'instance',
  id: machineId,
  name,
  requestId,
  ofOtherStore: ofOtherStore ?? false,
  madeAt: launchTime * 1000,
});

export const ownedResource = ({ resource, requestId = '', ofOtherStore, members = [] }: OwnedResource): Owned => ({
  kind: resource.kind,
  id: resource.id,
  name: '',
  requestId,
  ofOtherStore: ofOtherStore ?? false,
  madeAt: 0,
  resource,
  members,
});

/** One made for a single request; the others are shared and kept. */
export const ownedTemplate = ({ id, createdAt, requestId }: StoredLaunchTemplate): readonly Owned[] =>
  requestId === undefined
    ? []
    : [{ kind: 'LaunchTemplate', id, name: '', requestId, ofOtherStore: false, madeAt: createdAt }];

/** Requests by id; undefined where the record cannot be read. */
export type Requests = ReadonlyMap<string, Request | undefined>;

interface Judge {
  /** By AWS's clock. */
  readonly clock: Clock;
  readonly policy: Pick<Policy, 'unclaimed' | 'orphanAge'>;
}

/** Machines at EC2 that their requests hold and that have been given back: the returns are asked what became of them. */
export const returnIdOf = ({ id, kind, requestId }: Owned, requests: Requests): string | undefined => {
  const request = requests.get(requestId);
  if (kind !== 'instance' || request === undefined || request.stage === 'absent') return undefined;
  return request.machines.get(id)?.returnId;
};

/** Why a machine that its request holds is of no use to it; undefined when it is, or when something is still done about it. */
const lostReason = (machine: Machine, isOpen: boolean, isReturning: boolean): string | undefined => {
  if (machine.state === 'terminated' || (!isOpen && hasEnded(machine.state)))
    return 'its record says that it has ended';
  if (machine.disowned === true && !isOpen)
    return 'it was left alone because our tag was missing, but it has the tag now';
  return machine.returnId === undefined || isReturning ? undefined : 'its return ended without it';
};

/** Why something belongs to no request; undefined when it does. An open request may still adopt what it launched. */
const orphanReason = ({ id, kind, requestId }: Owned, request: Request, isReturning: boolean): string | undefined => {
  if (requestId === '') return 'names no request';
  if (request.stage === 'absent') return 'its request is not on record';
  const machine = request.machines.get(id);
  const lost = machine === undefined ? undefined : lostReason(machine, request.stage === 'open', isReturning);
  if (lost !== undefined || request.stage === 'open') return lost;
  if (kind === 'LaunchTemplate') {
    const isInUse = request.resources.some(
      ({ launchTemplateId, stage }) => launchTemplateId === id && stage !== 'deleted',
    );
    return isInUse ? undefined : 'its request has ended';
  }
  const known = kind === 'instance' ? machine !== undefined : request.resources.some((each) => each.id === id);
  if (!known) return 'its request ended without it';
  if (kind === 'EC2Fleet' || kind === 'SpotFleet') return 'its request has ended and it goes on';
  return kind === 'instance' || liveMachines(request).length > 0
    ? undefined
    : 'none of its machines is wanted any more';
};

/** What a sweep knows before it judges. */
interface Known {
  readonly requests: Requests;
  /** When earlier sweeps first saw the orphans they found, ms by id. */
  readonly seenBefore: ReadonlyMap<string, number>;
  /** Ids of the instances with our ownership tag. */
  readonly tagged: ReadonlySet<string>;
  readonly isReturning: (owned: Owned) => boolean;
}

export const judgeOrphan = (
  { clock, policy }: Judge,
  { seenBefore, requests, tagged, isReturning }: Known,
  owned: Owned,
): readonly Finding[] => {
  const { kind, id, requestId, ofOtherStore, madeAt, members = [] } = owned;
  const leave = (why: string): readonly Finding[] => [
    { kind, id, requestId, why, verdict: 'leave', since: clock(), dueAt: clock() },
  ];
  if (ofOtherStore) return leave('launched with another work directory');
  const request = requests.get(requestId);
  if (request === undefined) return leave('its record cannot be read');
  const why = orphanReason(owned, request, isReturning(owned));
  if (why === undefined) return [];
  const strangers = members.filter((each) => !tagged.has(each));
  const stays = strangers.length === 0 ? '' : `; it stays for ${strangers.join(', ')}, without our ownership tag`;
  const age = judgeAge(clock(), seenBefore.get(id), policy.orphanAge, madeAt);
  // Emptied of ours there is nothing to be done before somebody has taken them out.
  const verdict = strangers.length > 0 && strangers.length === members.length ? 'wait' : age.verdict;
  return [{ kind, id, requestId, why: `${why}${stays}`, ...age, verdict }];
};

/** Due only when an earlier sweep has found it so as well. */
const judgeAge = (
  now: number,
  seenBefore: number | undefined,
  age: number,
  madeAt: number,
): Pick<Finding, 'verdict' | 'since' | 'dueAt'> => {
  // A time that lies ahead was noted before the clock was set back: the wait begins anew.
  const noted = seenBefore ?? Number.POSITIVE_INFINITY;
  const isOld = noted <= now && now - Math.max(noted, madeAt) >= age;
  const since = Math.min(noted, now);
  return { verdict: isOld ? 'release' : 'wait', since, dueAt: Math.max(since, madeAt) + age };
};

/** When a request was made, ms: not before its machines, which AWS dates. */
const madeBy = ({ createdAt, machines }: KnownRequest): number =>
  Math.max(createdAt, ...[...machines.values()].map(({ launchTime = 0 }) => launchTime * 1000));

/**
 * Requests that hold something and about which nobody has ever asked. Found twice, as orphans are: who was away for long has the time
 * between to ask.
 */
export const judgeUnclaimed = (
  judge: Judge,
  seenBefore: ReadonlyMap<string, number>,
  requests: Requests,
): readonly Finding[] =>
  [...requests].flatMap(([id, request]) => {
    const { clock, policy } = judge;
    if (request === undefined || request.stage === 'absent' || !isUnclaimed(request)) return [];
    const now = clock();
    const madeAt = madeBy(request);
    // Dated by a clock that was wrong: its time begins when a sweep first sees it.
    const isDated = request.createdAt <= now;
    const isOld = policy.unclaimed > 0 && (!isDated || now - madeAt >= policy.unclaimed);
    if (!isOld || (request.stage === 'settled' && liveMachines(request).length === 0)) return [];
    const why = `nobody asked about it within ${Math.round(policy.unclaimed / 60_000)} minutes`;
    const age = isDated ? policy.orphanAge : Math.max(policy.orphanAge, policy.unclaimed);
    return [{ kind: 'request', id, requestId: id, why, ...judgeAge(now, seenBefore.get(id), age, 0) }];
  });
