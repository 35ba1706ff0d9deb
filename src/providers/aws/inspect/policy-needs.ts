import { isReservationId, isTargeted } from '../../../domain/template/reserved-capacity.ts';
import { fleetTypeOf, type ProviderApi, providerApiOf, type Template } from '../../../domain/template/template.ts';
import { serviceLinkedRole } from '../services/account.ts';
import { autoScalingOperations, ec2Operations } from '../services/operations.ts';

/** What is permitted beside the operations of the two services. */
const otherActions = {
  'autoscaling:CreateOrUpdateTags': 'to tag a group when it is made',
  'dynamodb:DeleteItem': 'to delete outdated state',
  'dynamodb:DescribeContinuousBackups': 'to see in doctor that the state can be recovered',
  'dynamodb:DescribeTable': 'to see in doctor that the table fits',
  'dynamodb:GetItem': 'to read the state',
  'dynamodb:PutItem': 'to record a request before AWS is asked',
  'dynamodb:Query': 'to read requests, and what is counted',
  'dynamodb:UpdateItem': 'to count what templates hold',
  'events:ListRuleNamesByTarget': 'to see in doctor that events reach the queue',
  'iam:ListInstanceProfiles': 'for hf-aws init',
  'iam:PassRole': 'to hand a role to the machines or the fleet',
  'pricing:GetProducts': 'for prices refresh',
  'servicequotas:GetServiceQuota': 'to show quotas in doctor',
  'sqs:DeleteMessage': 'to take events from the queue',
  'sqs:GetQueueAttributes': 'to see in doctor that events reach the queue',
  'sqs:ReceiveMessage': 'to receive events',
  'ssm:GetParameter': 'to resolve an image alias',
};

export type Action =
  | `ec2:${keyof typeof ec2Operations}`
  | `autoscaling:${keyof typeof autoScalingOperations}`
  | keyof typeof otherActions;

/** What `init` looks at to make proposals. Not needed by what runs afterwards, and not in its policy. */
export const initActions: readonly Action[] = [
  'ec2:DescribeImages',
  'ec2:DescribeInstanceTypeOfferings',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeKeyPairs',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSubnets',
  'ec2:DescribeVpcs',
  'iam:ListInstanceProfiles',
  'ssm:GetParameter',
];

export const whyOf: ReadonlyMap<string, string> = new Map([
  ...Object.entries(ec2Operations).map(([name, { why }]) => [`ec2:${name}`, why] as const),
  ...Object.entries(autoScalingOperations).map(([name, { why }]) => [`autoscaling:${name}`, why] as const),
  ...Object.entries(otherActions),
]);

/** A text that IAM is to take as it is: `*`, `?` and `$` mean something to it. */
export const literal = (text: string): string => text.replaceAll(/[*?$]/g, (special) => `\${${special}}`);

const partitionOf = (region = ''): string => {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
};

const distinct = (values: readonly (string | undefined)[]): readonly string[] =>
  [...new Set(values.filter((value) => value !== undefined))].sort();

/** Whether a template names a resource group of reservations. */
export const isOfGroup = (template: Template): boolean =>
  isTargeted(template) && !isReservationId(template.capacityReservation);

/** What these templates make use of. */
export const usesOf = (templates: readonly Template[]) => {
  const apis = templates.map((template) => ({ template, api: providerApiOf(template) }));
  const has = (api: ProviderApi): boolean => apis.some((each) => each.api === api);
  const ofOwnGroups = apis.filter(({ api, template }) => api === 'ASG' && template.autoScalingGroupName === undefined);
  const sharedGroups = distinct(templates.map(({ autoScalingGroupName }) => autoScalingGroupName));
  const spotFleet = has('SpotFleet');
  // What a Spot Fleet lacks on demand is launched by EC2 Fleet.
  const ec2Fleet =
    has('EC2Fleet') ||
    apis.some(
      ({ api, template }) =>
        api === 'SpotFleet' && fleetTypeOf(template) === 'request' && template.priceType === 'heterogeneous',
    );
  const launchTemplates = ec2Fleet || spotFleet || ofOwnGroups.length > 0;
  const launching = templates.filter(({ autoScalingGroupName }) => autoScalingGroupName === undefined);
  return {
    ec2Fleet,
    spotFleet,
    ownGroups: ofOwnGroups.length > 0,
    sharedGroups,
    launchTemplates,
    launches: has('RunInstances') || launchTemplates,
    launching,
    reservations: launching.some(({ capacityReservation }) => isReservationId(capacityReservation)),
    isSpot: templates.some(({ priceType }) => priceType !== 'ondemand'),
    aliases: distinct(templates.map(({ imageId }) => (imageId?.startsWith('ami-') === false ? imageId : undefined))),
    profiles: distinct(launching.map(({ instanceProfile }) => instanceProfile)),
    fleetRoles: distinct(
      apis.map(({ api, template }) => (api === 'SpotFleet' ? (template.fleetRole ?? serviceLinkedRole) : undefined)),
    ),
    serviceRoles: distinct(
      ofOwnGroups.map(({ template }) => textOf(template.providerApiSpec?.['ServiceLinkedRoleARN'])),
    ),
  };
};

