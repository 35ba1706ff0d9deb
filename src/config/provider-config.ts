import { isAbsolute, join } from 'node:path';
import { PluginError } from '../domain/errors.ts';
import { problemsOf } from '../json/problems.ts';
import { isObject } from '../templates/template-entry.ts';
import { normalize } from '../templates/template-vocabulary.ts';
import { isEndpoint, isProxyHost } from './connection.ts';
import { validateProviderConfig } from './documents.validator.ts';
import { candidates, type ProviderEnvironment } from './environment.ts';
import { readFirst } from './json-file.ts';
import { parameterDefaults as defaults, parameterTypes } from './parameter-facts.computed.ts';
import type { providerConfigSchema } from './provider-config.schema.ts';
import { readScalars } from './scalars.ts';

type Parameters = (typeof providerConfigSchema)['properties'];
type ParameterName = keyof Parameters;

type TypeNames = {
  readonly string: string;
  readonly integer: number;
  readonly boolean: boolean;
  readonly object: Readonly<Record<string, unknown>>;
};
type ValueOf<P extends { readonly type: keyof TypeNames }> = P extends {
  readonly additionalProperties: { readonly type: 'string' };
}
  ? Readonly<Record<string, string>>
  : TypeNames[P['type']];
/** IBM's and our parameters by their names in the file, defaults filled in, strings read as numbers and booleans. */
export type ProviderConfig = {
  readonly [N in ParameterName]:
    | ValueOf<Parameters[N]>
    | (Parameters[N] extends { default: unknown } ? never : undefined);
};

export interface ProviderConfigReading {
  readonly config: ProviderConfig;
  /** Where there is one. */
  readonly file?: string;
  /** Names of the parameters that the file gives. */
  readonly written: readonly string[];
  /** For the log: unknown parameters, and values replaced by their defaults. */
  readonly warnings: readonly string[];
  /** Why the file is unusable, where the defaults replace it. */
  readonly fault?: string;
}

const isParameter = (name: string): name is ParameterName => Object.hasOwn(parameterTypes, name);

const pathParameters: ReadonlySet<string> = new Set([
  'AWS_CREDENTIAL_FILE',
  'AWS_CREDENTIAL_SCRIPT',
  'AWS_KEY_FILE',
  'metricsTextfile',
]);

const isConfig = (values: Readonly<Record<string, unknown>>): values is ProviderConfig =>
  validateProviderConfig(values);

const asObject = (file: string, value: unknown): Record<string, unknown> => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new PluginError('configuration.invalid', `${file} must hold one JSON object`);
};

const withAbsolutePath = (confDir: string, name: string, value: unknown): unknown =>
  pathParameters.has(name) && typeof value === 'string' && !isAbsolute(value) ? join(confDir, value) : value;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Values without a harmless default: another Region, endpoint, account or owner would be somebody else's. */
const isVital = (field: string): boolean => defaults[field] === undefined || field === 'clusterName';

/** Replaces what is out of range by its default. Throws `configuration.invalid` where none is harmless. */
const applyDefaults = (file: string, values: Record<string, unknown>): readonly string[] => {
  validateProviderConfig(values);
  return problemsOf(validateProviderConfig.errors).map(({ field, rule }) => {
    if (isVital(field)) throw new PluginError('configuration.invalid', `${file}: ${field} ${rule}`);
    values[field] = defaults[field];
    return `${file}: ${field} ${rule}; ${textOf(defaults[field])} is used`;
  });
};

const connectionProblem = (values: Readonly<Record<string, unknown>>): string | undefined => {
  const { AWS_PROXY_HOST: host, AWS_PROXY_PORT: port, AWS_ENDPOINT_URL: endpoint } = values;
  if (host !== undefined && !isProxyHost(String(host)))
    return 'AWS_PROXY_HOST must be a host name alone, without http://, port or path; an HTTP proxy is meant';
  if (host !== undefined && port === undefined) return 'AWS_PROXY_HOST needs AWS_PROXY_PORT';
  for (const name of ['AWS_ROLE_EXTERNAL_ID', 'AWS_ROLE_SESSION_NAME'])
    if (values[name] !== undefined && values['AWS_ROLE_ARN'] === undefined) return `${name} needs AWS_ROLE_ARN`;
  if (endpoint !== undefined && !isEndpoint(String(endpoint)))
    return 'AWS_ENDPOINT_URL must be http or https, host, and perhaps port and path; no user, query or fragment';
  return undefined;
};

/** Template fields by which parameter gives them. */
const templateFieldsIn = (config: ProviderConfig): readonly (readonly [name: string, fields: unknown])[] => [
  ['templateDefaults', config.templateDefaults],
  ...Object.entries(config.templateDefaultsByApi).map(
    ([api, fields]) => [`templateDefaultsByApi.${api}`, fields] as const,
  ),
];

/** Throws `configuration.invalid` for a misspelt field that decides what is bought; tells of other unknown ones. */
const checkTemplateFields = (file: string, config: ProviderConfig): readonly string[] =>
  templateFieldsIn(config).flatMap(([name, fields]) => {
    const { problems, unknown } = normalize(isObject(fields) ? fields : {});
    const [problem] = problems;
    if (problem !== undefined)
      throw new PluginError('configuration.invalid', `${file}: ${name}.${problem.field} ${problem.rule}`);
    return unknown.map((field) => `${file}: unknown template field ${name}.${field} is ignored`);
  });

/** Reads and checks `<instance>prov_config.json`. Throws `configuration.invalid` when the file as a whole is no use. */
export const readProviderConfig = async (environment: ProviderEnvironment): Promise<ProviderConfigReading> => {
  const found = await readFirst(candidates(environment, 'prov_config.json'));
  const file = found?.file ?? 'the defaults';
  const written = Object.entries(found === undefined ? {} : readScalars(parameterTypes, asObject(file, found.value)));
  const unknown = written.map(([name]) => name).filter((name) => !isParameter(name) && !name.startsWith('$'));
  const known = written.filter(([name, value]) => isParameter(name) && value !== '' && value !== null);
  const values: Record<string, unknown> = { ...defaults };
  for (const [name, value] of known) values[name] = withAbsolutePath(environment.confDir, name, value);
  const warnings = [
    ...unknown.map((name) => `${file}: unknown parameter ${name} is ignored`),
    ...applyDefaults(file, values),
  ];
  const problem = connectionProblem(values);
  if (problem !== undefined) throw new PluginError('configuration.invalid', `${file}: ${problem}`);
  if (!isConfig(values)) throw new PluginError('configuration.invalid', `${file}: ${warnings.join('; ')}`);
  const names = known.map(([name]) => name);
  const all = [...warnings, ...checkTemplateFields(file, values)];
  return { config: values, written: names, warnings: all, ...(found === undefined ? {} : { file }) };
};

/** The defaults in place of an unusable file, for commands that only report what is wrong. */
export const defaultReading = (fault: string): ProviderConfigReading => {
  const values: Record<string, unknown> = { ...defaults };
  if (!isConfig(values)) throw new Error('the defaults break their own schema');
  return { config: values, written: [], warnings: [], fault };
};
