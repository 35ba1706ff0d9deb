import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Registration, SetUpAnswer, SetUpOrder } from '../application/ports/setup.ts';
import { PluginError } from '../domain/errors.ts';
import { type TemplateKind, templateKinds } from '../domain/template/template-kinds.ts';
import type { CliContext } from './context.ts';
import { diagnosisOf, diagnosisTexts, doctorProgress, statusAfter } from './doctor.ts';
import { answered, readAnswers } from './init-answers.ts';
import { complete } from './init-dialogue.ts';
import { directoryOf, type InitOptions, instanceOf, textOr } from './init-options.ts';
import { runUnregister } from './init-unregister.ts';
import { reporting, show } from './run.ts';

export { initOptions } from './init-options.ts';

const isKind = (text: string): text is TemplateKind => Object.hasOwn(templateKinds, text);

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
    instanceProfile: textOr(options.instanceProfile),
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
const placesText = (places: Readonly<Record<string, string>>, [kind = '']: readonly string[]): string =>
  [
    '',
    'For commands by hand (Host Factory sets these for its scripts itself):',
    ...Object.entries(places).map(([name, value]) => `  export ${name}=${value}`),
    'Then:',
    '  hf-aws templates validate --aws',
    `  hf-aws requests create ${kind} 1 --dry-run`,
  ].join('\n');

/** Writes a provider's files, then looks at the whole as doctor does. Exit 1 where nothing was written, or doctor finds an error. */
const setUp = (context: CliContext, given: InitOptions): Promise<number> =>
  reporting(context, given, async () => {
    const told = given.answers === undefined ? given : answered(given, await readAnswers(given.answers));
    const order = orderFor(context, await complete(context, told));
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
    if (given.json !== true) context.print(placesText(places, order.kinds));
    return statusAfter(context, diagnosis);
  });

/** Prints what discovering needs, for whoever grants permissions. */
const printPolicy = (context: CliContext, options: InitOptions): Promise<number> =>
  reporting(context, options, async () => {
    context.print(JSON.stringify(await context.initPolicy(), null, 2));
    return 0;
  });

export const runInit = (context: CliContext, options: InitOptions): Promise<number> => {
  if (options.iamPolicy) return printPolicy(context, options);
  return options.unregister ? runUnregister(context, options) : setUp(context, options);
};