export type Uses = ReturnType<typeof usesOf>;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const when = <T>(isWanted: boolean, ...items: readonly T[]): readonly T[] => (isWanted ? items : []);

export interface Names {
  readonly arn: (service: string, resource: string) => string;
  /** All resources of a kind. */
  readonly ec2: (...kinds: readonly string[]) => readonly string[];
  readonly group: (name: string) => string;
  /** A role known only by its name may be under any path. */
  readonly role: (name: string) => readonly string[];
  readonly parameter: (alias: string) => string;
  readonly service: (name: string) => string;
}

export const namesIn = (region: string | undefined): Names => {
  const partition = partitionOf(region);
  const arn = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region ?? '*'}:*:${resource}`;
  return {
    arn,
    ec2: (...kinds) => kinds.map((kind) => arn('ec2', `${kind}/*`)),
    group: (name) => arn('autoscaling', `autoScalingGroup:*:autoScalingGroupName/${name}`),
    role: (name) => {
      if (name.startsWith('arn:')) return [literal(name)];
      const paths = name === serviceLinkedRole ? ['*/'] : ['', '*/'];
      return paths.map((path) => `arn:${partition}:iam::*:role/${path}${literal(name)}`);
    },
    parameter: (alias) => {
      const name = alias.replace(/^resolve:ssm:/, '');
      if (name.startsWith('arn:')) return literal(name);
      const [plain = ''] = name.split(':');
      return arn('ssm', `parameter/${literal(plain.replace(/^\//, ''))}`);
    },
    service: (name) => `${name}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`,
  };
};

/** Reads change nothing, and most of them know no resource to confine them to. */
export const reads = (
  { ec2Fleet, spotFleet, ownGroups, sharedGroups, isSpot, reservations }: Uses,
  hasPrices: boolean,
): readonly Action[] => [
  'autoscaling:DescribeAutoScalingGroups',
  ...when<Action>(ownGroups || sharedGroups.length > 0, 'autoscaling:DescribeScalingActivities'),
  ...when<Action>(reservations, 'ec2:DescribeCapacityReservations'),
  ...when<Action>(ec2Fleet, 'ec2:DescribeFleetHistory', 'ec2:DescribeFleetInstances'),
  // The sweep looks for what is left of templates that are gone, too.
  'ec2:DescribeFleets',
  'ec2:DescribeImages',
  'ec2:DescribeInstanceStatus',
  'ec2:DescribeInstanceTypes',
  'ec2:DescribeInstances',
  'ec2:DescribeKeyPairs',
  'ec2:DescribeLaunchTemplateVersions',
  'ec2:DescribeLaunchTemplates',
  'ec2:DescribeSecurityGroups',
  ...when<Action>(spotFleet, 'ec2:DescribeSpotFleetInstances', 'ec2:DescribeSpotFleetRequestHistory'),
  'ec2:DescribeSpotFleetRequests',
  ...when<Action>(isSpot, 'ec2:DescribeSpotInstanceRequests'),
  ...when<Action>(hasPrices && isSpot, 'ec2:DescribeSpotPriceHistory'),
  'ec2:DescribeSubnets',
  ...when<Action>(hasPrices, 'pricing:GetProducts'),
  'servicequotas:GetServiceQuota',
];
