import { fleetTypeOf, type ProviderApi, providerApiOf, type Template } from './template.ts';

/** An AWS action the plug-in takes. */
export interface NeededAction {
  /** As IAM names it, e.g. `ec2:RunInstances`. */
  readonly action: string;
  readonly why: string;
  /** Whether it touches only what carries our ownership tag. */
  readonly onlyOurs?: boolean;
}

const read = (action: string, why: string): NeededAction => ({ action, why });
const own = (action: string, why: string): NeededAction => ({ action, why, onlyOurs: true });

const always: readonly NeededAction[] = [
  read('ec2:DescribeInstances', 'to see the machines'),
  read('ec2:DescribeInstanceStatus', 'to hear of retirements'),
  read('ec2:DescribeInstanceTypes', 'for instance-types refresh and templates validate --aws'),
  own('ec2:TerminateInstances', 'to give machines back'),
  read('servicequotas:GetServiceQuota', 'for doctor to tell the quotas'),
  // The sweep looks for what is left of templates that are gone, too.
  read('ec2:DescribeFleets', 'to see fleets of ours, also forgotten ones'),
  read('ec2:DescribeSpotFleetRequests', 'to see Spot fleets of ours, also forgotten ones'),
  read('autoscaling:DescribeAutoScalingGroups', 'to see groups of ours, also forgotten ones'),
];

const launchTemplates: readonly NeededAction[] = [
  read('ec2:CreateLaunchTemplate', 'fleets and groups launch by one'),
  read('ec2:DescribeLaunchTemplates', 'to find it again'),
  read('ec2:DescribeLaunchTemplateVersions', 'to pin the version of yours'),
  own('ec2:DeleteLaunchTemplate', 'to remove it after use'),
];

const ec2Fleet: readonly NeededAction[] = [
  ...launchTemplates,
  read('ec2:CreateFleet', 'to launch'),
  read('ec2:RunInstances', 'EC2 Fleet launches in your name'),
  read('ec2:CreateTags', 'to tag in the launch'),
  own('ec2:DeleteFleets', 'to end its search for capacity'),
  own('ec2:ModifyFleet', 'to keep it from replacing what is returned'),
  read('ec2:DescribeFleetHistory', 'to tell why capacity is lacking'),
];

const byApi: Readonly<Record<ProviderApi, readonly NeededAction[]>> = {
  RunInstances: [read('ec2:RunInstances', 'to launch'), read('ec2:CreateTags', 'to tag in the launch')],
  EC2Fleet: ec2Fleet,
  SpotFleet: [
    ...launchTemplates,
    read('ec2:RequestSpotFleet', 'to launch'),
    read('ec2:RunInstances', 'Spot Fleet launches in your name'),
    read('ec2:CreateTags', 'to tag in the launch'),
    read('ec2:CancelSpotFleetRequests', 'to end its search for capacity'),
    read('ec2:ModifySpotFleetRequest', 'to keep it from replacing what is returned'),
    read('ec2:DescribeSpotFleetRequestHistory', 'to tell why capacity is lacking'),
  ],
  ASG: [
    ...launchTemplates,
    read('ec2:RunInstances', 'Auto Scaling checks that you may launch'),
    read('ec2:CreateTags', 'to mark the members of a group of yours'),
    read('autoscaling:CreateAutoScalingGroup', 'a group per request'),
    read('autoscaling:CreateOrUpdateTags', 'to tag it'),
    read('autoscaling:DeleteAutoScalingGroup', 'to remove it when empty'),
    read('autoscaling:DescribeScalingActivities', 'to tell why capacity is lacking'),
    read('autoscaling:LaunchInstances', 'to launch into a group of yours'),
    read('autoscaling:SetInstanceProtection', 'to let a returned machine go'),
    read('autoscaling:SuspendProcesses', 'so that nothing moves by itself'),
    read('autoscaling:TerminateInstanceInAutoScalingGroup', 'to give machines back'),
    read('autoscaling:UpdateAutoScalingGroup', 'to set its size'),
  ],
};

const ofTemplate = (template: Template): readonly NeededAction[] => {
  const { priceType, imageId = 'ami-', launchTemplateId, instanceProfile, fleetRole } = template;
  const api = providerApiOf(template);
  const hasRootVolume = (template.rootDeviceVolumeSize ?? template.volumeType ?? template.iops) !== undefined;
  return [
    ...byApi[api],
    ...(api === 'SpotFleet' && fleetTypeOf(template) === 'request' && priceType === 'heterogeneous' ? ec2Fleet : []),
    ...(hasRootVolume ? [read('ec2:DescribeImages', 'for the name of the root device')] : []),
    ...(priceType === 'ondemand' ? [] : [read('ec2:DescribeSpotInstanceRequests', 'to hear of interruptions')]),
    ...(imageId.startsWith('ami-') ? [] : [read('ssm:GetParameter', 'to resolve the image alias')]),
    ...(launchTemplateId === undefined
      ? []
      : [read('ec2:DescribeLaunchTemplateVersions', 'to pin the version of yours')]),
    ...(instanceProfile === undefined && fleetRole === undefined && launchTemplateId === undefined
      ? []
      : [read('iam:PassRole', 'to hand the role to the machines or the fleet')]),
  ];
};

/** The AWS actions that these templates need, each once, by name. */
export const neededActions = (templates: readonly Template[]): readonly NeededAction[] => {
  const all = [...always, ...templates.flatMap(ofTemplate)];
  return [...new Map(all.map((each) => [each.action, each])).values()].sort((a, b) => a.action.localeCompare(b.action));
};

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** The smallest IAM policy for these templates; `owner` is the value of our ownership tag. */
export const iamPolicy = (templates: readonly Template[], owner: string) => {
  const needed = neededActions(templates).filter(({ action }) => action !== 'iam:PassRole');
  const names = (ours: boolean): readonly string[] =>
    needed.filter(({ onlyOurs = false }) => onlyOurs === ours).map(({ action }) => action);
  const passed = templates.some(
    ({ instanceProfile, fleetRole, launchTemplateId }) =>
      (instanceProfile ?? fleetRole ?? launchTemplateId) !== undefined,
  );
  const pass: Statement = {
    Sid: 'PassRolesToMachinesAndFleets',
    Effect: 'Allow',
    Action: ['iam:PassRole'],
    Resource: '*',
    Condition: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com', 'spotfleet.amazonaws.com'] } },
  };
  const Statement: readonly Statement[] = [
    { Sid: 'LaunchAndSee', Effect: 'Allow', Action: names(false), Resource: '*' },
    {
      Sid: 'EndOnlyWhatIsOurs',
      Effect: 'Allow',
      Action: names(true),
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/hf-aws:owner': owner } },
    },
    ...(passed ? [pass] : []),
  ];
  return { Version: '2012-10-17', Statement };
};
