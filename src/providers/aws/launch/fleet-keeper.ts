import type {
  Launched,
  OwnedResource,
  ResourceKeeper,
  ResourceLook,
  TargetUnits,
} from '../../../application/ports/capacity.ts';
import type { Logger } from '../../../application/ports/telemetry.ts';
import { hasCode, messageOf } from '../../../domain/errors.ts';
import { deniesEarlierSends, type Refusal, type Resource, type Shortage } from '../../../domain/request/events.ts';
import type { HeldResource } from '../../../domain/request/state.ts';
import type { Ec2, FleetErrorRecord, FleetState } from '../services/ec2.ts';
import { codeIn } from '../wire/error-codes.ts';
import { refusalFaultOf } from './refusal.ts';

/** The calls of one kind of fleet. */
export interface FleetCalls {
  /** Undefined where AWS does not know it. */
  state(id: string): Promise<Omit<ResourceLook, 'machineIds'> | undefined>;
  /** The errors AWS had in filling it. */
  errors(resource: HeldResource): Promise<readonly Shortage[]>;
  /** Changes its target; no instance is terminated. */
  modify(id: string, target: TargetUnits): Promise<void>;
  /** Ends it; its instances live on. */
  cancel(id: string): Promise<void>;
  deleteLaunchTemplate(id: string): Promise<void>;
  /** The instances it has launched and that live. */
  members(id: string): Promise<readonly string[]>;
  mark(machineIds: readonly string[], order: Launched): Promise<void>;
  /** Those that still do something and carry our mark. */
  owned(): Promise<readonly OwnedResource[]>;
}

/** The errors in a fleet's history, in AWS's words. EC2 describes an error in JSON or in words. */
export const historyErrors = (records: readonly FleetErrorRecord[]): readonly Shortage[] =>
  records.map(({ EventInformation }) => {
    const { EventSubType, EventDescription = '' } = EventInformation ?? {};
    const code = codeIn(EventDescription) ?? EventSubType ?? 'FleetError';
    const message = [EventSubType, EventDescription].filter(Boolean).join(': ');
    return { code, fault: refusalFaultOf(code, 'provider.capacity'), message };
  });

export const stateWith =
  (read: (id: string) => Promise<FleetState | undefined>): FleetCalls['state'] =>
  async (id) => {
    const seen = await read(id);
    if (seen === undefined) return undefined;
    const { isOver, ...units } = seen;
    return { state: isOver ? 'ended' : 'active', ...units };
  };

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
  { ec2, log }: { readonly ec2: Pick<Ec2, 'deleteLaunchTemplate'>; readonly log: Logger },
  refusal: Refusal,
  isRepeat: boolean,
  launchTemplateId: string,
): Promise<void> => {
  if (isRepeat && !deniesEarlierSends(refusal)) return;
  await ec2.deleteLaunchTemplate(launchTemplateId).catch((error: unknown) => {
    log.warn('launch-template.left', messageOf(error), { launchTemplateId });
  });
};

const unmarked: ResourceLook = { state: 'missing', machineIds: [] };

/**
 * What to do about a fleet after its launch, the same for EC2 Fleet and Spot Fleet. A fleet is ended as soon as it has what was
 * wanted or its time is over, also one of type maintain: Host Factory never hears of a replacement. From then on there is
 * nothing that could replace a machine that is returned.
 */
export const createFleetKeeper = (calls: FleetCalls, log: Logger): ResourceKeeper => {
  const remove = async ({ id, launchTemplateId }: Resource): Promise<void> => {
    await unlessMissing(calls.cancel(id), undefined);
    if (launchTemplateId === undefined) return;
    // One that stays is found by the sweep. AWS may also deny it because it is gone, and its tags with it.
    await calls.deleteLaunchTemplate(launchTemplateId).catch((error: unknown) => {
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
    members: ({ id }) => unlessMissing(calls.members(id), []),
    mark: (_resource, machineIds, order) => calls.mark(machineIds, order),
    explain: async (resource) => {
      const errors = await unlessMissing(calls.errors(resource), []);
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
    owned: calls.owned,
  };
};

const distinct = (errors: readonly Shortage[]): string => [...new Set(errors.map(({ message }) => message))].join('; ');
