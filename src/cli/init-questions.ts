import { existsSync, statSync } from 'node:fs';
import type { Choice, Choosable } from '../application/ports/discovery.ts';
import type { templateKinds } from '../domain/template/template-kinds.ts';
import type { CliContext } from './context.ts';
import type { AnswerName, Answers } from './init-answers.ts';
import { directoryOf, type InitOptions, kinds, textOr } from './init-options.ts';

export interface Question {
  /** As on the command line; undefined for what need not be told. */
  readonly flag?: string;
  readonly name: AnswerName;
  readonly ask: string;
  readonly isOpen: (context: CliContext, options: InitOptions) => boolean;
  /** What the values of an answer are kept as; the answer itself unless said. */
  readonly fill?: (values: readonly string[]) => Answers;
  readonly choices?: Choosable | readonly Choice[];
  /** Only where AWS can be asked. */
  readonly needsAws?: boolean;
  /** Only where there is more than one thing to choose from. */
  readonly needsChoice?: boolean;
  /** Why an answer cannot be taken, before anything more is asked. */
  readonly fault?: (context: CliContext, values: readonly string[]) => Promise<string | undefined>;
}

/** Each value must have the form of this option's values. */
const formOf =
  (option: string) =>
  async (context: CliContext, values: readonly string[]): Promise<string | undefined> => {
    const faults = await Promise.all(values.map((value) => context.setUpFault(option, value)));
    return faults.find((fault) => fault !== undefined);
  };

const about: Readonly<Record<keyof typeof templateKinds, string>> = {
  ondemand: 'on demand, one instance type (RunInstances)',
  spot: 'spot, several types and subnets (EC2 Fleet)',
  'spot-one-type': 'spot, one instance type (RunInstances)',
  'spot-fleet': 'spot, by the older Spot Fleet',
  heterogeneous: 'on demand and spot together (EC2 Fleet)',
  requirements: 'types that EC2 chooses by cores and memory',
  group: 'an Auto Scaling group made per request',
  'own-group': 'an Auto Scaling group of yours',
};

const unknownKinds = async (_: CliContext, values: readonly string[]): Promise<string | undefined> => {
  const unknown = values.filter((value) => !kinds.includes(value));
  return unknown.length === 0 ? undefined : `there is no kind ${unknown.join(', ')}`;
};

const missingFile = async (_: CliContext, [answer = '']: readonly string[]): Promise<string | undefined> => {
  if (answer === 'role') return undefined;
  if (!existsSync(answer)) return `there is no file ${answer}`;
  return statSync(answer).isFile() ? undefined : `${answer} is not a file`;
};

const unclearSize = async (_: CliContext, [cores = '', memory = '', more]: readonly string[]) =>
  /^\d{1,4}$/.test(cores) && /^\d{1,5}$/.test(memory) && more === undefined
    ? undefined
    : 'two numbers are needed, e.g. 4 16: cores (vCPUs), then memory in GiB';

const launches = ({ kind }: InitOptions): boolean => kind.some((each) => each !== 'own-group');
const namesTypes = ({ kind, vmType }: InitOptions): boolean =>
  vmType.length === 0 && kind.some((each) => each !== 'own-group' && each !== 'requirements');

const all =
  (name: AnswerName) =>
  (values: readonly string[]): Answers => ({ [name]: values });

/** In the order in which they are asked. */
export const questions: readonly Question[] = [
  {
    flag: '<directory> (or set HF_TOP)',
    name: 'directory',
    ask: 'Folder for the configuration',
    isOpen: (context, options) => directoryOf(context, options) === undefined,
    fault: async (_, [path = '']) =>
      existsSync(path) && !statSync(path).isDirectory() ? `${path} is not a folder` : undefined,
  },
  {
    flag: `--kind, one or more of\n    ${kinds.join(' ')}`,
    name: 'kind',
    ask: 'Kinds of templates to begin with, one or more',
    isOpen: (_, { kind }) => kind.length === 0,
    fill: all('kind'),
    choices: Object.entries(about).map(([value, text]) => ({ value, about: text })),
    fault: unknownKinds,
  },
  {
    flag: '--region',
    name: 'region',
    ask: 'AWS Region, e.g. eu-central-1',
    isOpen: (_, { region }) => textOr(region) === undefined,
    fault: formOf('region'),
  },
  {
    flag: '--credentials-file or --instance-role',
    name: 'credentialsFile',
    ask: 'File with AWS credentials ("role": the role of this host)',
    isOpen: (_, { credentialsFile, instanceRole }) => textOr(credentialsFile) === undefined && !instanceRole,
    fill: ([answer = '']) => (answer === 'role' ? { instanceRole: true } : { credentialsFile: answer }),
    fault: missingFile,
  },
  {
    flag: '--image',
    name: 'image',
    ask: 'Image of the hosts, ami-... or an SSM parameter',
    isOpen: (_, options) => textOr(options.image) === undefined,
    choices: 'image',
    fault: formOf('image'),
  },
  {
    name: 'vpc',
    ask: 'VPC of the hosts (Enter: see the subnets of all)',
    isOpen: (_, { subnet }) => subnet.length === 0,
    needsAws: true,
    needsChoice: true,
    choices: 'vpc',
  },
  {
    flag: '--subnet',
    name: 'subnet',
    ask: 'Subnets of the hosts, subnet-..., one or more of one VPC',
    isOpen: (_, { subnet }) => subnet.length === 0,
    fill: all('subnet'),
    choices: 'subnet',
    fault: formOf('subnet'),
  },
  {
    name: 'securityGroup',
    ask: "Security groups, sg-... (Enter: the VPC's default group)",
    isOpen: (_, options) => options.securityGroup.length === 0 && launches(options),
    fill: all('securityGroup'),
    choices: 'security-group',
    fault: formOf('security-group'),
  },
  {
    name: 'size',
    ask: 'Cores (vCPUs) and GiB of memory that a host needs, e.g. 4 16 (Enter: no matter)',
    isOpen: (_, options) => namesTypes(options),
    needsAws: true,
    fill: (values) => ({ size: values.join(' ') }),
    fault: unclearSize,
  },
  {
    name: 'vmType',
    ask: 'Instance types, e.g. m5.large (Enter: those of the worked templates)',
    isOpen: (_, options) => namesTypes(options),
    fill: all('vmType'),
    choices: 'vm-type',
    fault: formOf('vm-type'),
  },
  {
    name: 'instanceProfile',
    ask: 'Instance profile of the hosts (Enter: none)',
    isOpen: (_, options) => textOr(options.instanceProfile) === undefined && launches(options),
    choices: 'instance-profile',
  },
  {
    name: 'keyName',
    ask: 'Key pair for ssh (Enter: none)',
    isOpen: (_, options) => textOr(options.keyName) === undefined && launches(options),
    choices: 'key-name',
  },
  {
    flag: '--fleet-role',
    name: 'fleetRole',
    ask: 'ARN of the role of Spot Fleets',
    isOpen: (_, { kind, fleetRole }) => kind.includes('spot-fleet') && textOr(fleetRole) === undefined,
  },
  {
    flag: '--group-name',
    name: 'groupName',
    ask: 'Name of your Auto Scaling group',
    isOpen: (_, { kind, groupName }) => kind.includes('own-group') && textOr(groupName) === undefined,
  },
  {
    name: 'clusterName',
    ask: 'Name of this Symphony cluster, where several share the account (Enter: hostfactory)',
    isOpen: (_, { clusterName }) => textOr(clusterName) === undefined,
  },
];
