import type { Tag } from '@aws-sdk/client-ec2';
import type { OwnedResource } from '../../../application/ports/capacity.ts';
import type { Observation } from '../../../domain/machine.ts';
import type { Resource } from '../../../domain/request/events.ts';
import { type Ownership, readOwnership } from '../instances/tags.ts';

/** A fleet or group of ours, as it is remembered: looking for capacity until it expires. */
export const resourceOf = (
  kind: Resource['kind'],
  id: string,
  { refills = false, ...rest }: Pick<Resource, 'expiresAt' | 'launchTemplateId'> & Partial<Pick<Resource, 'refills'>>,
): Resource => ({ kind, id, refills, seeks: true, ours: true, ...rest });

/** A fleet or group as AWS lists it. */
export interface Listed {
  readonly id: string | undefined;
  readonly tags: readonly Tag[] | undefined;
  readonly refills?: boolean;
  /** Instances that would go with it. */
  readonly members?: readonly string[];
}

/** Those that carry our ownership tag. When they expire their tags do not tell. */
export const ownedOf = (
  kind: Resource['kind'],
  listed: readonly Listed[],
  ownership: Ownership,
): readonly OwnedResource[] =>
  listed
    .map(({ id = '', tags = [], refills = false, members }) => ({
      ...readOwnership(tags, ownership),
      resource: resourceOf(kind, id, { refills, expiresAt: 0 }),
      ...(members === undefined ? {} : { members }),
    }))
    .filter(({ ours }) => ours);

/** What was granted at once, as far as the answer to the launch says. */
export const grantedMachines = (
  ids: readonly string[] = [],
  { instanceType = '', isSpot }: { readonly instanceType?: string | undefined; readonly isSpot: boolean },
): readonly Observation[] =>
  ids.map((machineId) => ({
    machineId,
    state: 'pending',
    name: '',
    privateIpAddress: '',
    publicIpAddress: '',
    instanceType,
    priceType: isSpot ? 'spot' : 'ondemand',
  }));

/** Units of machines, by the weights of their types. */
export const unitsOf = (machines: readonly Observation[], weights: Readonly<Record<string, number>>): number =>
  machines.reduce((sum, { instanceType }) => sum + (weights[instanceType] ?? 1), 0);
