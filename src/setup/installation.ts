import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Environment, ProviderEnvironment } from '../config/environment.ts';
import type { ProviderConfigReading } from '../config/provider-config.ts';
import { messageOf } from '../domain/errors.ts';
import type { Diagnosis } from '../domain/finding.ts';
import { confFolder, entriesOf, realScripts, registrationFiles } from './registration.ts';

/** statfs(2): the magic number of /proc, which root may write to and nobody can make anything in. */
const procfs = 0x9fa0;

export interface Installation {
  readonly env: Environment;
  readonly home: string;
  readonly environment: ProviderEnvironment;
  readonly reading: ProviderConfigReading;
  readonly region: string | undefined;
  /** What templates tell for Host Factory to choose by, as its policies are named. */
  readonly chosenBy: readonly ('rank' | 'cost')[];
}

const provider = ({ environment, reading, region = 'no Region' }: Installation): Diagnosis => {
  const { providerName, registeredIn } = environment;
  const whence = reading.written.includes('AWS_REGION') ? (reading.file ?? 'the configuration') : 'the environment';
  const what = `${providerName}, as ${registeredIn ?? 'the environment'} tells; ${region} by ${whence}`;
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
  const said = await versionOf(named);
  if (said !== undefined && /^v\d+\.\d+\.\d+/.test(said))
    return { subject, status: 'ok', what: `${said} at ${named}, named by HF_AWS_NODE` };
  return {
    subject,
    status: 'error',
    what: said === undefined ? `${named} cannot be run` : `${named} is no Node: it says ${said || 'nothing'}`,
    why: 'HF_AWS_NODE names it, and all five scripts fail without Node',
    mend: `set HF_AWS_NODE to the node program, e.g. ${process.execPath}, or to nothing`,
  };
};

const scripts = async ({ home }: Installation): Promise<Diagnosis> => {
  const script = join(home, 'scripts', 'requestMachines.sh');
  try {
    await access(script, constants.X_OK);
    return { subject: 'scripts', status: 'ok', what: `${join(home, 'scripts')} is complete and may be run` };
  } catch {
    return {
      subject: 'scripts',
      status: 'error',
      what: `${script} cannot be run`,
      why: 'Host Factory calls the scripts directly',
      mend: `chmod +x ${join(home, 'scripts')}/*.sh, or install again`,
    };
  }
};

/** The folder, or the one that it would be made in. */
const nearest = async (path: string): Promise<string> => {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
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
      what: `${logDir} cannot be written to: ${messageOf(error)}`,
      why: 'calls work without a log, but nobody learns why one failed',
      mend: `create ${logDir}, writable for the user that runs Host Factory`,
    };
  }
};

const configuration = ({ reading: { file, warnings, fault } }: Installation): Diagnosis => {
  const subject = 'configuration';
  if (fault !== undefined) {
    const why = 'without it no call of Host Factory works';
    return { subject, status: 'error', what: fault, why, mend: 'correct the file at the place that is named' };
  }
  if (file === undefined) {
    return {
      subject,
      status: 'warning',
      what: 'there is no provider configuration; the defaults apply',
      why: 'the Region must then come from AWS_REGION of the environment',
      mend: 'hf-aws init',
    };
  }
  if (warnings.length === 0) return { subject, status: 'ok', what: file };
  const [what, why] = [warnings.join('; '), 'what is written there does not count'];
  return { subject, status: 'warning', what, why, mend: `edit ${file}` };
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
      what: `${file} may be read by others (mode ${(found.mode & 0o777).toString(8)})`,
      why: 'it holds a secret key',
      mend: `chmod 600 ${file}`,
      cure: { does: 'chmod', path: file, mode: '600' },
    },
  ];
};

