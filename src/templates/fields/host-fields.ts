import { ofHost, type TemplateField } from './template-field.ts';

const device = 'BlockDeviceMapping.Ebs';

/** What each host is. */
export const hostFields = {
  imageId: {
    meaning: 'AMI, or the parameter of Systems Manager that names it: `/aws/service/…` or `resolve:ssm:…`',
    form: {
      type: 'string',
      pattern: '^(ami-([0-9a-f]{8}|[0-9a-f]{17})|(resolve:ssm:)?/[A-Za-z0-9_.:/-]+|resolve:ssm:[A-Za-z0-9_.:/-]+)$',
    },
    names: ['machineImage'],
    aws: ofHost('ImageId'),
  },
  rootDeviceVolumeSize: {
    meaning: 'GiB of the root volume',
    form: { type: 'integer', minimum: 1, maximum: 16384 },
    names: ['rootVolumeSize'],
    aws: ofHost(`${device}.VolumeSize`),
  },
  volumeType: {
    meaning: 'Type of the root volume',
    form: { type: 'string', enum: ['gp2', 'gp3', 'io1', 'io2', 'standard'] },
    names: ['rootVolumeType'],
    aws: ofHost(`${device}.VolumeType`),
  },
  iops: {
    meaning: 'Of the root volume',
    form: { type: 'integer', minimum: 100, maximum: 64000 },
    names: ['rootVolumeIops'],
    aws: ofHost(`${device}.Iops`),
  },
  instanceTags: {
    meaning: '`key=value;key=value`, or an object, on instances, volumes and interfaces',
    form: {
      anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } }],
    },
    names: ['tags'],
    aws: ofHost('TagSpecification.Tag'),
  },
  keyName: { meaning: 'Key pair', form: { type: 'string' }, aws: ofHost('KeyName') },
  securityGroupIds: {
    meaning: 'Security groups',
    form: { type: 'array', items: { type: 'string', pattern: '^(sg-[0-9a-zA-Z]+)?$' } },
    names: ['sgIds'],
    aws: ofHost('SecurityGroupId'),
  },
  instanceProfile: {
    meaning: 'ARN or name of the instance profile',
    form: { type: 'string' },
    names: ['machineRole'],
    aws: ofHost('IamInstanceProfile.Name', 'IamInstanceProfile.Arn'),
  },
  userDataScript: {
    meaning: 'Absolute path; at most 16 KB',
    form: { type: 'string', pattern: '^(/.*|[A-Za-z]:[\\\\/].*)?$' },
    aws: ofHost('UserData'),
  },
  launchTemplateId: {
    meaning: 'Launch template of your own',
    form: { type: 'string', pattern: '^(lt-[0-9a-f]+)?$' },
    // What is not RunInstances gets a copy of it with the template's fields over it.
    aws: { RunInstances: ['LaunchTemplate.LaunchTemplateId'] },
  },
  launchTemplateVersion: {
    meaning: 'Its version',
    form: { type: 'string', pattern: '^(\\d+|\\$Latest|\\$Default)?$' },
    aws: { RunInstances: ['LaunchTemplate.Version'] },
  },
  placementGroupName: {
    meaning: 'Placement group',
    form: { type: 'string' },
    aws: ofHost('Placement.GroupName'),
  },
  tenancy: {
    meaning: 'default, dedicated or host',
    form: { type: 'string', enum: ['default', 'dedicated', 'host'] },
    aws: ofHost('Placement.Tenancy'),
  },
  ebsOptimized: {
    meaning: 'EBS-optimized instances',
    form: { type: 'boolean' },
    aws: ofHost('EbsOptimized'),
  },
  interfaceType: {
    meaning: 'interface or efa',
    form: { type: 'string', enum: ['interface', 'efa'] },
    aws: ofHost('NetworkInterface.InterfaceType'),
  },
  efaCount: {
    meaning: 'Number of EFA interfaces',
    form: { type: 'integer', minimum: 1, maximum: 32 },
    aws: ofHost('NetworkInterface.NetworkCardIndex'),
  },
  launchTemplateSpec: {
    meaning: "Fields of EC2's launch template data in EC2's own words, over ours, e.g. `CpuOptions`",
    form: { type: 'object' },
    decides: 'money',
    aws: ofHost('*'),
  },
} as const satisfies Readonly<Record<string, TemplateField>>;
