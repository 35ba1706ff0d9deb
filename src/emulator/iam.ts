import { type Action, ownerId } from './ec2/action.ts';
import { parameterTable } from './wire/parameter-table.ts';

/** The profiles that are set, each with a role of its name. */
const listInstanceProfiles: Action = {
  parameters: parameterTable('PathPrefix Marker MaxItems'),
  answer: ({ settings }) => ({
    InstanceProfiles: settings.instanceProfiles.map((name) => ({
      InstanceProfileName: name,
      Path: '/',
      Arn: `arn:aws:iam::${ownerId}:instance-profile/${name}`,
      Roles: [{ RoleName: name, Arn: `arn:aws:iam::${ownerId}:role/${name}` }],
    })),
    IsTruncated: false,
  }),
};

export const iamActions: ReadonlyMap<string, Action> = new Map([['ListInstanceProfiles', listInstanceProfiles]]);
