import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { Registration, SetUpAnswer, SetUpOrder } from '../application/ports/setup.ts';
import { PluginError } from '../domain/errors.ts';
import { type TemplateKind, templateKinds } from '../domain/template/template-kinds.ts';
import type { CliContext, CommonOptions } from './context.ts';
import { diagnosisOf, diagnosisTexts, doctorProgress, endLate } from './doctor.ts';
import { reporting, show } from './run.ts';

interface InitOptions extends CommonOptions {
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
  readonly keyName?: string | undefined;
  readonly fleetRole?: string | undefined;
  readonly groupName?: string | undefined;
  readonly clusterName?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly plugin?: string | undefined;
  readonly register: boolean;
  readonly force: boolean;
  readonly aws: boolean;
}

const kinds = Object.keys(templateKinds);
const isKind = (text: string): text is TemplateKind => Object.hasOwn(templateKinds, text);
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
    .option('key-name', { ...text, describe: 'Key pair for ssh' })
    .option('fleet-role', { ...text, describe: 'ARN of the role of Spot Fleets' })
    .option('group-name', { ...text, describe: 'Auto Scaling group of yours, for own-group' })
    .option('cluster-name', { ...text, describe: 'Tells Symphony clusters apart that share an AWS account' })
    .option('endpoint', { ...text, describe: 'Another EC2 endpoint, e.g. that of hf-aws emulator' })
    .option('register', { ...no, describe: "Merge into Host Factory's files (HF_TOP or HF_CONFDIR)" })
    .option('plugin', { ...text, describe: 'Name to register the plug-in by; default: its folder' })
    .option('force', { ...no, describe: 'Replace files that exist; copies stay beside' })
    .option('aws', { type: 'boolean', default: true, describe: 'Let doctor ask AWS at the end' })
    .example('hf-aws init', 'asks for what it needs, on a terminal')
    .example(
      'hf-aws init conf --kind ondemand --region us-east-1 --instance-role --image ami-0123456789abcdef0 --subnet subnet-0123456789abcdef0',
      'without questions',
    );

const textOr = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

const instanceOf = ({ env }: CliContext, { instance }: InitOptions): string =>
  textOr(instance) ?? textOr(env['HF_PROVIDER_NAME']) ?? 'awsinst';

/** The folder that is named, else the one Host Factory has for the instance. */
const directoryOf = (context: CliContext, options: InitOptions): string | undefined => {
  const { HF_CONFDIR: conf, HF_TOP: top } = context.env;
  const root = textOr(conf) ?? (textOr(top) === undefined ? undefined : join(String(top), 'conf'));
  const own =
    context.env['HF_PROVIDER_NAME'] === instanceOf(context, options) ? context.env['HF_PROVIDER_CONFDIR'] : undefined;
  const usual = root === undefined ? undefined : join(root, 'providers', instanceOf(context, options));
  return textOr(options.directory) ?? textOr(own) ?? usual;
};

const words = (answer: string): readonly string[] => answer.split(/[\s,]+/).filter((word) => word !== '');

interface Question {
  /** As on the command line. */
  readonly flag: string;
  readonly ask: string;
  readonly isOpen: (context: CliContext, options: InitOptions) => boolean;
  readonly fill: (answer: string) => Partial<InitOptions>;
  /** Why an answer cannot be taken, before anything more is asked. */
  readonly fault?: (context: CliContext, answer: string) => Promise<string | undefined>;
}

/** Each word of an answer must have the form of this option's values. */
const formOf =
  (option: string) =>
  async (context: CliContext, answer: string): Promise<string | undefined> => {
    const faults = await Promise.all(words(answer).map((word) => context.setUpFault(option, word)));
    return faults.find((fault) => fault !== undefined);
  };

const unknownKinds = async (_: CliContext, answer: string): Promise<string | undefined> => {
  const unknown = words(answer).filter((word) => !isKind(word));
  return unknown.length === 0 ? undefined : `there is no kind ${unknown.join(', ')}`;
};

