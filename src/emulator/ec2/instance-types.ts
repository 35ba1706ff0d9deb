import type { Parameters } from '../wire/parameters.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { required, requiredList } from './action.ts';
import { describe, type FilterTable } from './describe.ts';
import { zonesOf } from './subnets.ts';

export interface InstanceType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly architecture: 'x86_64' | 'arm64';
  readonly manufacturer: 'intel' | 'amd' | 'amazon-web-services';
  readonly threadsPerCore: number;
  readonly hasEfa: boolean;
}

type Family = readonly [name: string, gibPerVcpu: number, InstanceType['manufacturer'], sizes: string];

const families: readonly Family[] = [
  ['c5', 2, 'intel', 'large xlarge 2xlarge 4xlarge'],
  ['c5n', 2.625, 'intel', 'large xlarge 2xlarge 4xlarge 18xlarge'],
  ['c6i', 2, 'intel', 'large xlarge 2xlarge 4xlarge 32xlarge'],
  ['m5', 4, 'intel', 'large xlarge 2xlarge 4xlarge'],
  ['m5a', 4, 'amd', 'large xlarge 2xlarge 4xlarge'],
  ['m6g', 4, 'amazon-web-services', 'large xlarge 2xlarge 4xlarge'],
  ['m6i', 4, 'intel', 'large xlarge 2xlarge 4xlarge'],
  ['r5', 8, 'intel', 'large xlarge 2xlarge 4xlarge'],
  ['t3', 4, 'intel', 'large xlarge 2xlarge'],
];

// EC2 user guide, "Elastic Fabric Adapter": of these, the largest sizes only.
const efaTypes = new Set(['c5n.18xlarge', 'c6i.32xlarge']);

/** Vcpus by size name, as most families have them: 2 up to large, 4 for xlarge, 4n for nxlarge. */
export const vcpusOf = (type: string): number => {
  const [, times] = /\.(\d*)xlarge$/.exec(type) ?? [];
  return times === undefined ? 2 : 4 * Number(times === '' ? 1 : times);
};

const typesOf = ([family, gibPerVcpu, manufacturer, sizes]: Family): readonly InstanceType[] =>
  sizes.split(' ').map((size) => {
    const name = `${family}.${size}`;
    const isArm = manufacturer === 'amazon-web-services';
    return {
      name,
      vcpus: vcpusOf(name),
      memoryMiB: vcpusOf(name) * gibPerVcpu * 1024,
      architecture: isArm ? 'arm64' : 'x86_64',
      manufacturer,
      threadsPerCore: isArm ? 1 : 2,
      hasEfa: efaTypes.has(name),
    };
  });

const typeForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.(nano|micro|small|medium|large|\d*xlarge|metal(-\d+xl)?)$/;

/** Whether a launch takes the type: any that has one of EC2's sizes, unless it is set to be missing. */
export const isType = ({ settings }: World, name: string): boolean =>
  typeForm.test(name) && !settings.missingInstanceTypes.includes(name);

/** The types that describes tell of. By name. */
const instanceTypes: readonly InstanceType[] = families.flatMap(typesOf).sort((a, b) => (a.name < b.name ? -1 : 1));

const isWithin = (params: Parameters, name: string, value: number): boolean =>
  value >= (params.number(`${name}.Min`) ?? 0) && value <= (params.number(`${name}.Max`) ?? Infinity);

const matches = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name));

/** A list by its name in EC2's requests, in Spot Fleet's or in Auto Scaling's. */
const listed = (params: Parameters, name: string): readonly string[] =>
  ['', 'Set', 's'].flatMap((ending) => params.list(name + ending));

/** The types of the table that meet `InstanceRequirements`; burstable ones only if asked for, as in EC2. */
export const matchingTypes = (requirements: Parameters): readonly InstanceType[] => {
  const [allowed, excluded] = [
    listed(requirements, 'AllowedInstanceType'),
    listed(requirements, 'ExcludedInstanceType'),
  ];
  const manufacturers = listed(requirements, 'CpuManufacturer');
  const burstable = requirements.text('BurstablePerformance') ?? 'excluded';
  return instanceTypes.filter(
    ({ name, vcpus, memoryMiB, manufacturer }) =>
      isWithin(requirements, 'VCpuCount', vcpus) &&
      isWithin(requirements, 'MemoryMiB', memoryMiB) &&
      isWithin(requirements, 'MemoryGiBPerVCpu', memoryMiB / 1024 / vcpus) &&
      (manufacturers.length === 0 || manufacturers.includes(manufacturer)) &&
      (allowed.length === 0 || matches(allowed, name)) &&
      !matches(excluded, name) &&
      (burstable === 'included' || name.startsWith('t') === (burstable === 'required')),
  );
};

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

export const describeInstanceTypes = describe<InstanceType>({
  ids: 'InstanceType',
  parameters: 'IncludeUnsupportedInRegion',
  items: (_, names) => (names.length > 0 ? typesByName(names) : instanceTypes),
  keyOf: ({ name }) => name,
  filters,
  sizes: [5, 100],
  usual: 100,
  answer: (page) => ({ instanceTypeSet: page.map(typeXml) }),
});

interface Offering {
  readonly name: string;
  readonly location: string;
  readonly type: string;
}

/** Every type is offered in every zone but those where none of it may run. */
export const describeInstanceTypeOfferings = describe<Offering>({
  parameters: 'LocationType',
  items: ({ settings: { region, capacity, missingInstanceTypes } }, _, params) => {
    const type = params.text('LocationType') ?? 'region';
    const locations = type === 'availability-zone' ? zonesOf(region) : [region];
    return locations.flatMap((location) =>
      instanceTypes
        .filter(({ name }) => capacity[`${name}:${location}`] !== 0 && !missingInstanceTypes.includes(name))
        .map(({ name }) => ({ name, location, type })),
    );
  },
  keyOf: ({ name, location }) => `${location} ${name}`,
  filters: { location: ({ location }) => location, 'instance-type': ({ name }) => name },
  answer: (page) => ({
    instanceTypeOfferingSet: page.map(({ name, location, type }) => ({
      instanceType: name,
      locationType: type,
      location,
    })),
  }),
});

export const getInstanceTypesFromInstanceRequirements = describe<InstanceType>({
  parameters: 'ArchitectureType.N VirtualizationType.N InstanceRequirements{*} Context',
  items: (_world, _ids, params) => {
    const architectures = requiredList(params, 'ArchitectureType');
    required(params.has('InstanceRequirements') || undefined, 'InstanceRequirements');
    const matching = matchingTypes(params.below('InstanceRequirements'));
    return matching.filter(({ architecture }) => architectures.includes(architecture));
  },
  keyOf: ({ name }) => name,
  sizes: [1, 1000],
  answer: (page) => ({ instanceTypeSet: page.map(({ name }) => ({ instanceType: name })) }),
});
