import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment, ProviderEnvironment } from '../config/environment.ts';
import type { ProviderConfigReading } from '../config/provider-config.ts';
import { messageOf } from '../domain/errors.ts';
import type { Check, Diagnosis, Trouble } from '../domain/finding.ts';
import { diagnoseNotify } from './configuration-report.ts';
import { confFolder, entriesOf, realScripts, registrationFiles } from './registration.ts';

/** statfs(2): the magic number of /proc, which root may write to and nobody can make anything in. */
const procfs = 0x9fa0;

export interface Installation {
  readonly env: Environment;
  readonly home: string;
  readonly environment: ProviderEnvironment;
  readonly reading: ProviderConfigReading;
  readonly region: string | undefined;
}

/** What templates tell for Host Factory to choose by, as its policies are named. */
type ChosenBy = readonly ('rank' | 'cost')[];

const provider = ({ environment, reading, region = 'no Region' }: Installation): Diagnosis => {
  const { providerName, registeredIn } = environment;
  const source = reading.written.includes('AWS_REGION') ? (reading.file ?? 'the configuration') : 'the environment';
  const what = `${providerName}, as ${registeredIn ?? 'the environment'} tells; ${region} by ${source}`;
  return { subject: 'provider', status: 'ok', what };
};

/** What a program says to `--version`; undefined where it cannot be run. */
const versionOf = (program: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(program, ['--version'], { timeout: 10_000 }, (error, stdout) =>
      resolve(error === null ? (stdout.trim().split('\n')[0] ?? '') : undefined),
    );
  });

const node = async ({ env }: Installation): Promise<Diagnosis> => {
  const subject = 'Node';
  const named = env['HF_AWS_NODE'] ?? '';
  const own = `${process.version} at ${process.execPath}`;
  if (named === '') return { subject, status: 'ok', what: `${own}; found on PATH or in the usual places` };
  const version = await versionOf(named);
  if (version !== undefined && /^v\d+\.\d+\.\d+/.test(version))
    return { subject, status: 'ok', what: `${version} at ${named}, named by HF_AWS_NODE` };
  return {
    subject,
    status: 'error',
    code: 'node.unusable',
    what: version === undefined ? `${named} cannot be run` : `${named} is no Node: it says ${version || 'nothing'}`,
    why: 'HF_AWS_NODE names it, and all five scripts fail without Node',
    cure: `set HF_AWS_NODE to the node program, e.g. ${process.execPath}, or to nothing`,
  };
};

/** What Host Factory calls. */
const scriptNames = [
  'getAvailableTemplates',
  'requestMachines',
  'getRequestStatus',
  'requestReturnMachines',
  'getReturnRequests',
];

/** Of a promise: whether it came to something. */
const isSo = [() => true, () => false] as const;

const scripts = async ({ home }: Installation): Promise<Diagnosis> => {
  const subject = 'scripts';
  const folder = join(home, 'scripts');
  const lost: string[] = [];
  const closed: string[] = [];
  for (const name of scriptNames) {
    const script = join(folder, `${name}.sh`);
    const may = (mode: number): Promise<boolean> => access(script, mode).then(...isSo);
    if (!(await may(constants.F_OK))) lost.push(script);
    else if (!(await may(constants.X_OK))) closed.push(script);
  }
  const [unusable] = [...lost, ...closed];
  if (unusable === undefined) return { subject, status: 'ok', what: `${folder} is complete and may be run` };
  return {
    subject,
    status: 'error',
    code: 'scripts.unusable',
    what: lost.length > 0 ? `${lost.join(', ')} missing` : `${closed.join(', ')} cannot be run`,
    why: 'Host Factory calls the scripts directly',
    cure: lost.length > 0 ? `install again: ${unusable} is part of the archive` : `chmod 755 ${closed.join(' ')}`,
    ...(lost.length > 0 ? {} : { fix: { does: 'chmod', paths: closed, mode: '755' } }),
  };
};

/** The folder, or the one that it would be made in. */
const nearest = async (path: string): Promise<string> => {
  const isThere = await access(path).then(...isSo);
  return isThere || dirname(path) === path ? path : nearest(dirname(path));
};

