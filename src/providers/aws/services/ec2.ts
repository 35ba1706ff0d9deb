import {
  type ActiveInstance,
  CancelSpotFleetRequests$,
  type CancelSpotFleetRequestsCommand,
  CreateFleet$,
  type CreateFleetCommand,
  type CreateFleetCommandInput,
  type CreateFleetCommandOutput,
  CreateLaunchTemplate$,
  type CreateLaunchTemplateCommand,
  type CreateLaunchTemplateCommandInput,
  CreateTags$,
  type CreateTagsCommand,
  DeleteFleets$,
  type DeleteFleetsCommand,
  DeleteLaunchTemplate$,
  type DeleteLaunchTemplateCommand,
  DescribeFleetHistory$,
  type DescribeFleetHistoryCommand,
  DescribeFleetInstances$,
  type DescribeFleetInstancesCommand,
  DescribeFleets$,
  type DescribeFleetsCommand,
  DescribeImages$,
  type DescribeImagesCommand,
  DescribeInstanceStatus$,
  type DescribeInstanceStatusCommand,
  DescribeInstances$,
  type DescribeInstancesCommand,
  DescribeInstanceTypes$,
  type DescribeInstanceTypesCommand,
  DescribeLaunchTemplates$,
  type DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersions$,
  type DescribeLaunchTemplateVersionsCommand,
  DescribeSpotFleetInstances$,
  type DescribeSpotFleetInstancesCommand,
  DescribeSpotFleetRequestHistory$,
  type DescribeSpotFleetRequestHistoryCommand,
  DescribeSpotFleetRequests$,
  type DescribeSpotFleetRequestsCommand,
  DescribeSpotInstanceRequests$,
  type DescribeSpotInstanceRequestsCommand,
  DescribeSubnets$,
  type DescribeSubnetsCommand,
  type Filter,
  type FleetData,
  type HistoryRecord,
  type Instance,
  type InstanceStatus,
  type InstanceTypeInfo,
  type LaunchTemplate,
  ModifyFleet$,
  type ModifyFleetCommand,
  ModifySpotFleetRequest$,
  type ModifySpotFleetRequestCommand,
  RequestSpotFleet$,
  type RequestSpotFleetCommand,
  type ResponseLaunchTemplateData,
  RunInstances$,
  type RunInstancesCommand,
  type RunInstancesCommandInput,
  type RunInstancesCommandOutput,
  type SpotFleetRequestConfig,
  type SpotFleetRequestConfigData,
  type SpotInstanceRequest,
  type Tag,
  TerminateInstances$,
  type TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { TargetUnits } from '../../../application/ports/capacity.ts';
import { PluginError } from '../../../domain/errors.ts';
import { required } from '../wire/aws-answer.ts';
import { kindOfCode } from '../wire/error-codes.ts';
import { createQueryClient, type QueryClientOptions } from '../wire/query-client.ts';

/** How a fleet of either kind stands. */
export interface FleetState {
  readonly isOver: boolean;
  /** Units it is set to hold. */
  readonly target: number;
  /** Units it holds. */
  readonly fulfilled?: number;
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
    const fault = /unexpected/i.test(code) ? 'provider.transient' : (kindOfCode(code) ?? 'provider.misconfigured');
    throw new PluginError(fault, `${action} failed. Error Code: ${code}: ${message}`, { aws: { code, action } });
  }
};

