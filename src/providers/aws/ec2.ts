import {
  CancelSpotFleetRequestsCommand,
  CreateFleetCommand,
  type CreateFleetCommandInput,
  type CreateFleetCommandOutput,
  CreateLaunchTemplateCommand,
  type CreateLaunchTemplateCommandInput,
  CreateTagsCommand,
  DeleteFleetsCommand,
  DeleteLaunchTemplateCommand,
  DescribeFleetHistoryCommand,
  DescribeFleetsCommand,
  DescribeImagesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeSpotFleetRequestHistoryCommand,
  DescribeSpotFleetRequestsCommand,
  DescribeSpotInstanceRequestsCommand,
  EC2Client,
  type EC2ClientConfig,
  type Filter,
  type HistoryRecord,
  type Instance,
  type InstanceStatus,
  type InstanceTypeInfo,
  type LaunchTemplate,
  ModifyFleetCommand,
  ModifySpotFleetRequestCommand,
  RequestSpotFleetCommand,
  type ResponseLaunchTemplateData,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  type RunInstancesCommandOutput,
  type SpotFleetRequestConfigData,
  type SpotInstanceRequest,
  type Tag,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { TargetUnits } from '../../application/ports.ts';
import { PluginError } from '../../domain/errors.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';

/** How a fleet of either kind stands. */
export interface FleetState {
  readonly isOver: boolean;
  /** Units it is set to hold. */
  readonly target: number;
}

/** An error of a fleet's history. */
export type FleetErrorRecord = Pick<HistoryRecord, 'EventInformation'>;

const lives = (state: string | undefined): boolean =>
  state === 'submitted' || state === 'active' || state === 'modifying';

/** AWS answers with HTTP 200 and tells what it did not do item by item. */
const checkItems = (
  action: string,
  items: readonly {
    readonly Error?: { readonly Code?: string | undefined; readonly Message?: string | undefined } | undefined;
  }[] = [],
): void => {
  for (const { Error: error } of items) {
    const { Code: code = 'unexpectedError', Message: message = '' } = error ?? {};
    // Of a fleet that is gone or on its way out nothing is left to be asked.
    if (/DoesNotExist|NotInDeletableState|NotInCancellableState/i.test(code)) continue;
    const fault = /unexpected/i.test(code) ? 'provider.transient' : 'provider.misconfigured';
    throw new PluginError(fault, `${action} failed. Error Code: ${code}: ${message}`, { aws: { code, action } });
  }
};

/** The EC2 calls in use. The only file that knows the SDK's client; everything thrown is a `provider.*` error. */
export interface Ec2 {
  runInstances(input: RunInstancesCommandInput): Promise<RunInstancesCommandOutput>;
  /** All instances that match, over all pages. */
  describeInstances(filters: readonly Filter[]): Promise<readonly Instance[]>;
  terminateInstances(ids: readonly string[]): Promise<void>;
  createTags(resources: readonly string[], tags: readonly Tag[]): Promise<void>;
  /** Spot requests of the Region with one of these status codes. */
  spotRequests(statusCodes: readonly string[]): Promise<readonly SpotInstanceRequest[]>;
  /** Instances of the Region with a scheduled event of one of these codes. */
  scheduledEvents(codes: readonly string[]): Promise<readonly InstanceStatus[]>;
  rootDeviceName(imageId: string): Promise<string | undefined>;
  /** All types of the Region. */
  instanceTypes(): Promise<readonly InstanceTypeInfo[]>;

  /** Answers with the id. */
  createLaunchTemplate(input: CreateLaunchTemplateCommandInput): Promise<string>;
  launchTemplateId(name: string): Promise<string>;
  /** All that match. */
  launchTemplates(filters: readonly Filter[]): Promise<readonly LaunchTemplate[]>;
  /** A version, by its number, `$Latest` or `$Default`. */
  launchTemplateVersion(
    id: string,
    version: string,
  ): Promise<{ readonly version: string; readonly data: ResponseLaunchTemplateData }>;
  deleteLaunchTemplate(id: string): Promise<void>;

  createFleet(input: CreateFleetCommandInput): Promise<CreateFleetCommandOutput>;
  fleetState(id: string): Promise<FleetState | undefined>;
  fleetErrors(id: string, since: Date): Promise<readonly FleetErrorRecord[]>;
  modifyFleet(id: string, target: TargetUnits): Promise<void>;
  /** Its instances live on. */
  deleteFleet(id: string): Promise<void>;

  /** Answers with the id. */
  requestSpotFleet(config: SpotFleetRequestConfigData): Promise<string>;
  spotFleetState(id: string): Promise<FleetState | undefined>;
  spotFleetErrors(id: string, since: Date): Promise<readonly FleetErrorRecord[]>;
  modifySpotFleet(id: string, target: TargetUnits): Promise<void>;
  /** Its instances live on. */
  cancelSpotFleet(id: string): Promise<void>;
}

export interface Ec2Options extends CallContext {
  readonly client: EC2ClientConfig;
  readonly changes: RetryPolicy;
  readonly reads: RetryPolicy;
}

/** EC2: results per page of DescribeInstances. Paged reads draw on the larger throttling bucket. */
const pageSize = 1000;

/** EC2: results per page of DescribeInstanceTypes. */
const typesPerPage = 100;
/** The same of DescribeLaunchTemplates. */
const templatesPerPage = 200;

/** Reads all pages of a listing. */
const allPages = async <T>(
  read: (page: { NextToken?: string }) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
): Promise<readonly T[]> => {
  const found: T[] = [];
  let token: string | undefined;
  do {
    const { items, next } = await read(token === undefined ? {} : { NextToken: token });
    found.push(...items);
    token = next === '' ? undefined : next;
  } while (token !== undefined);
  return found;
};

export const createEc2 = ({ client: config, changes, reads, ...context }: Ec2Options): Ec2 => {
  const client = new EC2Client({ ...config, maxAttempts: 1 });
  type Send<O> = (options: { readonly abortSignal: AbortSignal }) => Promise<O>;
  const change = <O>(action: string, send: Send<O>): Promise<O> =>
    callAws(context, changes, action, (abortSignal) => send({ abortSignal }));
  const read = <O>(action: string, send: Send<O>): Promise<O> =>
    callAws(context, reads, action, (abortSignal) => send({ abortSignal }));

  return {
    runInstances: (input) => change('RunInstances', (options) => client.send(new RunInstancesCommand(input), options)),

    describeInstances: (filters) =>
      allPages(async (page) => {
        const command = new DescribeInstancesCommand({ Filters: [...filters], MaxResults: pageSize, ...page });
        const { Reservations = [], NextToken } = await read('DescribeInstances', (options) =>
          client.send(command, options),
        );
        return { items: Reservations.flatMap(({ Instances = [] }) => Instances), next: NextToken };
      }),

    terminateInstances: async (ids) => {
      const command = new TerminateInstancesCommand({ InstanceIds: [...ids] });
      await change('TerminateInstances', (options) => client.send(command, options));
    },

    createTags: async (resources, tags) => {
      const command = new CreateTagsCommand({ Resources: [...resources], Tags: [...tags] });
      await change('CreateTags', (options) => client.send(command, options));
    },

    spotRequests: (statusCodes) =>
      allPages(async (page) => {
        const Filters = [{ Name: 'status-code', Values: [...statusCodes] }];
        const command = new DescribeSpotInstanceRequestsCommand({ Filters, MaxResults: pageSize, ...page });
        const { SpotInstanceRequests = [], NextToken } = await read('DescribeSpotInstanceRequests', (options) =>
          client.send(command, options),
        );
        return { items: SpotInstanceRequests, next: NextToken };
      }),

    scheduledEvents: (codes) =>
      allPages(async (page) => {
        const Filters = [{ Name: 'event.code', Values: [...codes] }];
        const command = new DescribeInstanceStatusCommand({ Filters, MaxResults: pageSize, ...page });
        const { InstanceStatuses = [], NextToken } = await read('DescribeInstanceStatus', (options) =>
          client.send(command, options),
        );
        return { items: InstanceStatuses, next: NextToken };
      }),

    rootDeviceName: async (imageId) => {
      const command = new DescribeImagesCommand({ ImageIds: [imageId] });
      const { Images = [] } = await read('DescribeImages', (options) => client.send(command, options));
      return Images[0]?.RootDeviceName;
    },

    instanceTypes: () =>
      allPages(async (page) => {
        const command = new DescribeInstanceTypesCommand({ MaxResults: typesPerPage, ...page });
        const { InstanceTypes = [], NextToken } = await read('DescribeInstanceTypes', (options) =>
          client.send(command, options),
        );
        return { items: InstanceTypes, next: NextToken };
      }),

    createLaunchTemplate: async (input) => {
      const command = new CreateLaunchTemplateCommand(input);
      const { LaunchTemplate } = await change('CreateLaunchTemplate', (options) => client.send(command, options));
      return LaunchTemplate?.LaunchTemplateId ?? '';
    },

    launchTemplateId: async (name) => {
      const command = new DescribeLaunchTemplatesCommand({ LaunchTemplateNames: [name] });
      const { LaunchTemplates = [] } = await read('DescribeLaunchTemplates', (options) =>
        client.send(command, options),
      );
      return LaunchTemplates[0]?.LaunchTemplateId ?? '';
    },

    launchTemplates: (filters) =>
      allPages(async (page) => {
        const command = new DescribeLaunchTemplatesCommand({
          Filters: [...filters],
          MaxResults: templatesPerPage,
          ...page,
        });
        const { LaunchTemplates = [], NextToken } = await read('DescribeLaunchTemplates', (options) =>
          client.send(command, options),
        );
        return { items: LaunchTemplates, next: NextToken };
      }),

    launchTemplateVersion: async (id, version) => {
      const command = new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: id, Versions: [version] });
      const { LaunchTemplateVersions = [] } = await read('DescribeLaunchTemplateVersions', (options) =>
        client.send(command, options),
      );
      const { VersionNumber = version, LaunchTemplateData = {} } = LaunchTemplateVersions[0] ?? {};
      return { version: String(VersionNumber), data: LaunchTemplateData };
    },

    deleteLaunchTemplate: async (id) => {
      const command = new DeleteLaunchTemplateCommand({ LaunchTemplateId: id });
      await change('DeleteLaunchTemplate', (options) => client.send(command, options));
    },

    createFleet: (input) => change('CreateFleet', (options) => client.send(new CreateFleetCommand(input), options)),

    fleetState: async (id) => {
      const command = new DescribeFleetsCommand({ FleetIds: [id] });
      const [fleet] = (await read('DescribeFleets', (options) => client.send(command, options))).Fleets ?? [];
      const { FleetState, TargetCapacitySpecification } = fleet ?? {};
      return fleet && { isOver: !lives(FleetState), target: TargetCapacitySpecification?.TotalTargetCapacity ?? 0 };
    },

    fleetErrors: async (id, since) => {
      const command = new DescribeFleetHistoryCommand({ FleetId: id, EventType: 'service-error', StartTime: since });
      const answer = await read('DescribeFleetHistory', (options) => client.send(command, options));
      return answer.HistoryRecords ?? [];
    },

    modifyFleet: async (id, { total, onDemand }) => {
      const command = new ModifyFleetCommand({
        FleetId: id,
        ExcessCapacityTerminationPolicy: 'no-termination',
        TargetCapacitySpecification: {
          TotalTargetCapacity: total,
          OnDemandTargetCapacity: onDemand,
          SpotTargetCapacity: total - onDemand,
        },
      });
      await change('ModifyFleet', (options) => client.send(command, options));
    },

    deleteFleet: async (id) => {
      const command = new DeleteFleetsCommand({ FleetIds: [id], TerminateInstances: false });
      const answer = await change('DeleteFleets', (options) => client.send(command, options));
      checkItems('DeleteFleets', answer.UnsuccessfulFleetDeletions);
    },

    requestSpotFleet: async (config) => {
      const command = new RequestSpotFleetCommand({ SpotFleetRequestConfig: config });
      return (await change('RequestSpotFleet', (options) => client.send(command, options))).SpotFleetRequestId ?? '';
    },

    spotFleetState: async (id) => {
      const command = new DescribeSpotFleetRequestsCommand({ SpotFleetRequestIds: [id] });
      const answer = await read('DescribeSpotFleetRequests', (options) => client.send(command, options));
      const [fleet] = answer.SpotFleetRequestConfigs ?? [];
      const { SpotFleetRequestState, SpotFleetRequestConfig } = fleet ?? {};
      return fleet && { isOver: !lives(SpotFleetRequestState), target: SpotFleetRequestConfig?.TargetCapacity ?? 0 };
    },

    spotFleetErrors: async (id, since) => {
      const command = new DescribeSpotFleetRequestHistoryCommand({
        SpotFleetRequestId: id,
        EventType: 'error',
        StartTime: since,
      });
      const answer = await read('DescribeSpotFleetRequestHistory', (options) => client.send(command, options));
      return answer.HistoryRecords ?? [];
    },

    modifySpotFleet: async (id, { total, onDemand }) => {
      const command = new ModifySpotFleetRequestCommand({
        SpotFleetRequestId: id,
        TargetCapacity: total,
        OnDemandTargetCapacity: onDemand,
        ExcessCapacityTerminationPolicy: 'noTermination',
      });
      await change('ModifySpotFleetRequest', (options) => client.send(command, options));
    },

    cancelSpotFleet: async (id) => {
      const command = new CancelSpotFleetRequestsCommand({ SpotFleetRequestIds: [id], TerminateInstances: false });
      const answer = await change('CancelSpotFleetRequests', (options) => client.send(command, options));
      checkItems('CancelSpotFleetRequests', answer.UnsuccessfulFleetRequests);
    },
  };
};
