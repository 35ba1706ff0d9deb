import type { AwsExchange } from '../application/ports/recording.ts';
import { isJson, type Json, jsonIn, listOf, objectsIn, textOf } from './json-value.ts';

/** An instance as a recorded answer of AWS's shows it; empty where that does not tell. */
export interface SeenInstance {
  readonly id: string;
  readonly type: string;
  readonly subnetId: string;
  /** The request in its tags. */
  readonly requestId: string;
  readonly state: string;
  readonly reasonCode: string;
  readonly reasonMessage: string;
}

const tagOf = (tags: unknown, key: string): string =>
  textOf(
    listOf(tags)
      .map(jsonIn)
      .find((tag) => tag['Key'] === key)?.['Value'],
  );

const seenIn = (found: Json): readonly SeenInstance[] => {
  const reason = jsonIn(found['StateReason']);
  const overrides = jsonIn(jsonIn(found['LaunchTemplateAndOverrides'])['Overrides']);
  const ids = [found['InstanceId'], ...listOf(found['InstanceIds'])].map(textOf).filter((id) => id !== '');
  return ids.map((id) => ({
    id,
    type: textOf(found['InstanceType']),
    subnetId: textOf(found['SubnetId']) || textOf(overrides['SubnetId']),
    requestId: tagOf(found['Tags'], 'hf-aws:request-id'),
    state: textOf(jsonIn(found['State'])['Name']),
    reasonCode: textOf(reason['Code']),
    reasonMessage: textOf(reason['Message']),
  }));
};

/** The instances that an answer of AWS's tells of, in its order. */
export const instancesIn = ({ answer }: AwsExchange): readonly SeenInstance[] => objectsIn(answer).flatMap(seenIn);

/** Announcements: the status of a spot request, or an event that is scheduled, by instance. */
export const announcedIn = ({ action, answer }: AwsExchange) => {
  const found = objectsIn(answer);
  const isSpot = action === 'DescribeSpotInstanceRequests';
  const spot = !isSpot
    ? []
    : found.flatMap(({ InstanceId, Status }) => {
        const spotStatus = textOf(jsonIn(Status)['Code']);
        return spotStatus.startsWith('marked-for-') ? [{ id: textOf(InstanceId), spotStatus }] : [];
      });
  const scheduled =
    action !== 'DescribeInstanceStatus'
      ? []
      : found.flatMap(({ InstanceId, Events }) =>
          listOf(Events)
            .map(jsonIn)
            .map(({ Code, NotBefore }) => ({
              id: textOf(InstanceId),
              scheduledEvent: { code: textOf(Code), notBefore: textOf(NotBefore) },
            })),
        );
  return { spot, scheduled: scheduled.filter(({ scheduledEvent }) => scheduledEvent.notBefore !== '') };
};

/** What a fleet of type instant, or a launch into a group, was given: machines and refusals by type and subnet. */
export const fleetAnswerIn = ({ answer }: AwsExchange) => {
  const overridesOf = (each: Json): Json => jsonIn(jsonIn(each['LaunchTemplateAndOverrides'])['Overrides']);
  const { Instances, Errors } = jsonIn(answer);
  const poolOf = (each: Json) => ({
    type: textOf(each['InstanceType']) || textOf(overridesOf(each)['InstanceType']),
    subnetId: textOf(overridesOf(each)['SubnetId']) || textOf(each['SubnetId']),
    zone: textOf(overridesOf(each)['AvailabilityZone']) || textOf(each['AvailabilityZone']),
  });
  return {
    granted: listOf(Instances)
      .map(jsonIn)
      .map((each) => ({ ...poolOf(each), count: listOf(each['InstanceIds']).length })),
    refused: listOf(Errors)
      .map(jsonIn)
      .map((each) => ({ ...poolOf(each), code: textOf(each['ErrorCode']) })),
  };
};