const logFolder = async ({ environment: { logDir } }: Installation): Promise<Diagnosis> => {
  const subject = 'log folder';
  try {
    const folder = await nearest(logDir);
    await access(folder, constants.W_OK);
    if ((await statfs(folder)).type === procfs) throw new Error(`${folder} takes no folders`);
    return { subject, status: 'ok', what: folder === logDir ? logDir : `${logDir}, made when something is logged` };
  } catch (error) {
    return {
      subject,
      status: 'warning',
      code: 'log.unwritable',
      what: `${logDir} cannot be written to: ${messageOf(error)}`,
      why: 'calls work without a log, but nobody learns why one failed',
      cure: `make ${logDir} writable for the user that runs Host Factory, or name another folder in HF_LOGDIR`,
    };
  }
};

const configuration = ({ reading: { file, warnings, fault } }: Installation): Diagnosis => {
  const subject = 'configuration';
  if (fault !== undefined) {
    const why = 'without it no call of Host Factory works';
    const cure = 'correct the file at the place that is named, then hf-aws config validate';
    return { subject, status: 'error', code: 'configuration.invalid', what: fault, why, cure };
  }
  if (file === undefined) {
    return {
      subject,
      status: 'warning',
      code: 'configuration.missing',
      what: 'there is no provider configuration; the defaults apply',
      why: 'the Region must then come from AWS_REGION of the environment',
      cure: 'hf-aws init',
    };
  }
  if (warnings.length === 0) return { subject, status: 'ok', what: file };
  const [what, why] = [warnings.join('; '), 'what is written there does not count'];
  return {
    subject,
    status: 'warning',
    code: 'configuration.replaced',
    what,
    why,
    cure: `edit ${file}, then hf-aws config validate`,
  };
};

const credentialFile = async ({ reading: { config } }: Installation): Promise<readonly Diagnosis[]> => {
  const file = config.AWS_CREDENTIAL_FILE;
  if (file === undefined) return [];
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || (found.mode & 0o077) === 0) return [];
  return [
    {
      subject: 'credentials',
      status: 'warning',
      code: 'credentials.open',
      what: `${file} may be read by others (mode ${(found.mode & 0o777).toString(8)})`,
      why: 'it holds a secret key',
      cure: `chmod 600 ${file}`,
      fix: { does: 'chmod', paths: [file], mode: '600' },
    },
  ];
};

/** Without a policy that asks for them, ranks and prices count for nothing. */
const selection = (
  { name, resourceRequestParameters }: Readonly<Record<string, unknown>>,
  chosenBy: ChosenBy,
): readonly Diagnosis[] => {
  const policy = new Map<string, unknown>(Object.entries(Object(resourceRequestParameters))).get('hostSelectionPolicy');
  if (chosenBy.length === 0 || chosenBy.some((each) => each === policy)) return [];
  return [
    {
      subject: 'requestors',
      status: 'warning',
      code: 'requestors.policy',
      what: `hostSelectionPolicy of ${String(name)} is ${policy === undefined ? 'not set' : String(policy)}`,
      why: `Host Factory then takes templates in the order of the file: what they tell for ${chosenBy.join(' and ')} counts for nothing`,
      cure: `set "hostSelectionPolicy": "${chosenBy[0]}" in resourceRequestParameters of ${String(name)}; which end of the ranks comes first IBM does not say, rankBy has both`,
    },
  ];
};

/** Host Factory gives a requestor the hosts of the providers that its entry names, and of no other. */
const requestor = async (
  file: string,
  providerName: string,
  chosenBy: () => Promise<ChosenBy>,
): Promise<readonly Diagnosis[]> => {
  const entries = await entriesOf(file, 'requestors').catch(() => undefined);
  const users = (entries ?? []).filter(
    ({ enabled, providers }) => enabled !== 0 && Array.isArray(providers) && providers.includes(providerName),
  );
  const subject = 'requestors';
  if (users.length > 0) {
    const names = users.map(({ name }) => String(name)).join(', ');
    const criteria = await chosenBy();
    return [
      { subject, status: 'ok', what: `${names} may ask ${providerName} for hosts` },
      ...users.flatMap((user) => selection(user, criteria)),
    ];
  }
  return [
    {
      subject,
      status: 'warning',
      code: 'requestors.none',
      what: entries === undefined ? `${file} cannot be read` : `no requestor in ${file} names ${providerName}`,
      why: 'Host Factory asks a provider only for requestors that name it: the grid does not grow',
      cure: `add it to the entry of a requestor in ${file}: "providers": ["${providerName}"]`,
    },
  ];
};