const missingFile = async (_: CliContext, answer: string): Promise<string | undefined> =>
  answer === 'role' || existsSync(answer) ? undefined : `there is no file ${answer}`;

const questions: readonly Question[] = [
  {
    flag: '<directory> (or set HF_TOP)',
    ask: 'Folder for the configuration',
    isOpen: (context, options) => directoryOf(context, options) === undefined,
    fill: (directory) => ({ directory }),
  },
  {
    flag: `--kind, one or more of\n    ${kinds.join(' ')}`,
    ask: `Kinds of templates to begin with, one or more of\n  ${kinds.join('\n  ')}\nKinds`,
    isOpen: (_, { kind }) => kind.length === 0,
    fill: (answer) => ({ kind: words(answer) }),
    fault: unknownKinds,
  },
  {
    flag: '--region',
    ask: 'AWS Region, e.g. eu-central-1',
    isOpen: (_, { region }) => textOr(region) === undefined,
    fill: (region) => ({ region }),
    fault: formOf('region'),
  },
  {
    flag: '--credentials-file or --instance-role',
    ask: 'File with AWS credentials ("role": the role of this host)',
    isOpen: (_, { credentialsFile, instanceRole }) => textOr(credentialsFile) === undefined && !instanceRole,
    fill: (answer) => (answer === 'role' ? { instanceRole: true } : { credentialsFile: answer }),
    fault: missingFile,
  },
  {
    flag: '--image',
    ask: 'Image of the hosts, ami-...',
    isOpen: (_, { image }) => textOr(image) === undefined,
    fill: (image) => ({ image }),
    fault: formOf('image'),
  },
  {
    flag: '--subnet',
    ask: 'Subnets of the hosts, subnet-...',
    isOpen: (_, { subnet }) => subnet.length === 0,
    fill: (answer) => ({ subnet: words(answer) }),
    fault: formOf('subnet'),
  },
  {
    flag: '--fleet-role',
    ask: 'ARN of the role of Spot Fleets',
    isOpen: (_, { kind, fleetRole }) => kind.includes('spot-fleet') && textOr(fleetRole) === undefined,
    fill: (fleetRole) => ({ fleetRole }),
  },
  {
    flag: '--group-name',
    ask: 'Name of your Auto Scaling group',
    isOpen: (_, { kind, groupName }) => kind.includes('own-group') && textOr(groupName) === undefined,
    fill: (groupName) => ({ groupName }),
  },
];

