import { join } from 'node:path';
import { PluginError } from '../domain/errors.ts';

/** Where a provider instance finds and keeps its things. Absolute paths without a trailing slash. */
export interface ProviderEnvironment {
  readonly providerName: string;
  readonly confDir: string;
  readonly workDir: string;
  readonly logDir: string;
  /** The registration that says all this, where the environment does not. */
  readonly registeredIn?: string;
  /** Set by Host Factory, honoured where the configuration accepts propagated log settings. */
  readonly hfLogLevel?: string;
  readonly hfLogMaxFileSize?: string;
  readonly hfLogMaxRotate?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const defaultProviderName = 'awsinst';
/** The name becomes part of file names and tags. */
const providerNameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const set = (value: string | undefined): string | undefined => {
  const trimmed = value?.trim();
  return trimmed === '' ? undefined : trimmed;
};

const under = (directory: string | undefined, ...parts: readonly string[]): string | undefined => {
  const path = set(directory);
  return path === undefined ? undefined : join(path, ...parts);
};

/** The variables that say where things are, first choice first. */
export const placeVariables = {
  providerName: ['HF_PROVIDER_NAME', 'PROVIDER_NAME'],
  confDir: ['HF_PROVIDER_CONFDIR', 'HF_CONFDIR', 'PRO_CONF_DIR'],
  workDir: ['HF_PROVIDER_WORKDIR', 'HF_WORKDIR', 'PRO_DATA_DIR'],
  logDir: ['HF_PROVIDER_LOGDIR', 'HF_LOGDIR', 'PRO_LSF_LOGDIR'],
} as const;

const isTold = (env: Environment, variables: readonly string[]): boolean =>
  variables.some((variable) => set(env[variable]) !== undefined);

/** Whether the environment decides: it names one folder or more. A registration never fills in the others. */
export const tellsPlaces = (env: Environment): boolean =>
  [placeVariables.confDir, placeVariables.workDir, placeVariables.logDir].some((variables) => isTold(env, variables));

const untold = (what: string, variables: readonly string[]): PluginError =>
  new PluginError(
    'configuration.missing',
    `nothing tells the ${what} of the provider: set ${variables[0]}, as Host Factory does for its scripts; hf-aws also takes HF_TOP and the name of a registered provider with --provider`,
  );

/**
 * Reads Host Factory's variables, LSF's as fallback: `HF_PROVIDER_xDIR`, else `HF_xDIR/providers/<name>` (logs: `HF_LOGDIR`), else
 * `PRO_CONF_DIR`, `PRO_DATA_DIR`, `PRO_LSF_LOGDIR`; for logs else `log` of the work folder. Throws `configuration.missing` where
 * nothing tells the others, `configuration.invalid` for a provider name that is no file name.
 */
export const readEnvironment = (env: Environment): ProviderEnvironment => {
  const providerName = set(env['HF_PROVIDER_NAME']) ?? set(env['PROVIDER_NAME']) ?? defaultProviderName;
  if (!providerNameForm.test(providerName)) {
    throw new PluginError(
      'configuration.invalid',
      `HF_PROVIDER_NAME "${providerName}" must consist of letters, digits, ".", "_" and "-"`,
    );
  }
  const told = (hf: string, wide: string | undefined, lsf: string): string | undefined =>
    under(set(env[hf]) ?? wide ?? set(env[lsf]), '.');
  const optional = (key: string, value: string | undefined) => (set(value) === undefined ? {} : { [key]: value });
  const confDir = told('HF_PROVIDER_CONFDIR', under(env['HF_CONFDIR'], 'providers', providerName), 'PRO_CONF_DIR');
  const workDir = told('HF_PROVIDER_WORKDIR', under(env['HF_WORKDIR'], 'providers', providerName), 'PRO_DATA_DIR');
  if (confDir === undefined) throw untold('conf folder', placeVariables.confDir);
  if (workDir === undefined) throw untold('work folder', placeVariables.workDir);
  return {
    providerName,
    confDir,
    workDir,
    logDir: told('HF_PROVIDER_LOGDIR', under(env['HF_LOGDIR']), 'PRO_LSF_LOGDIR') ?? join(workDir, 'log'),
    ...optional('hfLogLevel', env['HF_LOGLEVEL']),
    ...optional('hfLogMaxFileSize', env['HF_LOG_MAX_FILE_SIZE']),
    ...optional('hfLogMaxRotate', env['HF_LOG_MAX_ROTATE']),
  };
};

/** The places of a configuration file, first choice first: IBM's `<instance>prov_...json`, then `awsprov_...json`; LSF has `conf/`. */
export const candidates = ({ confDir, providerName }: ProviderEnvironment, suffix: string): readonly string[] =>
  [confDir, join(confDir, 'conf')].flatMap((directory) =>
    [providerName, 'aws'].map((name) => join(directory, `${name}${suffix}`)),
  );
