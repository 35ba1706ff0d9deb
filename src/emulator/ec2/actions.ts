import { createActions } from '../fleets/create-fleets.ts';
import { fleetActions } from '../fleets/fleet-actions.ts';
import type { Action } from './action.ts';
import { describeCapacityReservations } from './capacity-reservations.ts';
import { createTags, deleteTags } from './change-tags.ts';
import { describeImages } from './describe-images.ts';
import { describeInstanceStatus } from './describe-instance-status.ts';
import {
  describeInstanceTypeOfferings,
  describeInstanceTypes,
  getInstanceTypesFromInstanceRequirements,
} from './describe-instance-types.ts';
import { describeInstances } from './describe-instances.ts';
import { describeSecurityGroups } from './describe-security-groups.ts';
import { describeSpotInstanceRequests } from './describe-spot-instance-requests.ts';
import { describeSubnets } from './describe-subnets.ts';
import { describeVolumes } from './describe-volumes.ts';
import { describeVpcs } from './describe-vpcs.ts';
import { describeKeyPairs } from './key-pairs.ts';
import { runInstances } from './run-instances.ts';
import { describeSpotPriceHistory } from './spot-price-history.ts';
import { startInstances, stopInstances } from './stop-and-start.ts';
import { templateActions } from './template-actions.ts';
import { terminateInstances } from './terminate-instances.ts';

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
