import type { Tag } from '@aws-sdk/client-ec2';
import type { LaunchReport, ResourceLook } from '../../../application/ports/capacity.ts';
import type { CapacityLedger } from '../../../application/ports/streams.ts';
import { isPluginError, messageOf, PluginError } from '../../../domain/errors.ts';
import type { OwnedObservation } from '../../../domain/machine.ts';
import type { PreparedLaunch, Resource } from '../../../domain/request/events.ts';
import { createTags } from '../services/ec2.ts';
import { claimMember, entries, nobody, readLedger } from './group-ledger.ts';
import { type GroupMember, groupNamed, lookAtMembers, resize, unitsIn } from './group-members.ts';
import { isRefusalFault, refusalOf } from './refusal.ts';
import { type SharedGroupCall, type SharedGroupOptions, sharedResource } from './shared-group.ts';

export const toTags = (pairs: readonly (readonly [key: string, value: string])[]): readonly Tag[] =>
  pairs.map(([Key, Value]) => ({ Key, Value }));

/** Whose a member is by its tags: another owner's, another store's or another request's, or the request's. */
const holderOf = (
  seen: OwnedObservation | undefined,
  requestId: string,
): 'of another' | 'untagged' | 'tagged' | undefined => {
  if (seen === undefined) return undefined;
  const { ours, requestId: owner, ofOtherOwner, ofOtherStore } = seen;
  if (ofOtherOwner === true || ofOtherStore === true) return 'of another';
  if (!ours || owner === undefined) return 'untagged';
  return owner === requestId ? 'tagged' : 'of another';
};

const isRefusedForGood = (error: unknown): boolean =>
  isPluginError(error) && isRefusalFault(error.code) && error.code !== 'provider.unreachable';

/**
 * Without LaunchInstances a group has only its desired capacity, which does not say which instance answers which request. So
 * requests keep a ledger per group: what each wants, and exclusive claims on members. Members that were there while nobody
 * wanted any stay the administrator's. The desired capacity is never counted up by a request but brought to what the members and
 * the ledger add up to, so that a raise lost to another process, or sent twice, comes right at the next look. (aws-provisioning-facts 9)
 */
