import type { AutoScalingGroup, LaunchInstancesCommandOutput } from '@aws-sdk/client-auto-scaling';
import type { Tag } from '@aws-sdk/client-ec2';
import type { LaunchReport, ResourceLook } from '../../../application/ports/capacity.ts';
import type { CapacityLedger } from '../../../application/ports/streams.ts';
import type { Logger } from '../../../application/ports/telemetry.ts';
import { hasCode } from '../../../domain/errors.ts';
import type { Observation, OwnedObservation } from '../../../domain/machine.ts';
import type { PreparedLaunch, Resource } from '../../../domain/request/events.ts';
import type { Mark } from '../instances/tags.ts';
import type { AutoScaling } from '../services/auto-scaling.ts';
import { createTags, type Ec2 } from '../services/ec2.ts';
import { required } from '../wire/aws-answer.ts';
import { countedMembers, groupNamed, lookAtMembers, resize, terminateMembers, unitsIn } from './group-members.ts';
import { gravest, refusalOf } from './refusal.ts';
import { grantedMachines, unitsOf } from './resource.ts';

/** Machines wanted of an Auto Scaling group of the administrator's. */
export interface SharedGroupCall {
  readonly group: string;
  readonly requestId: string;
  /** Where LaunchInstances is to launch; absent in calls of older versions, which raised the desired capacity. */
  readonly subnetId?: string;
  /** The group's tags are the administrator's: ours come after the launch. */
  readonly tags: readonly Tag[];
  /** Units by instance type; 1 for others. */
  readonly weights: Readonly<Record<string, number>>;
  readonly expiresAt: number;
}

export const isSharedGroupCall = (call: object): call is SharedGroupCall =>
  'requestId' in call && 'group' in call && typeof call.group === 'string' && 'tags' in call;

export interface SharedGroupOptions extends Mark {
  readonly autoScaling: () => Promise<AutoScaling>;
  readonly ec2: Ec2;
  /** What requests want of a group, and which of its members they have claimed. */
  readonly ledger: (group: string) => CapacityLedger;
  readonly clock: () => number;
  readonly log: Logger;
}

/** LaunchInstances: instances per call. */
const mostPerLaunch = 100;

const machinesOf = ({ Instances = [] }: Pick<LaunchInstancesCommandOutput, 'Instances'>): readonly Observation[] =>
  Instances.flatMap(({ InstanceIds, InstanceType, MarketType }) =>
    grantedMachines(InstanceIds, { instanceType: InstanceType, isSpot: MarketType === 'spot' }),
  );

type Launched = Pick<LaunchReport, 'machines' | 'refusal' | 'tryNextPool'>;

const launchSome = async (
  scaling: AutoScaling,
  launch: PreparedLaunch,
  call: SharedGroupCall,
  { units, token }: { readonly units: number; readonly token: string },
): Promise<Launched> => {
  const { group, subnetId } = call;
  try {
    const answer = await scaling.change('LaunchInstances', {
      AutoScalingGroupName: group,
      RequestedCapacity: units,
      ...(subnetId === undefined ? {} : { SubnetIds: [subnetId] }),
      ClientToken: token,
    });
    required('LaunchInstances', 'instance and no error', answer.Instances?.[0] ?? answer.Errors?.[0]);
    const machines = machinesOf(answer);
    const missing = units - unitsOf(machines, call.weights);
    if (missing <= 0) return { machines, tryNextPool: false };
    const worst = gravest(answer.Errors ?? [], 'provider.capacity');
    const { code = 'PartialGrant', fault = 'provider.capacity' } = worst ?? {};
    const refusal = { missing, code, fault, message: worst?.error.ErrorMessage ?? '', pool: launch.pool };
    return { machines, refusal, tryNextPool: fault === 'provider.capacity' };
  } catch (error) {
    const refusal = refusalOf(error, launch);
    return { machines: [], refusal, tryNextPool: refusal.fault === 'provider.capacity' };
  }
};

/** Calls for all that is wanted, as many instances at a time as the API takes; ends at the first that brings less. */
const launchAll = async (scaling: AutoScaling, launch: PreparedLaunch, call: SharedGroupCall): Promise<Launched> => {
  const machines: Observation[] = [];
  for (let calls = 0; unitsOf(machines, call.weights) < launch.count; calls++) {
    // Weights may have brought more than was asked for.
    const units = Math.min(mostPerLaunch, launch.count - unitsOf(machines, call.weights));
    const token = calls === 0 ? launch.clientToken : `${launch.clientToken}-${calls * mostPerLaunch}`;
    const some = await launchSome(scaling, launch, call, { units, token });
    machines.push(...some.machines);
    const missing = launch.count - unitsOf(machines, call.weights);
    if (some.refusal !== undefined) return { ...some, machines, refusal: { ...some.refusal, missing } };
  }
  return { machines, tryNextPool: false };
};

