import { listing, parameterTable } from '../wire/parameter-table.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import { type Action, required, requiredList } from './action.ts';
import type { FilterTable } from './filters.ts';
import { type InstanceType, instanceTypes, matchingTypes } from './instance-types.ts';
import { pageOf } from './paging.ts';
import { zonesOf } from './subnets.ts';

const filters: FilterTable<InstanceType> = {
  'current-generation': () => 'true',
  'instance-type': ({ name }) => name,
  'memory-info.size-in-mib': ({ memoryMiB }) => memoryMiB,
  'network-info.efa-supported': ({ hasEfa }) => String(hasEfa),
  'processor-info.supported-architecture': ({ architecture }) => architecture,
  'supported-usage-class': () => ['on-demand', 'spot'],
  'vcpu-info.default-vcpus': ({ vcpus }) => vcpus,
};

const typeXml = ({
  name,
  vcpus,
  memoryMiB,
  architecture,
  manufacturer,
  threadsPerCore,
  hasEfa,
}: InstanceType): XmlFields => ({
  instanceType: name,
  currentGeneration: true,
  supportedUsageClasses: ['on-demand', 'spot'],
  supportedRootDeviceTypes: ['ebs'],
  bareMetal: false,
  hypervisor: 'nitro',
  processorInfo: { supportedArchitectures: [architecture], manufacturer },
  vCpuInfo: { defaultVCpus: vcpus, defaultCores: vcpus / threadsPerCore, defaultThreadsPerCore: threadsPerCore },
  memoryInfo: { sizeInMiB: memoryMiB },
  networkInfo: {
    maximumNetworkInterfaces: 4,
    maximumNetworkCards: 1,
    networkCards: [{ networkCardIndex: 0, maximumNetworkInterfaces: 4 }],
    efaSupported: hasEfa,
    efaInfo: hasEfa ? { maximumEfaInterfaces: 1 } : undefined,
  },
  burstablePerformanceSupported: name.startsWith('t'),
});

const typesByName = (names: readonly string[]): readonly InstanceType[] => {
  const found = instanceTypes.filter(({ name }) => names.includes(name));
  const unknown = names.filter((name) => !found.some((type) => type.name === name));
  if (unknown.length === 0) return found;
  const message = `The following supplied instance types do not exist: [${unknown.join(', ')}]`;
  throw new ServiceError('InvalidInstanceType', message);
};

export const describeInstanceTypes: Action = {
  parameters: parameterTable(`InstanceType.N IncludeUnsupportedInRegion ${listing}`),
  answer: (world, params) => {
    const names = params.list('InstanceType');
    const { page, nextToken } = pageOf(world, params, {
      idsParameter: 'InstanceType',
      items: names.length > 0 ? typesByName(names) : instanceTypes,
      filters,
      keyOf: ({ name }) => name,
      sizes: [5, 100],
      usual: 100,
    });
    return { instanceTypeSet: page.map(typeXml), nextToken };
  },
};

/** Every type is offered in every zone but those where none of it may run. */
export const describeInstanceTypeOfferings: Action = {
  parameters: parameterTable(`LocationType ${listing}`),
  answer: (world, params) => {
    const { region, capacity, missingInstanceTypes } = world.settings;
    const type = params.text('LocationType') ?? 'region';
    const locations = type === 'availability-zone' ? zonesOf(region) : [region];
    const items = locations.flatMap((location) =>
      instanceTypes
        .filter(({ name }) => capacity[`${name}:${location}`] !== 0 && !missingInstanceTypes.includes(name))
        .map(({ name }) => ({ name, location })),
    );
    const { page, nextToken } = pageOf(world, params, {
      items,
      filters: { location: ({ location }) => location, 'instance-type': ({ name }) => name },
      keyOf: ({ name, location }) => `${location} ${name}`,
    });
    const instanceTypeOfferingSet = page.map(({ name, location }) => ({
      instanceType: name,
      locationType: type,
      location,
    }));
    return { instanceTypeOfferingSet, nextToken };
  },
};

export const getInstanceTypesFromInstanceRequirements: Action = {
  parameters: parameterTable(
    'ArchitectureType.N VirtualizationType.N InstanceRequirements{*} Context MaxResults NextToken',
  ),
  answer: (world, params) => {
    const architectures = requiredList(params, 'ArchitectureType');
    required(params.has('InstanceRequirements') || undefined, 'InstanceRequirements');
    const { page, nextToken } = pageOf(world, params, {
      items: matchingTypes(params.below('InstanceRequirements')).filter(({ architecture }) =>
        architectures.includes(architecture),
      ),
      keyOf: ({ name }) => name,
      sizes: [1, 1000],
    });
    return { instanceTypeSet: page.map(({ name }) => ({ instanceType: name })), nextToken };
  },
};
