import type { ActiveInstance, HistoryRecord } from '@aws-sdk/client-ec2';
import type { ResourceKeeper, ResourceLook, TargetUnits } from '../../../application/ports/capacity.ts';
import { hasCode, messageOf, PluginError } from '../../../domain/errors.ts';
import { deniesEarlierSends, type Refusal, type Resource, type Shortage } from '../../../domain/request/events.ts';
import { createTags, type Ec2 } from '../services/ec2.ts';
import { codeIn, kindOfCode } from '../wire/error-codes.ts';
import { type LaunchDataOptions, launchTags, optional } from './launch-data.ts';
import { refusalFaultOf } from './refusal.ts';
import { type Listed, ownedOf } from './resource.ts';

interface FleetOptions extends LaunchDataOptions {
  readonly ec2: Ec2;
}

/** The calls of one kind of fleet. */
export interface FleetCalls {
  /** Undefined where AWS does not know it. */
  state(id: string): Promise<Omit<ResourceLook, 'machineIds'> | undefined>;
  /** The errors AWS had in filling it. */
  errors(id: string, since: Date): Promise<readonly Pick<HistoryRecord, 'EventInformation'>[]>;
  /** Changes its target; no instance is terminated. */
  modify(id: string, target: TargetUnits): Promise<void>;
  /** Ends it; its instances live on. */
  cancel(id: string): Promise<void>;
  /** The instances it has launched and that live. */
  members(id: string): Promise<readonly ActiveInstance[]>;
  /** Those of the Region that look for capacity or keep it. */
  listed(): Promise<readonly Listed[]>;
}

/** Of the history of a fleet: pages that may come before the first that tells an error, and more than is worth the calls. */
export const mostOfHistory = 5;

/** Whether a fleet in this state still does something. */
export const lives = (state: string | undefined): boolean =>
  state === 'submitted' || state === 'active' || state === 'modifying';

export const stateOf = (
  state: string | undefined,
  target: number,
  fulfilled: number | undefined,
): Omit<ResourceLook, 'machineIds'> => ({
  state: lives(state) ? 'active' : 'ended',
  target,
  ...optional('fulfilled', fulfilled),
});

interface Item {
  readonly Error?: { readonly Code?: string | undefined; readonly Message?: string | undefined } | undefined;
}

/** AWS answers with HTTP 200 and tells what it did not do item by item. */
export const checkItems = (action: string, items: readonly Item[] = []): void => {
  for (const { Error: error } of items) {
    const { Code: code = 'unexpectedError', Message: message = '' } = error ?? {};
    // Of a fleet that is gone or on its way out nothing is left to be asked.
    if (/DoesNotExist|NotInDeletableState|NotInCancellableState/i.test(code)) continue;
    const fault = /unexpected/i.test(code) ? 'provider.transient' : (kindOfCode(code) ?? 'provider.misconfigured');
    throw new PluginError(fault, `${action} failed. Error Code: ${code}: ${message}`, { aws: { code, action } });
  }
};

/** The errors in a fleet's history, in AWS's words. EC2 describes an error in JSON or in words. */
const shortagesIn = (records: readonly Pick<HistoryRecord, 'EventInformation'>[]): readonly Shortage[] =>
  records.map(({ EventInformation }) => {
    const { EventSubType, EventDescription = '' } = EventInformation ?? {};
    const code = codeIn(EventDescription) ?? EventSubType ?? 'FleetError';
    const message = [EventSubType, EventDescription].filter(Boolean).join(': ');
    return { code, fault: refusalFaultOf(code, 'provider.capacity'), message };
  });

const unlessMissing = async <T>(action: Promise<T>, instead: T): Promise<T> => {
  try {
    return await action;
  } catch (error) {
    if (hasCode(error, 'provider.missing')) return instead;
    throw error;
  }
};

/**
 * A launch template of a fleet that was refused goes as well; one that stays is for launch-templates gc. It stays where an earlier send
 * may have made the fleet after all.
 */
export const discardRefused = async (
  { ec2, log }: Pick<FleetOptions, 'ec2' | 'log'>,
  refusal: Refusal,
  isRepeat: boolean,
  launchTemplateId: string,
): Promise<void> => {
  if (isRepeat && !deniesEarlierSends(refusal)) return;
  await ec2.change('DeleteLaunchTemplate', { LaunchTemplateId: launchTemplateId }).catch((error: unknown) => {
    log.warn('launch-template.left', messageOf(error), { launchTemplateId });
  });
};

const unmarked: ResourceLook = { state: 'missing', machineIds: [] };

/**
 * What to do about a fleet after its launch, the same for EC2 Fleet and Spot Fleet. A fleet is ended as soon as it has what was
 * wanted or its time is over, also one of type maintain: Host Factory never hears of a replacement. From then on there is
 * nothing that could replace a machine that is returned.
 */
export const createFleetKeeper = (
  kind: 'EC2Fleet' | 'SpotFleet',
  calls: FleetCalls,
  options: FleetOptions,
): ResourceKeeper => {
  const { ec2, log } = options;
  const remove = async ({ id, launchTemplateId }: Resource): Promise<void> => {
    await unlessMissing(calls.cancel(id), undefined);
    if (launchTemplateId === undefined) return;
    // One that stays is found by the sweep. AWS may also deny it because it is gone, and its tags with it.
    await ec2.change('DeleteLaunchTemplate', { LaunchTemplateId: launchTemplateId }).catch((error: unknown) => {
      if (!hasCode(error, 'provider.missing'))
        log.warn('launch-template.left', messageOf(error), { launchTemplateId, resourceId: id });
    });
  };
  const aim = async ({ id, refills }: Resource, target: TargetUnits): Promise<void> => {
    if (refills) await unlessMissing(calls.modify(id, target), undefined);
  };
  return {
    look: async ({ id }) => {
      const seen = await unlessMissing(calls.state(id), undefined);
      return seen === undefined ? unmarked : { ...seen, machineIds: [] };
    },
    members: async ({ id }) =>
      (await unlessMissing(calls.members(id), [])).flatMap(({ InstanceId }) => InstanceId ?? []),
    tag: (_resource, machineIds, order) => createTags(ec2, machineIds, launchTags(order, options)),
    explain: async ({ id, createdAt }) => {
      const errors = shortagesIn(await unlessMissing(calls.errors(id, new Date(createdAt)), []));
      return errors[0] === undefined ? undefined : { ...errors[0], message: distinct(errors) };
    },
    end: async (resource) => {
      await remove(resource);
      return 'deleted';
    },
    aim,
    terminate: async (resource, _machineIds, target) => {
      // The target comes down before its machines go, or AWS would replace them.
      await aim(resource, target);
      return { done: new Set(), refused: new Map() };
    },
    remove,
    owned: async () => ownedOf(kind, await calls.listed(), options),
  };
};

const distinct = (errors: readonly Shortage[]): string => [...new Set(errors.map(({ message }) => message))].join('; ');