export const createDesiredCapacity = ({ autoScaling, ec2, ledger, clock, log, ...ownership }: SharedGroupOptions) => {
  const open = async (name: string) => {
    const scaling = await autoScaling();
    const group = await groupNamed(scaling, name);
    if (group === undefined) return undefined;
    const groupLedger = ledger(name);
    return { scaling, group, groupLedger, ...(await readLedger(groupLedger, group, clock())) };
  };

  const raise = async (name: string): Promise<void> => {
    const opened = await open(name);
    if (opened === undefined) return;
    const { scaling, groupLedger, desired, size, stale } = opened;
    if (size > desired) await resize(scaling, name, size);
    for (const entry of stale) await groupLedger.update({ ...entry, units: 0 });
  };

  const warnUnraised = (name: string, error: unknown): void => {
    if (!isPluginError(error)) throw error;
    log.warn('group.unraised', `Auto Scaling group ${name}: ${messageOf(error)}`, { aws: error.aws });
  };

  /** Claims a member for a request; one that is another's is off the ledger, and the group is asked for one more instead. */
  const claim = async (groupLedger: CapacityLedger, id: string, requestId: string, isAnothers: boolean) => {
    if (isAnothers) log.warn('machine.foreign', `${id} is in the Auto Scaling group, its tags give it to another`);
    return (await claimMember(groupLedger, id, isAnothers ? nobody : requestId)) && !isAnothers;
  };

  type Opened = NonNullable<Awaited<ReturnType<typeof open>>>;

  /** Claims members for a request as far as it is owed any: none while they may be what another launches. */
  const claimOwed = async (
    { groupLedger, free, isLaunching, owedTo }: Opened,
    requestId: string,
    holder: (member: GroupMember) => ReturnType<typeof holderOf>,
  ): Promise<readonly GroupMember[]> => {
    const claimed: GroupMember[] = [];
    const visible = isLaunching ? [] : free.filter((member) => holder(member) !== undefined);
    for (const member of visible) {
      if (owedTo(requestId) <= unitsIn(claimed)) break;
      if (await claim(groupLedger, member.id, requestId, holder(member) === 'of another')) claimed.push(member);
    }
    return claimed;
  };

  /** The members of a request, which are tagged as ours, after a look at their tags. What EC2 does not show yet waits for the next look. */
  const adopt = async (
    name: string,
    requestId: string,
    tags: readonly Tag[],
  ): Promise<readonly string[] | undefined> => {
    const opened = await open(name);
    if (opened === undefined) return undefined;
    const { free, heldBy, owedTo } = opened;
    const held = heldBy(requestId);
    const seen = await lookAtMembers(ec2, owedTo(requestId) > 0 ? [...held, ...free] : held, ownership);
    const holder = ({ id }: GroupMember) => holderOf(seen.get(id), requestId);
    const ours = [
      ...held.filter((member) => holder(member) !== 'of another'),
      ...(await claimOwed(opened, requestId, holder)),
    ];
    const unmarked = ours.filter((member) => holder(member) === 'untagged').map(({ id }) => id);
    if (unmarked.length > 0) await createTags(ec2, unmarked, tags);
    return ours.map(({ id }) => id);
  };

  const forget = async (groupLedger: CapacityLedger, requestId: string, ...names: readonly string[]): Promise<void> => {
    for (const templateId of names) await groupLedger.update({ templateId, requestId, units: 0 });
  };

  const isNoted = async (name: string, entry: string, requestId: string): Promise<boolean> =>
    (await ledger(name).list(entry)).some((each) => each.requestId === requestId);

  return {
    /** Whether a request goes by the desired capacity. */
    isChosen: async ({ group, requestId }: SharedGroupCall): Promise<boolean> =>
      (await isNoted(group, entries.refused, requestId)) || (await isNoted(group, entries.wanted, requestId)),

    /**
     * Wants so many units more of a group and raises its desired capacity, or leaves that to the looks that follow: once it is on the
     * ledger, a refusal for good is the only way back.
     */
    launch: async (launch: PreparedLaunch, call: SharedGroupCall): Promise<LaunchReport> => {
      const { group: name, requestId } = call;
      const report = { machines: [], resource: sharedResource(call), tryNextPool: false };
      if (await isNoted(name, entries.wanted, requestId)) return report;
      const opened = await open(name);
      if (opened === undefined) {
        const message = `there is no Auto Scaling group ${name}`;
        const refusal = { missing: launch.count, code: 'NoSuchGroup', fault: 'provider.missing', message } as const;
        return { machines: [], refusal: { ...refusal, pool: launch.pool }, tryNextPool: false };
      }
      const { groupLedger, free, isWanted } = opened;
      // In this order: a process that saw the members, and then no request that wants any, knows whose they are.
      if (!isWanted) for (const { id } of free) await claimMember(groupLedger, id, nobody);
      await groupLedger.update({ templateId: entries.wanted, requestId, units: launch.count });
      await forget(groupLedger, requestId, entries.refused, entries.launching);
      try {
        await raise(name);
      } catch (error) {
        if (!isRefusedForGood(error)) warnUnraised(name, error);
        else {
          await forget(groupLedger, requestId, entries.wanted);
          return { machines: [], refusal: refusalOf(error, launch), tryNextPool: false };
        }
      }
      return report;
    },

    look: async ({ id: name, adoption }: Resource): Promise<ResourceLook> => {
      if (adoption === undefined) return { state: 'active', machineIds: [] };
      const machineIds = await adopt(name, adoption.requestId, toTags(adoption.tags));
      if (machineIds === undefined) return { state: 'missing', machineIds: [] };
      await raise(name).catch((error: unknown) => warnUnraised(name, error));
      return { state: 'active', machineIds };
    },

    /**
     * Wants no more than what it holds; the desired capacity falls by what was still owed, never below the members and what others are
     * owed. Until the group has heard of it that stands on the ledger as unwanted. Members that may be what is owed are told apart first:
     * throws `provider.transient`.
     */
    end: async ({ id: name, adoption }: Resource): Promise<void> => {
      const opened = await open(name);
      if (opened === undefined || adoption === undefined) return;
      const { requestId } = adoption;
      const { scaling, groupLedger, desired, free, owedTo, sizeWithout } = opened;
      const own = owedTo(requestId);
      if (own > 0 && free.length > 0)
        throw new PluginError(
          'provider.transient',
          `new members of the Auto Scaling group ${name} are not told apart yet`,
        );
      if (own > 0) await groupLedger.update({ templateId: entries.unwanted, requestId, units: own });
      if (own > 0 && sizeWithout(requestId) < desired) await resize(scaling, name, sizeWithout(requestId));
      await forget(groupLedger, requestId, entries.wanted, entries.unwanted);
    },

    /** A request that gives back what it still waits for wants so much less. */
    want: async ({ id: name, adoption }: Resource, units: number): Promise<void> => {
      if (adoption === undefined) return;
      const { requestId } = adoption;
      if (await isNoted(name, entries.wanted, requestId))
        await ledger(name).update({ templateId: entries.wanted, requestId, units });
    },
  };
};