/** Without a policy that asks for them, ranks and prices count for nothing. */
const selection = (
  { name, resourceRequestParameters }: Readonly<Record<string, unknown>>,
  chosenBy: Installation['chosenBy'],
): readonly Diagnosis[] => {
  const policy = new Map<string, unknown>(Object.entries(Object(resourceRequestParameters))).get('hostSelectionPolicy');
  if (chosenBy.length === 0 || chosenBy.some((each) => each === policy)) return [];
  return [
    {
      subject: 'requestors',
      status: 'warning',
      what: `hostSelectionPolicy of ${String(name)} is ${policy === undefined ? 'not set' : String(policy)}`,
      why: `Host Factory then takes templates in the order of the file: what they tell for ${chosenBy.join(' and ')} counts for nothing`,
      mend: `set "hostSelectionPolicy": "${chosenBy[0]}" in its resourceRequestParameters; which end of the ranks comes first IBM does not say, rankBy has both`,
    },
  ];
};

/** Host Factory gives a requestor the hosts of the providers that its entry names, and of no other. */
const requestor = async (
  file: string,
  { environment: { providerName }, chosenBy }: Installation,
): Promise<readonly Diagnosis[]> => {
  const entries = await entriesOf(file, 'requestors').catch(() => undefined);
  const users = (entries ?? []).filter(
    ({ enabled, providers }) => enabled !== 0 && Array.isArray(providers) && providers.includes(providerName),
  );
  const subject = 'requestors';
  if (users.length > 0) {
    const names = users.map(({ name }) => String(name)).join(', ');
    return [
      { subject, status: 'ok', what: `${names} may ask ${providerName} for hosts` },
      ...users.flatMap((user) => selection(user, chosenBy)),
    ];
  }
  return [
    {
      subject,
      status: 'warning',
      what: entries === undefined ? `${file} cannot be read` : `no requestor in ${file} names ${providerName}`,
      why: 'Host Factory asks a provider only for requestors that name it: the grid does not grow',
      mend: `add it to the entry of a requestor: "providers": ["${providerName}"]`,
    },
  ];
};

/** Whether Host Factory knows of us, where $HF_TOP tells where it keeps its registrations. */
const registration = async (installation: Installation): Promise<readonly Diagnosis[]> => {
  const { env, home, environment } = installation;
  const { providerName } = environment;
  const conf = (env['HF_TOP'] ?? '') === '' ? undefined : confFolder(env);
  if (conf === undefined) return [];
  const subject = 'registration';
  const { providerplugins: plugins, providers, requestors } = registrationFiles(conf);
  const mend = `hf-aws init --register, or edit ${plugins} and ${providers}`;
  const why = 'Host Factory runs only what is registered';
  try {
    const plugin = (await entriesOf(plugins, 'providerplugins')).find(
      ({ scriptPath }) => realScripts(env, scriptPath) === join(home, 'scripts'),
    );
    const provider = (await entriesOf(providers, 'providers')).find(({ name }) => name === providerName);
    const faults = [
      plugin === undefined ? [`no plug-in has the scriptPath ${join(home, 'scripts')}`] : [],
      provider === undefined ? [`no provider is named ${providerName}`] : [],
      plugin?.['enabled'] === 0 ? ['the plug-in is disabled'] : [],
      provider?.['enabled'] === 0 ? [`the provider ${providerName} is disabled`] : [],
    ].flat();
    if (faults.length > 0) return [{ subject, status: 'error', what: faults.join('; '), why, mend }];
    return [
      { subject, status: 'ok', what: `${providerName} runs plug-in ${String(plugin?.['name'])}` },
      ...(await requestor(requestors, installation)),
    ];
  } catch (error) {
    return [{ subject, status: 'error', what: messageOf(error), why, mend }];
  }
};

/** What can be said of the installation without asking AWS. */
export const diagnoseInstallation = async (installation: Installation): Promise<readonly Diagnosis[]> => [
  provider(installation),
  await node(installation),
  await scripts(installation),
  await logFolder(installation),
  configuration(installation),
  ...(await credentialFile(installation)),
  ...(await registration(installation)),
];
