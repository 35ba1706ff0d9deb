import { isObject, isSet } from '../templates/template-entry.ts';
import { normalize, type Written } from '../templates/template-vocabulary.ts';
import type { Decision, ForeignTree, Translated } from './foreign-tree.ts';

const objectAt = (value: unknown, ...path: readonly string[]): Written =>
  path.reduce<Written>(
    (at, name) => {
      const inner = at[name];
      return isObject(inner) ? inner : {};
    },
    isObject(value) ? value : {},
  );

/** Parameters of ours by the broker's, with what their numbers are multiplied by. */
const parameters: Readonly<Record<string, readonly (readonly [name: string, factor?: number])[]>> = {
  region: [['AWS_REGION']],
  endpoint_url: [['AWS_ENDPOINT_URL']],
  role_arn: [['AWS_ROLE_ARN']],
  external_id: [['AWS_ROLE_EXTERNAL_ID']],
  session_name: [['AWS_ROLE_SESSION_NAME']],
  proxy_host: [['AWS_PROXY_HOST']],
  proxy_port: [['AWS_PROXY_PORT']],
  max_retries: [['AWS_REQUEST_RETRY_ATTEMPTS'], ['AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS']],
  // Seconds there.
  connect_timeout: [['AWS_CONNECTION_TIMEOUT_MS', 1000]],
};

const levels: Readonly<Record<string, string>> = {
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARNING: 'WARN',
  ERROR: 'ERROR',
  CRITICAL: 'FATAL',
};

/** Fields of a provider's own `config` that the broker has for itself. */
const silent = ['profile', 'storage', 'timeout', 'ssm_parameter_prefix', 'max_instances'];

/** The broker's `config.json` as a provider configuration of ours: its provider, its defaults for templates. */
export const brokerConfig = ({ config, configFile: file = '', instance }: ForeignTree): Translated => {
  const provider = objectAt(config, 'provider');
  const list: readonly unknown[] = Array.isArray(provider['providers']) ? provider['providers'] : [];
  const all = list.filter(isObject).filter(({ type = 'aws' }) => type === 'aws');
  const nameOf = (each: Written): string => String(each['name'] ?? 'aws');
  const taken =
    all.find((each) => nameOf(each).replaceAll(/[^A-Za-z0-9._-]/g, '-') === instance) ??
    all.find(({ enabled }) => enabled !== false) ??
    {};
  const own = objectAt(taken, 'config');
  const ofAll = objectAt(provider, 'provider_defaults', 'aws');
  const decisions: Decision[] = [];
  const decide = (field: string, why: string): unknown => decisions.push({ file, field, why });

  const others = all.filter((each) => each !== taken).map(nameOf);
  if (others.length > 0)
    decide(
      'providers',
      `has more than ${nameOf(taken)}: --instance takes ${others.join(', ')}, each into a folder of its own`,
    );
  if (isSet(own['profile']))
    decide(
      'profile',
      `is ${String(own['profile'])}: write AWS_CREDENTIAL_FILE, whose profile [default] is used, or rely on the role of the host`,
    );
  if (isSet(ofAll['extensions']))
    decide('extensions', 'are not taken over: write what templates are to have into templateDefaults');
  for (const name of Object.keys(own))
    if (parameters[name] === undefined && !silent.includes(name)) decide(name, 'has no parameter here: left out');

  const values = Object.entries(parameters).flatMap(([name, mapped]) => {
    const value = own[name];
    return isSet(value)
      ? mapped.map(([parameter, factor]) => [parameter, factor === undefined ? value : Number(value) * factor] as const)
      : [];
  });
  const level = levels[String(objectAt(config, 'logging')['level'] ?? '').toUpperCase()];
  const most = objectAt(config, 'template')['max_number'];
  const { document: defaults, unknown } = normalize({
    ...(isSet(most) ? { max_number: most } : {}),
    ...objectAt(ofAll, 'template_defaults'),
    ...objectAt(taken, 'template_defaults'),
  });
  for (const field of unknown) decide(`template_defaults.${field}`, 'is no field of this plug-in: left out');
  return {
    document: {
      ...Object.fromEntries(values),
      ...(level === undefined ? {} : { LogLevel: level }),
      ...(Object.keys(defaults).length === 0 ? {} : { templateDefaults: defaults }),
    },
    decisions,
  };
};
