import {
  CreateFleetRequest$,
  InstanceRequirements$,
  InstanceRequirementsRequest$,
  RequestLaunchTemplateData$,
  RunInstancesRequest$,
  SpotFleetRequestConfigData$,
} from '@aws-sdk/client-ec2';
import type { ProviderApi } from '../../../domain/template/template.ts';
import { launchTemplateFields, providerApiFields } from '../launch/raw-fields.ts';
import { autoScalingSchema } from '../services/auto-scaling.ts';
import type { Names } from '../wire/misfits.ts';
import { memberOf, namesIn } from '../wire/query-codec.ts';

const group = autoScalingSchema('CreateAutoScalingGroup')[4];
const mixed = memberOf(group, 'MixedInstancesPolicy', 'LaunchTemplate', 'Overrides', 'InstanceRequirements');

// Plain data: the build puts the values in the place of their making, so that a check of them loads no schema of the SDK.

/** Of a structure's names only these. */
const only = (names: Names, allowed: readonly string[]): Names =>
  names === 0 ? names : Object.fromEntries(Object.entries(names).filter(([name]) => allowed.includes(name)));

const ofHost = (schema: unknown): Names => only(namesIn(schema), launchTemplateFields);
const ofCall = (schema: unknown, api: ProviderApi): Names => only(namesIn(schema), providerApiFields[api]);

/** The names under each field of a template in AWS's own words, by API. RunInstances takes no requirements. */
export const rawFieldNames: Readonly<Record<ProviderApi, Readonly<Record<string, Names>>>> = {
  RunInstances: {
    launchTemplateSpec: ofHost(RunInstancesRequest$),
    providerApiSpec: ofCall(RunInstancesRequest$, 'RunInstances'),
  },
  EC2Fleet: {
    launchTemplateSpec: ofHost(RequestLaunchTemplateData$),
    providerApiSpec: ofCall(CreateFleetRequest$, 'EC2Fleet'),
    abisInstanceRequirements: namesIn(InstanceRequirementsRequest$),
  },
  SpotFleet: {
    launchTemplateSpec: ofHost(RequestLaunchTemplateData$),
    providerApiSpec: ofCall(SpotFleetRequestConfigData$, 'SpotFleet'),
    abisInstanceRequirements: namesIn(InstanceRequirements$),
  },
  ASG: {
    launchTemplateSpec: ofHost(RequestLaunchTemplateData$),
    providerApiSpec: ofCall(group, 'ASG'),
    abisInstanceRequirements: namesIn(mixed),
  },
};
