import { CreateLaunchTemplate$ } from '@aws-sdk/client-ec2';
import { memberOf, toForm } from '../wire/query-codec.ts';

/** What a launch template says, as EC2's query protocol spells it. */
export const launchParameters = (data: object): readonly (readonly [name: string, value: string])[] => [
  ...new URLSearchParams(toForm('ec2', memberOf(CreateLaunchTemplate$[4], 'LaunchTemplateData'), data).slice(1)),
];
