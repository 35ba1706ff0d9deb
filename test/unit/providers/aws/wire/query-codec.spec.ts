import * as autoScaling from '@aws-sdk/client-auto-scaling';
import * as ec2 from '@aws-sdk/client-ec2';
import { AwsEc2QueryProtocol, AwsQueryProtocol } from '@aws-sdk/core/protocols';
import { HttpResponse } from '@smithy/core/protocols';
import { operation } from '@smithy/core/schema';
import { fromBase64, fromUtf8, toBase64, toUtf8 } from '@smithy/core/serde';
import type { StaticOperationSchema } from '@smithy/types';
import { describe, expect, it } from 'vitest';
import {
  contentOf,
  type Dialect,
  fromContent,
  rootOf,
  toForm,
} from '../../../../../src/providers/aws/wire/query-codec.ts';

const namespaces = { ec2: 'com.amazonaws.ec2', query: 'com.amazonaws.autoscaling' };
const version = '2000-01-01';
/** The SDK's own serializers. */
const protocols = {
  ec2: new AwsEc2QueryProtocol({ defaultNamespace: namespaces.ec2, xmlNamespace: 'urn:x', version }),
  query: new AwsQueryProtocol({ defaultNamespace: namespaces.query, xmlNamespace: 'urn:x', version }),
};
const context = {
  endpoint: async () => ({ protocol: 'https:', hostname: 'ec2.example', path: '/' }),
  base64Decoder: fromBase64,
  base64Encoder: toBase64,
  utf8Decoder: fromUtf8,
  utf8Encoder: toUtf8,
  streamCollector: async (body: Uint8Array) => body,
};
const described = ([, namespace, name, traits, input, output]: StaticOperationSchema) =>
  operation(namespace, name, traits, input, output);

const theirForm = async (dialect: Dialect, schema: StaticOperationSchema, input: object): Promise<string> =>
  String((await protocols[dialect].serializeRequest(described(schema), input, context)).body);
const ourForm = (dialect: Dialect, schema: StaticOperationSchema, input: object): string =>
  `Action=${schema[2]}&Version=${version}${toForm(dialect, schema[4], input)}`;

const launch = {
  MinCount: 1,
  MaxCount: 3,
  ImageId: 'ami-1',
  ClientToken: 'req-1.0',
  EbsOptimized: true,
  UserData: "echo 'ü' (*)!",
  SecurityGroupIds: ['sg-1', 'sg-2'],
  Placement: { Tenancy: 'dedicated', GroupName: 'pg' },
  IamInstanceProfile: { Arn: 'arn:aws:iam::1:instance-profile/x' },
  MetadataOptions: { HttpTokens: 'required' },
  InstanceInitiatedShutdownBehavior: 'terminate',
  BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 50, Iops: 3000, VolumeType: 'gp3' } }],
  NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-1'], SubnetId: 'subnet-1', AssociatePublicIpAddress: false }],
  TagSpecifications: [
    {
      ResourceType: 'instance',
      Tags: [
        { Key: 'a b', Value: 'ä=&' },
        { Key: 'empty', Value: '' },
      ],
    },
  ],
  InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { ValidUntil: new Date(1_700_000_000_000) } },
  LicenseSpecifications: [],
} as const;

const fleet = {
  ClientToken: 'req-1.0',
  Type: 'instant',
  ValidUntil: new Date(1_700_000_000_123),
  SpotOptions: { AllocationStrategy: 'price-capacity-optimized', InstancePoolsToUseCount: 2 },
  TargetCapacitySpecification: { TotalTargetCapacity: 5, OnDemandTargetCapacity: 1, DefaultTargetCapacityType: 'spot' },
  LaunchTemplateConfigs: [
    {
      LaunchTemplateSpecification: { LaunchTemplateId: 'lt-1', Version: '1' },
      Overrides: [
        { InstanceType: 'm5.large', SubnetId: 'subnet-1', WeightedCapacity: 2.5, Priority: 0 },
        { InstanceRequirements: { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 1024 }, CpuManufacturers: ['intel'] } },
      ],
    },
  ],
} as const;

describe('the form of an input is the one the SDK makes', () => {
  it.each([
    ['ec2', ec2.RunInstances$, launch],
    ['ec2', ec2.CreateFleet$, fleet],
    [
      'ec2',
      ec2.CreateLaunchTemplate$,
      { ClientToken: 'n', LaunchTemplateName: 'n', LaunchTemplateData: { ...launch } },
    ],
    ['ec2', ec2.DescribeInstances$, { Filters: [{ Name: 'tag:x', Values: ['a', 'b'] }], MaxResults: 1000 }],
    ['ec2', ec2.TerminateInstances$, { InstanceIds: ['i-1', 'i-2'] }],
    ['ec2', ec2.CreateTags$, { Resources: ['i-1'], Tags: [{ Key: 'k', Value: 'v' }] }],
    ['ec2', ec2.DeleteFleets$, { FleetIds: ['fleet-1'], TerminateInstances: false }],
    [
      'ec2',
      ec2.DescribeSpotFleetRequestHistory$,
      { SpotFleetRequestId: 'sfr-1', StartTime: new Date(1_700_000_000_000) },
    ],
    [
      'ec2',
      ec2.RequestSpotFleet$,
      {
        SpotFleetRequestConfig: {
          ClientToken: 't',
          IamFleetRole: 'arn:r',
          TargetCapacity: 2,
          LaunchSpecifications: [{ ImageId: 'ami-1', InstanceType: 'm5.large', SecurityGroups: [{ GroupId: 'sg-1' }] }],
        },
      },
    ],
    [
      'query',
      autoScaling.CreateAutoScalingGroup$,
      {
        AutoScalingGroupName: 'g',
        MinSize: 0,
        MaxSize: 9,
        NewInstancesProtectedFromScaleIn: true,
        Tags: [{ Key: 'k', Value: 'v', PropagateAtLaunch: true }],
        MixedInstancesPolicy: {
          LaunchTemplate: { Overrides: [{ InstanceType: 'm5.large', WeightedCapacity: '2' }] },
          InstancesDistribution: { OnDemandPercentageAboveBaseCapacity: 20 },
        },
      },
    ],
    ['query', autoScaling.SetInstanceProtection$, { AutoScalingGroupName: 'g', InstanceIds: ['i-1', 'i-2'] }],
    ['query', autoScaling.DescribeAutoScalingGroups$, { AutoScalingGroupNames: [] }],
  ] as const)('%s %#', async (dialect, schema, input) => {
    expect(ourForm(dialect, schema, input)).toBe(await theirForm(dialect, schema, input));
  });
});

