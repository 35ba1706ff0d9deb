import { join } from 'node:path';
import type { Argv } from 'yargs';
import { templateKinds } from '../domain/template/template-kinds.ts';
import type { CliContext, CommonOptions } from './context.ts';

export interface InitOptions extends CommonOptions {
  readonly directory?: string | undefined;
  readonly instance?: string | undefined;
  readonly kind: readonly string[];
  readonly region?: string | undefined;
  readonly credentialsFile?: string | undefined;
  readonly instanceRole: boolean;
  readonly image?: string | undefined;
  readonly subnet: readonly string[];
  readonly securityGroup: readonly string[];
  readonly vmType: readonly string[];
  readonly instanceProfile?: string | undefined;
  readonly keyName?: string | undefined;
  readonly fleetRole?: string | undefined;
  readonly groupName?: string | undefined;
  readonly clusterName?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly plugin?: string | undefined;
  readonly answers?: string | undefined;
  readonly iamPolicy: boolean;
  readonly unregister: boolean;
  readonly yes: boolean;
  readonly register: boolean;
  readonly force: boolean;
  readonly aws: boolean;
}

export const kinds = Object.keys(templateKinds);
const list = { type: 'string', array: true, default: [] as string[] } as const;
const text = { type: 'string' } as const;
const no = { type: 'boolean', default: false } as const;

export const initOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .positional('directory', { ...text, describe: 'Where to; default: that of the instance under HF_TOP' })
    .option('instance', { ...text, describe: 'Name of the provider instance; default: HF_PROVIDER_NAME, else awsinst' })
    .option('kind', { ...list, choices: kinds, describe: 'A first template of this kind; may be repeated' })
    .option('region', { ...text, describe: 'AWS Region, e.g. eu-central-1' })
    .option('credentials-file', { ...text, describe: 'File with AWS credentials, profile [default]' })
    .option('instance-role', { ...no, describe: 'No file: the role of the host that runs Host Factory' })
    .option('image', { ...text, describe: 'AMI, or the SSM parameter that names it' })
    .option('subnet', { ...list, describe: 'Subnet; may be repeated' })
    .option('security-group', { ...list, describe: 'Security group; may be repeated' })
    .option('vm-type', { ...list, describe: 'Instance type, e.g. m5.large; may be repeated' })
    .option('instance-profile', { ...text, describe: 'Instance profile of the hosts' })
    .option('key-name', { ...text, describe: 'Key pair for ssh' })
    .option('fleet-role', { ...text, describe: 'ARN of the role of Spot Fleets' })
    .option('group-name', { ...text, describe: 'Auto Scaling group of yours, for own-group' })
    .option('cluster-name', { ...text, describe: 'Tells Symphony clusters apart that share an AWS account' })
    .option('endpoint', { ...text, describe: 'Another EC2 endpoint, e.g. that of hf-aws emulator' })
    .option('answers', { ...text, describe: 'File of answers, as init keeps them; options take precedence' })
    .option('iam-policy', { ...no, describe: 'Print the IAM policy that lists and checks need, and do nothing else' })
    .option('unregister', { ...no, describe: "Take the provider out of Host Factory's files; asks first" })
    .option('yes', { ...no, describe: 'With --unregister: do not ask first' })
    .option('register', { ...no, describe: "Merge into Host Factory's files (HF_TOP or HF_CONFDIR)" })
    .option('plugin', { ...text, describe: 'Name to register the plug-in by; default: its folder' })
    .option('force', { ...no, describe: 'Replace files that exist; copies stay beside' })
    .option('aws', { type: 'boolean', default: true, describe: 'Let doctor ask AWS at the end' })
    .example('hf-aws init', 'asks for what it needs, on a terminal')
    .example(
      'hf-aws init conf --kind ondemand --region us-east-1 --instance-role --image ami-0123456789abcdef0 --subnet subnet-0123456789abcdef0',
      'without questions',
    );

export const textOr = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

export const words = (answer: string): readonly string[] => answer.split(/[\s,]+/).filter((word) => word !== '');

export const instanceOf = ({ env }: CliContext, { instance }: InitOptions): string =>
  textOr(instance) ?? textOr(env['HF_PROVIDER_NAME']) ?? 'awsinst';

/** The folder that is named, else the one Host Factory has for the instance. */
export const directoryOf = (context: CliContext, options: InitOptions): string | undefined => {
  const { HF_CONFDIR: conf, HF_TOP: top } = context.env;
  const root = textOr(conf) ?? (textOr(top) === undefined ? undefined : join(String(top), 'conf'));
  const own =
    context.env['HF_PROVIDER_NAME'] === instanceOf(context, options) ? context.env['HF_PROVIDER_CONFDIR'] : undefined;
  const usual = root === undefined ? undefined : join(root, 'providers', instanceOf(context, options));
  return textOr(options.directory) ?? textOr(own) ?? usual;
};