/** The EC2 calls in use. The only file that knows EC2's operations; everything thrown is a `provider.*` error. */
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
  /** The Availability Zone of each subnet. */
  subnetZones(ids: readonly string[]): Promise<Readonly<Record<string, string>>>;
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
  /** Fleets that still look for capacity or keep it. */
  activeFleets(): Promise<readonly FleetData[]>;
  fleetErrors(id: string, since: Date): Promise<readonly FleetErrorRecord[]>;
  fleetInstances(id: string): Promise<readonly string[]>;
  modifyFleet(id: string, target: TargetUnits): Promise<void>;
  /** Its instances live on. */
  deleteFleet(id: string): Promise<void>;

  /** Answers with the id. */
  requestSpotFleet(config: SpotFleetRequestConfigData): Promise<string>;
  spotFleetState(id: string): Promise<FleetState | undefined>;
  /** Spot fleets that still do something. */
  activeSpotFleets(): Promise<readonly SpotFleetRequestConfig[]>;
  spotFleetErrors(id: string, since: Date): Promise<readonly FleetErrorRecord[]>;
  spotFleetInstances(id: string): Promise<readonly string[]>;
  modifySpotFleet(id: string, target: TargetUnits): Promise<void>;
  /** Its instances live on. */
  cancelSpotFleet(id: string): Promise<void>;
}

export const ec2Service = { name: 'ec2', dialect: 'ec2', version: '2016-11-15' } as const;

/** EC2: results per page of DescribeInstances. Paged reads draw on the larger throttling bucket. */
const pageSize = 1000;

/** EC2: results per page of DescribeInstanceTypes. */
const typesPerPage = 100;
/** The same of DescribeLaunchTemplates. */
const templatesPerPage = 200;

/** Of the history of a fleet: pages that may come before the first that tells an error, and more than is worth the calls. */
const mostOfHistory = 5;