/** How a try failed: by AWS's code and words, or by a connection that broke. */
export type RecordedFailure =
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** `reached`: AWS may have done it. */
  | { readonly kind: 'broken'; readonly error: Error; readonly reached: boolean };

const ofConnection = /^(E[A-Z_]{3,}|[A-Za-z]*(TimeoutError|AbortError|Unreachable|UnexpectedAnswer|ProviderError))$/;
const neverReached =
  /^(EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|ProxyUnreachable|CredentialsProviderError)$/;

export const failureIn = ({ error }: AwsExchange): RecordedFailure | undefined => {
  if (error === undefined) return undefined;
  const { aws: code = '', message } = error;
  const words = message.replace(/^\w+ failed\. Error Code: [^:]+: /, '').replace(/ \([^()]*\)$/, '');
  if (code !== '' && !ofConnection.test(code)) return { kind: 'refused', code, message: words };
  const named = code.startsWith('E') ? { code } : { name: code || 'Error' };
  return { kind: 'broken', error: Object.assign(new Error(words), named), reached: !neverReached.test(code) };
};

/** What recordings tell of the Region: zones of subnets, images, parameters. */
export const placesIn = (exchanges: readonly AwsExchange[]) => {
  const zones = new Map<string, string>();
  const images = new Map<string, { rootDeviceName: string; architecture: string; rootDeviceType: string }>();
  const parameters = new Map<string, string>();
  for (const { action, input, answer } of exchanges) {
    if (action === 'GetParameter') parameters.set(textOf(jsonIn(input)['Name']), textOf(answer));
    for (const each of objectsIn(answer)) {
      const [subnetId, zone] = [textOf(each['SubnetId']), textOf(each['AvailabilityZone'])];
      const placed = zone || textOf(jsonIn(each['Placement'])['AvailabilityZone']);
      if (subnetId !== '' && placed !== '') zones.set(subnetId, placed);
      const [rootDeviceName, architecture] = [textOf(each['RootDeviceName']), textOf(each['Architecture'])];
      if (action === 'DescribeImages' && rootDeviceName !== '')
        images.set(textOf(each['ImageId']), { rootDeviceName, architecture, rootDeviceType: 'ebs' });
    }
  }
  parameters.delete('');
  return { zones, images, parameters };
};

/** Refusals that a fleet or group told of in the course of time: an emulator's own fleets meet none. */
export const toldLater = ({ action, answer }: AwsExchange): number =>
  action.endsWith('History') || action === 'DescribeScalingActivities'
    ? objectsIn(answer).filter(({ EventType, StatusCode }) => EventType === 'error' || StatusCode === 'Failed').length
    : 0;

/** A version of a launch template of the administrator's; data is EC2's. */
export interface SeenTemplateVersion {
  readonly id: string;
  readonly number: number;
  readonly isDefault: boolean;
  readonly data: Json;
}

/** Without what was taken out when it was recorded, such as user data. */
const kept = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(kept);
  if (!isJson(value)) return value;
  const members = Object.entries(value).filter(([name, each]) => name !== 'UserData' && each !== '<removed>');
  return Object.fromEntries(members.map(([name, each]) => [name, kept(each)]));
};

/** The administrator's launch templates, as far as launches have asked for them. */
export const launchTemplatesIn = (exchanges: readonly AwsExchange[]): readonly SeenTemplateVersion[] =>
  exchanges
    .filter(({ action }) => action === 'DescribeLaunchTemplateVersions')
    .flatMap(({ answer }) => listOf(jsonIn(answer)['LaunchTemplateVersions']).map(jsonIn))
    .map((version) => ({
      id: textOf(version['LaunchTemplateId']),
      number: Number(version['VersionNumber']),
      isDefault: version['DefaultVersion'] === true,
      data: jsonIn(kept(version['LaunchTemplateData'])),
    }))
    .filter(({ id, number }) => id !== '' && Number.isInteger(number));
