import { type Action, action, ownerId } from './ec2/action.ts';

/** The profiles that are set, each with a role of its name. */
const listInstanceProfiles = action('PathPrefix Marker MaxItems', ({ settings }) => ({
  InstanceProfiles: settings.instanceProfiles.map((name) => ({
    InstanceProfileName: name,
    Path: '/',
    Arn: `arn:aws:iam::${ownerId}:instance-profile/${name}`,
    Roles: [{ RoleName: name, Arn: `arn:aws:iam::${ownerId}:role/${name}` }],
  })),
  IsTruncated: false,
}));

export const iamActions: ReadonlyMap<string, Action> = new Map([['ListInstanceProfiles', listInstanceProfiles]]);
