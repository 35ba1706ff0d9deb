import { access, constants, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../domain/errors.ts';
import type { Diagnosis } from '../domain/finding.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Environment, ProviderEnvironment } from './environment.ts';
import type { ProviderConfigReading } from './provider-config.ts';
import { confFolder, realScripts, registrationFiles } from './registration.ts';

export interface Installation {
  readonly env: Environment;
  readonly home: string;
  readonly environment: ProviderEnvironment;
  readonly reading: ProviderConfigReading;
}

const node = ({ env }: Installation): Diagnosis => {
  const named = env['HF_AWS_NODE'];
  const how = named === undefined ? 'found on PATH or in the usual places' : 'named by HF_AWS_NODE';
  return { subject: 'Node', status: 'ok', what: `${process.version} at ${process.execPath}; ${how}` };
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

const logFolder = async ({ environment: { logDir } }: Installation): Promise<Diagnosis> => {
  try {
    await access(logDir, constants.W_OK);
    return { subject: 'log folder', status: 'ok', what: logDir };
  } catch (error) {
    return {
      subject: 'log folder',
      status: 'warning',
      what: `${logDir} cannot be written to: ${messageOf(error)}`,
      why: 'calls work without a log, but nobody learns why one failed',
      mend: `create ${logDir}, writable for the user that runs Host Factory`,
    };
  }
};

const configuration = ({ reading: { file, warnings } }: Installation): Diagnosis => {
  if (file === undefined) {
    return {
      subject: 'configuration',
      status: 'warning',
      what: 'there is no provider configuration; the defaults apply',
      why: 'the Region must then come from AWS_REGION of the environment',
      mend: 'hf-aws init',
    };
  }
  if (warnings.length === 0) return { subject: 'configuration', status: 'ok', what: file };
  const [what, why] = [warnings.join('; '), 'what is written there does not count'];
  return { subject: 'configuration', status: 'warning', what, why, mend: `edit ${file}` };
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
    },
  ];
};

const entriesOf = async (file: string, list: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const document: unknown = await parseJson(await readFile(file, 'utf8'));
  const found: unknown = Object.entries(Object(document)).find(([name]) => name === list)?.[1];
  return Array.isArray(found) ? found.map((each: unknown) => Object.fromEntries(Object.entries(Object(each)))) : [];
};

/** Whether Host Factory knows of us, where $HF_TOP tells where it keeps its registrations. */
const registration = async ({
  env,
  home,
  environment: { providerName },
}: Installation): Promise<readonly Diagnosis[]> => {
  const conf = (env['HF_TOP'] ?? '') === '' ? undefined : confFolder(env);
  if (conf === undefined) return [];
  const subject = 'registration';
  const { providerplugins: plugins, providers } = registrationFiles(conf);
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
    return [{ subject, status: 'ok', what: `${providerName} runs plug-in ${String(plugin?.['name'])}` }];
  } catch (error) {
    return [{ subject, status: 'error', what: messageOf(error), why, mend }];
  }
};

/** What can be said of the installation without asking AWS. */
export const diagnoseInstallation = async (installation: Installation): Promise<readonly Diagnosis[]> => [
  node(installation),
  await scripts(installation),
  await logFolder(installation),
  configuration(installation),
  ...(await credentialFile(installation)),
  ...(await registration(installation)),
];