const answers = {
  instances: `<?xml version="1.0"?><DescribeInstancesResponse xmlns="urn:x"><requestId>r</requestId><reservationSet><item>
    <reservationId>r-1</reservationId><groupSet/><instancesSet><item><instanceId>i-1</instanceId><amiLaunchIndex>3</amiLaunchIndex>
    <instanceState><code>16</code><name>running</name></instanceState><ebsOptimized>true</ebsOptimized><somethingNew>x</somethingNew>
    <launchTime>2026-11-21T07:00:00.000Z</launchTime><privateDnsName/><stateReason><code>a</code><message>1 &lt; 2 &amp; so</message></stateReason>
    <tagSet><item><key>a</key><value>1</value></item><item><key>b</key><value/></item></tagSet>
    <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId></ebs></item></blockDeviceMapping>
    </item><item><instanceId>i-2</instanceId></item></instancesSet></item></reservationSet></DescribeInstancesResponse>`,
  none: '<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>',
  launched: `<RunInstancesResponse><instancesSet><item><instanceId>i-1</instanceId><placement><availabilityZone>us-east-1a</availabilityZone>
    </placement></item></instancesSet></RunInstancesResponse>`,
  fleet: `<CreateFleetResponse><fleetId>fleet-1</fleetId><errorSet><item><errorCode>InsufficientInstanceCapacity</errorCode>
    <lifecycle>spot</lifecycle></item></errorSet><fleetInstanceSet><item><instanceIds><item>i-1</item><item>i-2</item></instanceIds>
    <instanceType>m5.large</instanceType></item></fleetInstanceSet></CreateFleetResponse>`,
  tagged: '<CreateTagsResponse><requestId>r</requestId><return>true</return></CreateTagsResponse>',
  groups: `<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member>
    <AutoScalingGroupName>g</AutoScalingGroupName><DesiredCapacity>2</DesiredCapacity><CreatedTime>2026-11-21T07:00:00Z</CreatedTime>
    <Instances><member><InstanceId>i-1</InstanceId><ProtectedFromScaleIn>false</ProtectedFromScaleIn></member></Instances>
    </member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`,
};

describe('an answer is read as the SDK reads it', () => {
  it.each([
    ['ec2', ec2.DescribeInstances$, answers.instances],
    ['ec2', ec2.DescribeInstances$, answers.none],
    ['ec2', ec2.RunInstances$, answers.launched],
    ['ec2', ec2.CreateFleet$, answers.fleet],
    ['ec2', ec2.CreateTags$, answers.tagged],
    ['query', autoScaling.DescribeAutoScalingGroups$, answers.groups],
  ] as const)('%s %#', async (dialect, schema, xml) => {
    const response = new HttpResponse({ statusCode: 200, headers: {}, body: new TextEncoder().encode(xml) });
    const { $metadata, ...theirs } = await protocols[dialect].deserializeResponse(described(schema), context, response);
    const content = contentOf(xml);
    expect($metadata).toBeDefined();
    expect(fromContent(schema[5], dialect === 'ec2' ? content : content[`${schema[2]}Result`])).toEqual(theirs);
  });
});

const leaf = (xml: string): unknown => fromContent(ec2.DescribeImages$[5], contentOf(xml));

it.each([
  ['with an attribute', '<rootDeviceName a="b">/dev/xvda</rootDeviceName>', '/dev/xvda'],
  ['with an attribute alone', '<rootDeviceName a="b"/>', ''],
  ['twice', '<rootDeviceName>/dev/xvda</rootDeviceName><rootDeviceName>x</rootDeviceName>', '/dev/xvda'],
  [
    'beyond U+FFFF',
    '<rootDeviceName>&#x1F680;&#128640;&#65;&#x0a;&#x110000;</rootDeviceName>',
    expect.stringMatching(/^🚀🚀A\n/u),
  ],
])('an element %s is its text', (_how, element, text) =>
  expect(
    leaf(`<DescribeImagesResponse><imagesSet><item>${element}</item></imagesSet></DescribeImagesResponse>`),
  ).toEqual({
    Images: [{ RootDeviceName: text }],
  }),
);

it.each([
  ['<a/>', 'a'],
  ['\uFEFF<?xml version="1.0"?>\n<!-- <b> --><!----> <a x="1">', 'a'],
  ['<html>', 'html'],
  ['<!DOCTYPE a><a/>', ''],
  ['<?xml', ''],
  ['<!--', ''],
  ['', ''],
  ['a', ''],
  ['<', ''],
  ['{"a":1}', ''],
])('the root of %j is %j', (xml, name) => expect(rootOf(xml)).toBe(name));

it('what is no XML is refused', () => expect(() => contentOf('nothing here')).toThrow());
