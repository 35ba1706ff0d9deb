import { listing, parameterTable } from '../wire/parameter-table.ts';
import { ServiceError } from '../wire/service-error.ts';
import { type Action, ownerId } from './action.ts';
import { readFilters } from './filters.ts';
import { checkForm } from './ids.ts';
import { madeUpVpc } from './subnets.ts';

/** Groups exist by being named, in the VPC of made-up subnets unless set to be in another or to be missing. */
export const describeSecurityGroups: Action = {
  parameters: parameterTable(`GroupId.N GroupName.N ${listing}`),
  answer: (world, params) => {
    const { securityGroups, missingGroups, region } = world.settings;
    const ids = params.list('GroupId');
    checkForm('InvalidGroupId.Malformed', 'sg', ids);
    const missing = ids.find((id) => missingGroups.includes(id));
    if (missing !== undefined)
      throw new ServiceError('InvalidGroup.NotFound', `The security group '${missing}' does not exist`);
    const passes = readFilters<string>(params, {
      'group-id': (id) => id,
      'vpc-id': (id) => securityGroups[id] ?? madeUpVpc(region),
    });
    return {
      securityGroupInfo: (ids.length > 0 ? ids : Object.keys(securityGroups)).filter(passes).map((groupId) => ({
        groupId,
        groupName: `emulated ${groupId}`,
        groupDescription: 'emulated',
        vpcId: securityGroups[groupId] ?? madeUpVpc(region),
        ownerId,
      })),
    };
  },
};
