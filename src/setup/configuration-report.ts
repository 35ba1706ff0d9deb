import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ConfigurationReport, ConfiguredValue } from '../application/queries/get-configuration.ts';
import { type Environment, type ProviderEnvironment, placeVariables } from '../config/environment.ts';
import { type NotifySettings, readNotifySettings } from '../config/notify-settings.ts';
import { providerConfigSchema } from '../config/provider-config.schema.ts';
import type { ProviderConfig, ProviderConfigReading } from '../config/provider-config.ts';
import { isPluginError, messageOf } from '../domain/errors.ts';
import type { Diagnosis } from '../domain/finding.ts';

const originOfPlace = (env: Environment, name: keyof typeof placeVariables): string =>
  placeVariables[name].find((variable) => (env[variable] ?? '').trim() !== '') ?? 'default';

const faultOf = (path: string, mode: number, isFile: boolean): string | undefined => {
  try {
    const found = statSync(path);
    if (isFile ? !found.isFile() : !found.isDirectory()) return `${path} is not a ${isFile ? 'file' : 'folder'}`;
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

/** The files and folders of the configuration that cannot be used. */
const unusable = (config: ProviderConfig): readonly string[] => {
  const { AWS_CREDENTIAL_FILE: file, AWS_CREDENTIAL_SCRIPT: script, metricsTextfile: metrics } = config;
  const needed = [
    // With a program, the file is not read.
    ['AWS_CREDENTIAL_FILE', script === undefined ? file : undefined, constants.R_OK, true],
    ['AWS_CREDENTIAL_SCRIPT', script, constants.X_OK, true],
    ['metricsTextfile', metrics === undefined ? undefined : dirname(metrics), constants.W_OK, false],
  ] as const;
  return needed.flatMap(([name, path, mode, isFile]) => {
    const fault = path === undefined ? undefined : faultOf(path, mode, isFile);
    return fault === undefined ? [] : [`${name} cannot be used: ${fault}`];
  });
};

/** The channels that notify people; the fault where the parameter is unusable. */
const checkNotify = async (
  env: Environment,
  { confDir }: ProviderEnvironment,
  { config, file = 'the configuration' }: ProviderConfigReading,
): Promise<{ readonly settings?: NotifySettings; readonly fault?: string }> => {
  try {
    const settings = await readNotifySettings({ written: config.notify, file, confDir, env });
    return settings === undefined ? {} : { settings };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return { fault: error.message };
  }
};

interface Configured {
  readonly env: Environment;
  readonly environment: ProviderEnvironment;
  readonly reading: ProviderConfigReading;
}

/** Whether people can be notified; nothing where no channel is configured. */
export const diagnoseNotify = async ({ env, environment, reading }: Configured): Promise<readonly Diagnosis[]> => {
  const subject = 'notices';
  const { settings, fault } = await checkNotify(env, environment, reading);
  if (fault !== undefined) {
    const why = 'nobody is told when something is wrong';
    const cure = 'correct it, then hf-aws notify test';
    return [{ subject, status: 'warning', code: 'configuration.replaced', what: fault, why, cure }];
  }
  if (settings === undefined) return [];
  const ways = [settings.command?.[0], settings.webhook?.url].filter((way) => way !== undefined);
  return [{ subject, status: 'ok', what: `to ${ways.join(' and ')}; hf-aws notify test sends one` }];
};

/** Where Host Factory's variables point, and the provider configuration parameter by parameter. */
export const configurationReport = async (
  env: Environment,
  environment: ProviderEnvironment,
  reading: ProviderConfigReading,
): Promise<ConfigurationReport> => {
  const { config, file, written, warnings } = reading;
  const { fault } = await checkNotify(env, environment, reading);
  const places = (['providerName', 'confDir', 'workDir', 'logDir'] as const).map(
    (name): ConfiguredValue => ({
      name,
      value: environment[name],
      origin: environment.registeredIn ?? originOfPlace(env, name),
    }),
  );
  const isReplaced = (name: string): boolean => warnings.some((warning) => warning.includes(`: ${name} `));
  const originOf = (name: string): string => {
    if (!written.includes(name)) return 'default';
    return isReplaced(name) ? `default, since ${file} is out of range` : (file ?? 'default');
  };
  const values = new Map<string, unknown>(Object.entries(config));
  const parameters = Object.keys(providerConfigSchema.properties).map(
    (name): ConfiguredValue => ({ name, value: values.get(name) ?? null, origin: originOf(name) }),
  );
  // What the configuration leaves open and the environment says.
  const otherwise = new Map([
    ['AWS_REGION', env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']],
    ['AWS_ENDPOINT_URL', env['AWS_ENDPOINT_URL_EC2'] ?? env['AWS_ENDPOINT_URL']],
  ]);
  const withOthers = parameters.map((each) => {
    const value = each.value === null ? otherwise.get(each.name) : undefined;
    return value === undefined ? each : { ...each, value, origin: 'environment' };
  });
  return {
    ...(file === undefined ? {} : { file }),
    values: [...places, ...withOthers],
    warnings,
    errors: [...unusable(config), ...(fault === undefined ? [] : [fault])],
  };
};