/** Asks for what is missing, where somebody is there to answer. Throws `input.invalid` with all flags where nobody is. */
const complete = async (context: CliContext, given: InitOptions): Promise<InitOptions> => {
  const missing = questions.filter(({ isOpen }) => isOpen(context, given)).map(({ flag }) => flag);
  if (missing.length === 0) return given;
  if (process.stdin.isTTY !== true || given.json === true) {
    throw new PluginError('input.invalid', `missing, and no terminal to ask at:\n  ${missing.join('\n  ')}`);
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Without this the process would end, as if all were well, when the terminal goes away.
  const gone = new Promise<never>((_, reject) =>
    terminal.once('close', () => reject(new PluginError('input.invalid', 'the questions were not answered'))),
  );
  gone.catch(() => undefined);
  try {
    let options = given;
    for (const { ask, isOpen, fill, fault } of questions) {
      while (isOpen(context, options)) {
        const answer = (await Promise.race([terminal.question(`${ask}: `), gone])).trim();
        const rule = answer === '' ? 'it is needed' : await fault?.(context, answer);
        if (rule === undefined) options = { ...options, ...fill(answer) };
        else context.print(`  ${rule}`);
      }
    }
    return options;
  } finally {
    terminal.close();
  }
};

const orderFor = (context: CliContext, options: InitOptions): SetUpOrder => {
  if (textOr(options.credentialsFile) !== undefined && options.instanceRole)
    throw new PluginError('input.invalid', '--credentials-file and --instance-role exclude one another');
  return {
    instance: instanceOf(context, options),
    directory: resolve(directoryOf(context, options) ?? '.'),
    kinds: [...new Set(options.kind)].filter(isKind),
    region: options.region ?? '',
    credentialsFile: textOr(options.credentialsFile),
    endpoint: textOr(options.endpoint),
    clusterName: textOr(options.clusterName),
    image: options.image ?? '',
    subnets: options.subnet,
    securityGroups: options.securityGroup,
    vmTypes: options.vmType,
    keyName: textOr(options.keyName),
    fleetRole: textOr(options.fleetRole),
    groupName: textOr(options.groupName),
    plugin: textOr(options.plugin),
    register: options.register,
    force: options.force,
  };
};

/** Where the new instance is, for doctor and for whoever goes on by hand: as Host Factory will tell its scripts. */
const placesOf = ({ env }: CliContext, { instance, directory }: SetUpOrder): Readonly<Record<string, string>> => {
  const beneath = (wide: string | undefined, folder: string): string | undefined =>
    textOr(wide) ?? (textOr(env['HF_TOP']) === undefined ? undefined : join(String(env['HF_TOP']), folder));
  const [work, log] = [beneath(env['HF_WORKDIR'], 'work'), beneath(env['HF_LOGDIR'], 'log')];
  return {
    HF_PROVIDER_NAME: instance,
    HF_PROVIDER_CONFDIR: directory,
    HF_PROVIDER_WORKDIR: work === undefined ? join(directory, 'work') : join(work, 'providers', instance),
    HF_PROVIDER_LOGDIR: log ?? join(directory, 'log'),
  };
};

const registrationText = ({ file, list: name, entry, state, before }: Registration): string => {
  const own = String(entry['name']);
  switch (state) {
    case 'to be added by you':
      return `To be added to "${name}" in\n${file}:\n${JSON.stringify(entry, null, 2)}`;
    case 'taken over':
      return `Taken over in ${file}: ${own} ran plug-in ${before}, and now runs ${String(entry['plugin'])}`;
    case 'added':
      return `Registered in ${file}: ${own}`;
    case 'was there':
      return `Was registered already in ${file}: ${own}`;
  }
};

const writtenText = ({ instance }: SetUpOrder, { written, backups, registrations }: SetUpAnswer): string =>
  [
    ...written.map((file) => `Wrote ${file}`),
    ...backups.map((file) => `Kept a copy: ${file}`),
    '',
    ...registrations.map(registrationText),
    `To be named by you: ${instance} in "providers" of a requestor,\nin requestors/hostRequestors.json.`,
    '',
    'hf-aws doctor says:',
  ].join('\n');

/** Last of all, where it is not scrolled away. */
const placesText = (places: Readonly<Record<string, string>>): string =>
  [
    '',
    'For commands by hand (Host Factory sets these for its scripts itself):',
    ...Object.entries(places).map(([name, value]) => `  export ${name}=${value}`),
  ].join('\n');

/** Writes a provider's files, then looks at the whole as doctor does. Exit 1 where nothing was written, or doctor finds an error. */
export const runInit = (context: CliContext, given: InitOptions): Promise<number> =>
  reporting(context, given, async () => {
    const order = orderFor(context, await complete(context, given));
    const answer = await context.setUp(order);
    const places = placesOf(context, order);
    if (textOr(context.env['HF_LOGDIR'] ?? context.env['HF_TOP']) === undefined)
      await mkdir(places['HF_PROVIDER_LOGDIR'] ?? '', { recursive: true, mode: 0o700 });
    if (given.json !== true) context.print(writtenText(order, answer));
    const env = { ...context.env, ...places };
    const bar = doctorProgress(context, given);
    const { service, log } = await context.compose({ env, progress: bar.tell });
    const diagnosis = await bar.during(diagnosisOf(service, given)).finally(() => log.flush());
    await show(context, given, { ...answer, environment: places, doctor: diagnosis }, () => diagnosisTexts(diagnosis));
    if (given.json !== true) context.print(placesText(places));
    endLate(context, diagnosis);
    return diagnosis.isWell ? 0 : 1;
  });
