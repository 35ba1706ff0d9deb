import type { ResourceKeeper, TargetUnits } from '../../application/ports.ts';
import { hasCode } from '../../domain/errors.ts';
import type { Refusal, Resource } from '../../domain/request.ts';

/** The calls of one kind of fleet. */
export interface FleetCalls {
  instanceIds(id: string): Promise<readonly string[]>;
  /** The errors AWS had in filling it. */
  errors(resource: Resource): Promise<readonly Pick<Refusal, 'code' | 'message'>[]>;
  /** Changes its target; no instance is terminated. */
  modify(id: string, target: TargetUnits): Promise<void>;
  /** Ends it; its instances live on. */
  cancel(id: string): Promise<void>;
  deleteLaunchTemplate(id: string): Promise<void>;
}

const unlessMissing = async <T>(action: Promise<T>, instead: T): Promise<T> => {
  try {
    return await action;
  } catch (error) {
    if (hasCode(error, 'provider.missing')) return instead;
    throw error;
  }
};

/** What to do about a fleet after its launch, the same for EC2 Fleet and Spot Fleet. */
export const createFleetKeeper = (calls: FleetCalls): ResourceKeeper => {
  const remove = async ({ id, launchTemplateId }: Resource): Promise<void> => {
    await unlessMissing(calls.cancel(id), undefined);
    if (launchTemplateId !== undefined) await unlessMissing(calls.deleteLaunchTemplate(launchTemplateId), undefined);
  };
  return {
    look: async ({ id }) => {
      const machineIds = await unlessMissing<readonly string[] | undefined>(calls.instanceIds(id), undefined);
      return { machineIds: machineIds ?? [], ended: machineIds === undefined };
    },
    explain: async (resource) => {
      const errors = await unlessMissing(calls.errors(resource), []);
      return errors[0] === undefined ? undefined : { code: errors[0].code, message: distinct(errors) };
    },
    satisfied: async (resource) => {
      if (!resource.refills) await remove(resource);
    },
    hold: (resource, target) =>
      target.total > 0 && resource.refills ? calls.modify(resource.id, target) : remove(resource),
    release: async (resource, _machineIds, target) => {
      // The target comes down before its machines go, or AWS would replace them.
      if (resource.refills && target.total > 0) await unlessMissing(calls.modify(resource.id, target), undefined);
      else if (resource.refills) await remove(resource);
      return new Set();
    },
    remove,
  };
};

const distinct = (errors: readonly Pick<Refusal, 'code' | 'message'>[]): string =>
  [...new Set(errors.map(({ message }) => message))].join('; ');
