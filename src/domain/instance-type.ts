import { type Attribute, type InstanceRequirements, type Template, weightedTypes } from './template/template.ts';

/** What EC2 says of an instance type, as far as Host Factory's attributes are made of it. */
interface InstanceTypeFacts {
  readonly architecture: string;
  readonly vcpus: number;
  readonly cores: number;
  readonly memoryMiB: number;
}

/** Facts by the type's name. */
export type InstanceTypeTable = ReadonlyMap<string, InstanceTypeFacts>;

/** How attributes are derived. */
export interface DerivationRules {
  /** IBM's advice for hyper-threaded types: a slot per core instead of per vCPU. */
  readonly ncpusAreCores: boolean;
  /** Symphony's machine type by EC2's architecture. */
  readonly machineTypes: Readonly<Record<string, string>>;
}

type Derivable = 'type' | 'ncpus' | 'nram' | 'ncores';

const needed: readonly Derivable[] = ['type', 'ncpus', 'nram'];

/** The placeholder for the cores of the instance types. */
export const countedCores = 'auto';

/** The attributes Host Factory needs that the administrator left out, and `ncores` where it is `auto`. */
export const missingAttributes = ({ attributes }: Pick<Template, 'attributes'>): readonly Derivable[] => [
  ...needed.filter((name) => attributes[name] === undefined),
  ...(attributes['ncores']?.[1] === countedCores ? (['ncores'] as const) : []),
];

/** What one unit of capacity has at least: a host, or a host's share where types have weights. */
interface Unit {
  readonly architectures: readonly string[];
  readonly ncpus: number;
  readonly nram: number;
  /** EC2's requirements say nothing of it. */
  readonly ncores?: number;
}

/** Manufacturers as EC2's InstanceRequirements name them. Where they say nothing, the image is taken to be of the usual one. */
const architectureOf = (manufacturer: string): string => (manufacturer === 'amazon-web-services' ? 'arm64' : 'x86_64');

const unitByRequirements = ({ VCpuCount, MemoryMiB, CpuManufacturers = [] }: InstanceRequirements): Unit => ({
  architectures: (CpuManufacturers.length === 0 ? ['intel'] : CpuManufacturers).map(architectureOf),
  ncpus: VCpuCount.Min,
  nram: MemoryMiB.Min,
});

type Type = readonly [facts: InstanceTypeFacts, weight: number];

const unitOfTypes = (types: readonly Type[], { ncpusAreCores }: DerivationRules): Unit => {
  const least = (amount: (facts: InstanceTypeFacts) => number): number =>
    Math.min(...types.map(([facts, weight]) => Math.max(1, Math.floor(amount(facts) / weight))));
  return {
    architectures: types.map(([{ architecture }]) => architecture),
    ncpus: least(({ vcpus, cores }) => (ncpusAreCores ? cores : vcpus)),
    nram: least(({ memoryMiB }) => memoryMiB),
    ncores: least(({ cores }) => cores),
  };
};

/** The attribute, or the rule that the template breaks by leaving it out. */
const derive = (
  name: Derivable,
  { architectures, ...numbers }: Unit,
  { machineTypes }: DerivationRules,
): Attribute | string => {
  if (name !== 'type') {
    const number = numbers[name];
    return number === undefined
      ? 'must be a number: it is not known for instance types chosen by requirements'
      : ['Numeric', String(number)];
  }
  const [architecture, ...others] = new Set(architectures);
  if (architecture === undefined || others.length > 0) return 'is required: not all types have one architecture';
  const machineType = machineTypes[architecture];
  return machineType === undefined
    ? `is required: machineTypes of the provider configuration has none for ${architecture}`
    : ['String', machineType];
};

const unitOf = (template: Template, table: InstanceTypeTable, rules: DerivationRules): Unit | string => {
  if (template.abisInstanceRequirements !== undefined) return unitByRequirements(template.abisInstanceRequirements);
  const types = weightedTypes(template);
  const unknown = types.map(([name]) => name).filter((name) => !table.has(name));
  if (types.length === 0) return 'is required: the template names no instance type';
  if (unknown.length > 0)
    return `is required: nothing is known of ${unknown.join(', ')}; hf-aws instance-types refresh asks EC2`;
  const known = types.flatMap(([name, weight]): Type[] => {
    const facts = table.get(name);
    return facts === undefined ? [] : [[facts, weight]];
  });
  return unitOfTypes(known, rules);
};

export interface Completed {
  readonly attributes: Template['attributes'];
  readonly problems: readonly { readonly field: string; readonly rule: string }[];
}

/**
 * The template's attributes with those the administrator left out, derived from facts of its instance types: the least of all
 * types, per unit. What is written is never changed.
 */
export const completeAttributes = (template: Template, table: InstanceTypeTable, rules: DerivationRules): Completed => {
  const missing = missingAttributes(template);
  const unit = missing.length === 0 ? '' : unitOf(template, table, rules);
  const derived = missing.map((name) => [name, typeof unit === 'string' ? unit : derive(name, unit, rules)] as const);
  const problems = derived.flatMap(([name, each]) =>
    typeof each === 'string' ? [{ field: `attributes.${name}`, rule: each }] : [],
  );
  const found = derived.flatMap(([name, each]) => (typeof each === 'string' ? [] : [[name, each] as const]));
  const written = Object.entries(template.attributes).filter(([name]) => missing.every((each) => each !== name));
  return { attributes: Object.fromEntries([...found, ...written]), problems };
};