export const toTags = (pairs: readonly (readonly [key: string, value: string])[]): readonly Tag[] =>
  pairs.map(([Key, Value]) => ({ Key, Value }));

const sharedResource = ({ group, requestId, tags, expiresAt }: SharedGroupCall): Resource => ({
  kind: 'ASG',
  id: group,
  refills: true,
  seeks: true,
  ours: false,
  expiresAt,
  adoption: { requestId, tags: tags.map(({ Key = '', Value = '' }) => [Key, Value]) },
});

/** Launches into the group by LaunchInstances: which instances are whose is never a question. Tells where that API is lacking. */
export const launchIntoGroup = async (
  { autoScaling, ec2 }: SharedGroupOptions,
  launch: PreparedLaunch,
  call: SharedGroupCall,
): Promise<LaunchReport & { readonly isLacking?: boolean }> => {
  const scaling = await autoScaling();
  const { group, tags } = call;
  const report = await launchAll(scaling, launch, call);
  const ids = report.machines.map(({ machineId }) => machineId);
  if (ids.length === 0) return { ...report, isLacking: lacksLaunchInstances(report.refusal) };
  const resource = { ...sharedResource(call), seeks: false };
  try {
    await createTags(ec2, ids, tags);
  } catch (error) {
    // Whatever passes is made up for when the request is looked at; EC2 may not know the instances yet.
    if (!hasCode(error, 'provider.denied')) return { ...report, resource };
    // Hosts without our mark could never be returned.
    const refusal = refusalOf(error, launch);
    await terminateMembers(scaling, group, ids);
    return { machines: [], refusal, tryNextPool: false };
  }
  return { ...report, resource };
};

/** LaunchInstances is not there for us: no permission, or a Region without it. */
const lacksLaunchInstances = (error: { readonly code: string; readonly fault: string } | undefined): boolean =>
  error !== undefined && (error.fault === 'provider.denied' || /InvalidAction|UnknownOperation/.test(error.code));

/** On the ledger of a group: members that were there before anybody asked for more. No request has this id. */
const nobody = 'req-00000000-0000-0000-0000-000000000000';
/** On the ledger of a group: the units each request wants of it, under this name; claims stand under the instance's. */
const wanted = 'wanted';
/** A claim on an instance that the group does not show is kept so long, ms: a listing may be stale. */
const staleAfter = 3_600_000;

/** Whose a member is by its tags: another owner's, another store's or another request's, or the request's. */
const standingOf = (
  seen: OwnedObservation | undefined,
  requestId: string,
): 'of another' | 'unmarked' | 'marked' | undefined => {
  if (seen === undefined) return undefined;
  const { ours, owner, ofOtherOwner, ofOtherStore } = seen;
  if (ofOtherOwner === true || ofOtherStore === true) return 'of another';
  if (!ours || owner === undefined) return 'unmarked';
  return owner === requestId ? 'marked' : 'of another';
};

/** The ledger of a group beside what the group shows. */
const readLedger = async (ledger: CapacityLedger, group: AutoScalingGroup) => {
  const entries = await ledger.list();
  const members = countedMembers(group);
  const claims = new Map(entries.map(({ templateId, requestId }) => [templateId, requestId] as const));
  const wants = entries.filter(({ templateId }) => templateId === wanted);
  const heldBy = (requestId: string) => members.filter(({ id }) => claims.get(id) === requestId);
  const owedTo = (requestId: string): number => {
    const units = wants.find((entry) => entry.requestId === requestId)?.units ?? 0;
    return Math.max(0, units - unitsIn(heldBy(requestId)));
  };
  const free = members.filter(({ id, isHealthy }) => isHealthy && !claims.has(id));
  const owed = wants.reduce((sum, { requestId }) => sum + owedTo(requestId), 0);
  return { entries, members, wants, free, heldBy, owedTo, owed };
};

/**
 * Without LaunchInstances a group has only its desired capacity, which does not say which instance answers which request. So
 * requests keep a ledger per group: what each wants, and exclusive claims on members. Members that were there while nobody
 * wanted any stay the administrator's. The desired capacity is never counted up by a request but brought to what the members and
 * the ledger add up to, so that a raise lost to another process, or sent twice, comes right at the next look. (aws-provisioning-facts 9)
 */