const registrationWhy = 'Host Factory runs only what is registered';

type Entry = Readonly<Record<string, unknown>> | undefined;

/** What is wrong with how Host Factory knows plug-in and provider; undefined where nothing is. */
const registrationFault = (
  files: ReturnType<typeof registrationFiles>,
  plugin: Entry,
  provider: Entry,
  { home, environment: { providerName } }: Installation,
): Trouble | undefined => {
  const { providerplugins, providers } = files;
  const about = { subject: 'registration', status: 'error', why: registrationWhy } as const;
  const unknown = [
    ...(plugin === undefined ? [`no plug-in has the scriptPath ${join(home, 'scripts')}`] : []),
    ...(provider === undefined ? [`no provider is named ${providerName}`] : []),
  ];
  if (unknown.length > 0) {
    const cure = `hf-aws init --register, or edit ${providerplugins} and ${providers}`;
    return { ...about, code: 'registration.missing', what: unknown.join('; '), cure };
  }
  const disabled = [
    ...(plugin?.['enabled'] === 0 ? [['the plug-in is disabled', providerplugins] as const] : []),
    ...(provider?.['enabled'] === 0 ? [[`the provider ${providerName} is disabled`, providers] as const] : []),
  ];
  if (disabled.length === 0) return undefined;
  const cure = `set "enabled": 1 in ${disabled.map(([, file]) => file).join(' and ')}`;
  return { ...about, code: 'registration.disabled', what: disabled.map(([what]) => what).join('; '), cure };
};

/** Whether Host Factory knows of us, where $HF_TOP tells where it keeps its registrations. */
const registration = async (
  installation: Installation,
  chosenBy: () => Promise<ChosenBy>,
): Promise<readonly Diagnosis[]> => {
  const { env, home, environment } = installation;
  const { providerName } = environment;
  const conf = (env['HF_TOP'] ?? '') === '' ? undefined : confFolder(env);
  if (conf === undefined) return [];
  const subject = 'registration';
  const files = registrationFiles(conf);
  try {
    const plugin = (await entriesOf(files.providerplugins, 'providerplugins')).find(
      ({ scriptPath }) => realScripts(env, scriptPath) === join(home, 'scripts'),
    );
    const provider = (await entriesOf(files.providers, 'providers')).find(({ name }) => name === providerName);
    const fault = registrationFault(files, plugin, provider, installation);
    if (fault !== undefined) return [fault];
    return [
      { subject, status: 'ok', what: `${providerName} runs plug-in ${String(plugin?.['name'])}` },
      ...(await requestor(files.requestors, providerName, chosenBy)),
    ];
  } catch (error) {
    const cure = `hf-aws init --register where ${files.providerplugins} or ${files.providers} is not there yet, else correct it as said`;
    const what = messageOf(error);
    return [{ subject, status: 'error', code: 'registration.unreadable', what, why: registrationWhy, cure }];
  }
};

/** What can be said of the installation without asking AWS. */
export const installationChecks = (installation: Installation, chosenBy: () => Promise<ChosenBy>): readonly Check[] => {
  const look = (check: (of: Installation) => Diagnosis | Promise<Diagnosis>) => async () => [await check(installation)];
  return [
    { subject: 'provider', look: look(provider) },
    { subject: 'Node', look: look(node) },
    { subject: 'scripts', look: look(scripts) },
    { subject: 'log folder', look: look(logFolder) },
    { subject: 'configuration', look: look(configuration) },
    { subject: 'credentials', look: () => credentialFile(installation) },
    { subject: 'notices', look: () => diagnoseNotify(installation) },
    { subject: 'registration', look: () => registration(installation, chosenBy) },
  ];
};
