import { createActions } from '../fleets/create-fleets.ts';
import { fleetActions } from '../fleets/fleet-actions.ts';
import type { Action } from './action.ts';
import { describeCapacityReservations } from './capacity.ts';
import { describeInstanceStatus, describeInstances } from './describe-instances.ts';
import { describeKeyPairs, describeSecurityGroups, describeSubnets, describeVpcs } from './describe-network.ts';
import { describeImages } from './images.ts';
import {
  describeInstanceTypeOfferings,
  describeInstanceTypes,
  getInstanceTypesFromInstanceRequirements,
} from './instance-types.ts';
import { runInstances } from './launch.ts';
import { templateActions } from './launch-templates.ts';
import { describeSpotInstanceRequests, describeSpotPriceHistory } from './spot.ts';
import { startInstances, stopInstances, terminateInstances } from './state-changes.ts';
import { createTags, deleteTags } from './tags.ts';
import { describeVolumes } from './volumes.ts';

/** All EC2 actions the emulator knows. */
export const actions: ReadonlyMap<string, Action> = new Map([
  ...createActions,
  ...fleetActions,
  ...templateActions,
  ['DescribeInstanceTypes', describeInstanceTypes],
  ['DescribeInstanceTypeOfferings', describeInstanceTypeOfferings],
  ['GetInstanceTypesFromInstanceRequirements', getInstanceTypesFromInstanceRequirements],
  ['CreateTags', createTags],
  ['DeleteTags', deleteTags],
  ['DescribeCapacityReservations', describeCapacityReservations],
  ['DescribeImages', describeImages],
  ['DescribeInstanceStatus', describeInstanceStatus],
  ['DescribeInstances', describeInstances],
  ['DescribeKeyPairs', describeKeyPairs],
  ['DescribeSecurityGroups', describeSecurityGroups],
  ['DescribeSpotInstanceRequests', describeSpotInstanceRequests],
  ['DescribeSpotPriceHistory', describeSpotPriceHistory],
  ['DescribeSubnets', describeSubnets],
  ['DescribeVolumes', describeVolumes],
  ['DescribeVpcs', describeVpcs],
  ['RunInstances', runInstances],
  ['StartInstances', startInstances],
  ['StopInstances', stopInstances],
  ['TerminateInstances', terminateInstances],
]);