export const createDesiredCapacity = ({ autoScaling, ec2, ledger, clock, log, ...mark }: SharedGroupOptions) => {
  const open = async (name: string) => {
    const scaling = await autoScaling();
    const group = await groupNamed(scaling, name);
    const book = ledger(name);
    return group === undefined ? undefined : { scaling, group, book };
  };

  const raise = async (name: string): Promise<void> => {
    const opened = await open(name);
    if (opened === undefined) return;
    const { scaling, group, book } = opened;
    const { entries, members, free, owed } = await readLedger(book, group);
    const target = Math.min(group.MaxSize ?? 0, unitsIn(members) + Math.max(0, owed - unitsIn(free)));
    if (target > (group.DesiredCapacity ?? 0)) await resize(scaling, name, target);
    const ids = new Set(members.map(({ id }) => id));
    for (const claim of entries) {
      const isStale = claim.templateId !== wanted && !ids.has(claim.templateId);
      if (isStale && clock() - claim.since > staleAfter) await book.update({ ...claim, units: 0 });
    }
  };

  /** Claims a member for a request; one that is another's is off the ledger, and the group is asked for one more instead. */
  const claim = async (book: CapacityLedger, templateId: string, requestId: string, isAnothers: boolean) => {
    if (isAnothers)
      log.warn('machine.foreign', `${templateId} is in the Auto Scaling group, its tags give it to another`);
    const claimant = isAnothers ? nobody : requestId;
    const { granted } = await book.reserve({ templateId, requestId: claimant, units: 1 }, 1);
    return granted && !isAnothers;
  };

  /**
   * Claims members for a request as far as it is owed any, and marks them as ours: after a look at their tags. What EC2 does not show
   * yet waits for the next look.
   */
  const adopt = async (
    name: string,
    requestId: string,
    tags: readonly Tag[],
  ): Promise<readonly string[] | undefined> => {
    const opened = await open(name);
    if (opened === undefined) return undefined;
    const { group, book } = opened;
    const { free, heldBy, owedTo } = await readLedger(book, group);
    const held = heldBy(requestId);
    let owed = owedTo(requestId);
    const seen = await lookAtMembers(ec2, owed > 0 ? [...held, ...free] : held, mark);
    const standing = ({ id }: { readonly id: string }) => standingOf(seen.get(id), requestId);
    const ours = held.filter((member) => standing(member) !== 'of another');
    for (const member of free.filter(({ id }) => seen.has(id))) {
      if (owed <= 0) break;
      if (!(await claim(book, member.id, requestId, standing(member) === 'of another'))) continue;
      ours.push(member);
      owed -= member.units;
    }
    const unmarked = ours.filter((member) => standing(member) === 'unmarked').map(({ id }) => id);
    if (unmarked.length > 0) await createTags(ec2, unmarked, tags);
    return ours.map(({ id }) => id);
  };

  const isWanted = async (name: string, requestId: string): Promise<boolean> =>
    (await ledger(name).list(wanted)).some((entry) => entry.requestId === requestId);

  return {
    /** Whether a launch of the request has raised the desired capacity already. */
    isWanted: ({ group, requestId }: SharedGroupCall): Promise<boolean> => isWanted(group, requestId),

    launch: async (launch: PreparedLaunch, call: SharedGroupCall): Promise<LaunchReport> => {
      const { group: name, requestId } = call;
      const opened = await open(name);
      if (opened === undefined) {
        const refusal = { missing: launch.count, code: 'NoSuchGroup', fault: 'provider.missing' as const };
        return {
          machines: [],
          refusal: { ...refusal, message: `there is no Auto Scaling group ${name}`, pool: launch.pool },
          tryNextPool: false,
        };
      }
      const { group, book } = opened;
      const { wants, free } = await readLedger(book, group);
      // In this order: whoever sees nobody wanting after having seen the members knows whose they are.
      if (wants.length === 0) {
        for (const { id } of free) await book.reserve({ templateId: id, requestId: nobody, units: 1 }, 1);
      }
      await book.update({ templateId: wanted, requestId, units: launch.count });
      await raise(name);
      return { machines: [], resource: sharedResource(call), tryNextPool: false };
    },

    look: async ({ id: name, adoption }: Resource): Promise<ResourceLook> => {
      if (adoption === undefined) return { state: 'active', machineIds: [] };
      const machineIds = await adopt(name, adoption.requestId, toTags(adoption.tags));
      if (machineIds === undefined) return { state: 'missing', machineIds: [] };
      await raise(name);
      return { state: 'active', machineIds };
    },

    /** Wants no more than what it holds; the desired capacity falls by what was still owed, never below the members. */
    end: async ({ id: name, adoption }: Resource): Promise<void> => {
      const opened = await open(name);
      if (opened === undefined || adoption === undefined) return;
      const { scaling, group, book } = opened;
      const { members, owedTo } = await readLedger(book, group);
      const owed = owedTo(adoption.requestId);
      await book.update({ templateId: wanted, requestId: adoption.requestId, units: 0 });
      const { DesiredCapacity = 0 } = group;
      const target = Math.max(unitsIn(members), DesiredCapacity - owed);
      if (owed > 0 && target < DesiredCapacity) await resize(scaling, name, target);
    },

    /** A request that gives back what it still waits for wants so much less. */
    want: async ({ id: name, adoption }: Resource, units: number): Promise<void> => {
      if (adoption === undefined) return;
      const { requestId } = adoption;
      if (await isWanted(name, requestId)) await ledger(name).update({ templateId: wanted, requestId, units });
    },
  };
};