/** Reads all pages of a listing, or the first so many. */
const allPages = async <T>(
  read: (page: { NextToken?: string }) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly T[]> => {
  const found: T[] = [];
  let token: string | undefined;
  let pages = 0;
  do {
    pages++;
    const { items, next } = await read(token === undefined ? {} : { NextToken: token });
    found.push(...items);
    token = next === '' ? undefined : next;
  } while (token !== undefined && pages < most);
  return found;
};

const idsOf = (active: readonly ActiveInstance[]): readonly string[] =>
  active.flatMap(({ InstanceId }) => InstanceId ?? []);

export const createEc2 = (options: QueryClientOptions): Ec2 => {
  const { change, read } = createQueryClient(ec2Service, options);
  return {
    runInstances: async (input) => {
      const answer = await change<RunInstancesCommand>(RunInstances$, input);
      required('RunInstances', 'instance', answer.Instances?.[0]);
      return answer;
    },

    describeInstances: (filters) =>
      allPages(async (page) => {
        const { Reservations = [], NextToken } = await read<DescribeInstancesCommand>(DescribeInstances$, {
          Filters: [...filters],
          MaxResults: pageSize,
          ...page,
        });
        return { items: Reservations.flatMap(({ Instances = [] }) => Instances), next: NextToken };
      }),

    terminateInstances: async (ids) => {
      await change<TerminateInstancesCommand>(TerminateInstances$, { InstanceIds: [...ids] });
    },

    createTags: async (resources, tags) => {
      await change<CreateTagsCommand>(CreateTags$, { Resources: [...resources], Tags: [...tags] });
    },

    spotRequests: (statusCodes) =>
      allPages(async (page) => {
        const Filters = [{ Name: 'status-code', Values: [...statusCodes] }];
        const { SpotInstanceRequests = [], NextToken } = await read<DescribeSpotInstanceRequestsCommand>(
          DescribeSpotInstanceRequests$,
          { Filters, MaxResults: pageSize, ...page },
        );
        return { items: SpotInstanceRequests, next: NextToken };
      }),

    scheduledEvents: (codes) =>
      allPages(async (page) => {
        const Filters = [{ Name: 'event.code', Values: [...codes] }];
        const { InstanceStatuses = [], NextToken } = await read<DescribeInstanceStatusCommand>(
          DescribeInstanceStatus$,
          { Filters, MaxResults: pageSize, ...page },
        );
        return { items: InstanceStatuses, next: NextToken };
      }),

    rootDeviceName: async (imageId) => {
      const { Images = [] } = await read<DescribeImagesCommand>(DescribeImages$, { ImageIds: [imageId] });
      return Images[0]?.RootDeviceName;
    },

    subnetZones: async (ids) => {
      const { Subnets = [] } = await read<DescribeSubnetsCommand>(DescribeSubnets$, { SubnetIds: [...ids] });
      return Object.fromEntries(
        Subnets.map(({ SubnetId = '', AvailabilityZone = SubnetId }) => [SubnetId, AvailabilityZone]),
      );
    },

    instanceTypes: () =>
      allPages(async (page) => {
        const { InstanceTypes = [], NextToken } = await read<DescribeInstanceTypesCommand>(DescribeInstanceTypes$, {
          MaxResults: typesPerPage,
          ...page,
        });
        return { items: InstanceTypes, next: NextToken };
      }),

    createLaunchTemplate: async (input) => {
      const { LaunchTemplate } = await change<CreateLaunchTemplateCommand>(CreateLaunchTemplate$, input);
      return required('CreateLaunchTemplate', 'id', LaunchTemplate?.LaunchTemplateId);
    },

    launchTemplateId: async (name) => {
      const { LaunchTemplates = [] } = await read<DescribeLaunchTemplatesCommand>(DescribeLaunchTemplates$, {
        LaunchTemplateNames: [name],
      });
      return required('DescribeLaunchTemplates', 'id', LaunchTemplates[0]?.LaunchTemplateId);
    },

    launchTemplates: (filters) =>
      allPages(async (page) => {
        const { LaunchTemplates = [], NextToken } = await read<DescribeLaunchTemplatesCommand>(
          DescribeLaunchTemplates$,
          {
            Filters: [...filters],
            MaxResults: templatesPerPage,
            ...page,
          },
        );
        return { items: LaunchTemplates, next: NextToken };
      }),

    launchTemplateVersion: async (id, version) => {
      const { LaunchTemplateVersions = [] } = await read<DescribeLaunchTemplateVersionsCommand>(
        DescribeLaunchTemplateVersions$,
        { LaunchTemplateId: id, Versions: [version] },
      );
      const found = required('DescribeLaunchTemplateVersions', 'version', LaunchTemplateVersions[0]);
      const { VersionNumber = version, LaunchTemplateData = {} } = found;
      return { version: String(VersionNumber), data: LaunchTemplateData };
    },

    deleteLaunchTemplate: async (id) => {
      await change<DeleteLaunchTemplateCommand>(DeleteLaunchTemplate$, { LaunchTemplateId: id });
    },

    createFleet: async (input) => {
      const answer = await change<CreateFleetCommand>(CreateFleet$, input);
      const launched = input.Type === 'instant' ? (answer.Instances?.[0] ?? answer.Errors?.[0]) : undefined;
      required('CreateFleet', 'id', answer.FleetId ?? launched);
      return answer;
    },

    fleetState: async (id) => {
      const [fleet] = (await read<DescribeFleetsCommand>(DescribeFleets$, { FleetIds: [id] })).Fleets ?? [];
      if (fleet === undefined) return undefined;
      const { FleetState, TargetCapacitySpecification, FulfilledCapacity: fulfilled } = fleet;
      const target = TargetCapacitySpecification?.TotalTargetCapacity ?? 0;
      return { isOver: !lives(FleetState), target, ...(fulfilled === undefined ? {} : { fulfilled }) };
    },

    fleetInstances: (FleetId) =>
      allPages(async (page) => {
        const { ActiveInstances = [], NextToken } = await read<DescribeFleetInstancesCommand>(DescribeFleetInstances$, {
          FleetId,
          ...page,
        });
        return { items: idsOf(ActiveInstances), next: NextToken };
      }),

    activeFleets: () =>
      allPages(async (page) => {
        const { Fleets = [], NextToken } = await read<DescribeFleetsCommand>(DescribeFleets$, page);
        return { items: Fleets.filter(({ FleetState }) => lives(FleetState)), next: NextToken };
      }),

    fleetErrors: (id, since) =>
      allPages(async (page) => {
        const answer = await read<DescribeFleetHistoryCommand>(DescribeFleetHistory$, {
          ...page,
          FleetId: id,
          EventType: 'service-error',
          StartTime: since,
        });
        return { items: answer.HistoryRecords ?? [], next: answer.NextToken };
      }, mostOfHistory),

    modifyFleet: async (id, { total, onDemand }) => {
      await change<ModifyFleetCommand>(ModifyFleet$, {
        FleetId: id,
        ExcessCapacityTerminationPolicy: 'no-termination',
        TargetCapacitySpecification: {
          TotalTargetCapacity: total,
          OnDemandTargetCapacity: onDemand,
          SpotTargetCapacity: total - onDemand,
        },
      });
    },

    deleteFleet: async (id) => {
      const answer = await change<DeleteFleetsCommand>(DeleteFleets$, { FleetIds: [id], TerminateInstances: false });
      checkItems('DeleteFleets', answer.UnsuccessfulFleetDeletions);
    },

    requestSpotFleet: async (config) => {
      const answer = await change<RequestSpotFleetCommand>(RequestSpotFleet$, { SpotFleetRequestConfig: config });
      return required('RequestSpotFleet', 'id', answer.SpotFleetRequestId);
    },

    spotFleetState: async (id) => {
      const answer = await read<DescribeSpotFleetRequestsCommand>(DescribeSpotFleetRequests$, {
        SpotFleetRequestIds: [id],
      });
      const [fleet] = answer.SpotFleetRequestConfigs ?? [];
      if (fleet === undefined) return undefined;
      const { TargetCapacity: target = 0, FulfilledCapacity: fulfilled } = fleet.SpotFleetRequestConfig ?? {};
      const isOver = !lives(fleet.SpotFleetRequestState);
      return { isOver, target, ...(fulfilled === undefined ? {} : { fulfilled }) };
    },

    spotFleetInstances: (SpotFleetRequestId) =>
      allPages(async (page) => {
        const { ActiveInstances = [], NextToken } = await read<DescribeSpotFleetInstancesCommand>(
          DescribeSpotFleetInstances$,
          { SpotFleetRequestId, ...page },
        );
        return { items: idsOf(ActiveInstances), next: NextToken };
      }),

    activeSpotFleets: () =>
      allPages(async (page) => {
        const { SpotFleetRequestConfigs = [], NextToken } = await read<DescribeSpotFleetRequestsCommand>(
          DescribeSpotFleetRequests$,
          page,
        );
        const items = SpotFleetRequestConfigs.filter(({ SpotFleetRequestState }) => lives(SpotFleetRequestState));
        return { items, next: NextToken };
      }),

    spotFleetErrors: (id, since) =>
      allPages(async (page) => {
        const answer = await read<DescribeSpotFleetRequestHistoryCommand>(DescribeSpotFleetRequestHistory$, {
          ...page,
          SpotFleetRequestId: id,
          EventType: 'error',
          StartTime: since,
        });
        return { items: answer.HistoryRecords ?? [], next: answer.NextToken };
      }, mostOfHistory),

    modifySpotFleet: async (id, { total, onDemand }) => {
      await change<ModifySpotFleetRequestCommand>(ModifySpotFleetRequest$, {
        SpotFleetRequestId: id,
        TargetCapacity: total,
        OnDemandTargetCapacity: onDemand,
        ExcessCapacityTerminationPolicy: 'noTermination',
      });
    },

    cancelSpotFleet: async (id) => {
      const answer = await change<CancelSpotFleetRequestsCommand>(CancelSpotFleetRequests$, {
        SpotFleetRequestIds: [id],
        TerminateInstances: false,
      });
      checkItems('CancelSpotFleetRequests', answer.UnsuccessfulFleetRequests);
    },
  };
};
