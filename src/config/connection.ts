import { PluginError } from '../domain/errors.ts';
import type { Environment } from './environment.ts';

/** Where AWS is and the way there, as the configuration says or else the environment, by the names that all of AWS's tools take. */
export interface AwsConnection {
  /** Of EC2, and of the other services unless it is AWS's own. */
  readonly endpoint?: string;
  /** By the service's name in its endpoints. */
  readonly endpoints: Readonly<Record<string, string>>;
  readonly proxy?: string;
  /** Hosts that are not behind the proxy. */
  readonly noProxy: string;
  readonly useFips: boolean;
  readonly useDualStack: boolean;
}

interface ConnectionParameters {
  readonly AWS_ENDPOINT_URL: string | undefined;
  readonly AWS_PROXY_HOST: string | undefined;
  readonly AWS_PROXY_PORT: number | undefined;
}

const variables = {
  ec2: 'AWS_ENDPOINT_URL_EC2',
  autoscaling: 'AWS_ENDPOINT_URL_AUTO_SCALING',
  ssm: 'AWS_ENDPOINT_URL_SSM',
  sts: 'AWS_ENDPOINT_URL_STS',
  servicequotas: 'AWS_ENDPOINT_URL_SERVICE_QUOTAS',
  sqs: 'AWS_ENDPOINT_URL_SQS',
  events: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
  pricing: 'AWS_ENDPOINT_URL_PRICING',
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  iam: 'AWS_ENDPOINT_URL_IAM',
} as const;

/** Scheme, host, port and path: a call has no place for more. */
export const isEndpoint = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && `${search}${hash}${username}${password}` === '' && !/[?#]$/.test(text);
};

/** A host, perhaps with `user:password@` before it. */
export const isProxyHost = (text: string): boolean => !/[/?#\s]/.test(text) && URL.canParse(`http://${text}:80`);

const invalid = (name: string, rule: string): PluginError =>
  new PluginError('configuration.invalid', `the environment variable ${name} ${rule}`);

const flag = (env: Environment, name: string): boolean => {
  const text = (env[name] ?? '').trim().toLowerCase();
  if (!['', 'true', 'false'].includes(text)) throw invalid(name, 'must be true or false');
  return text === 'true';
};

const endpointIn = (env: Environment, name: string): string | undefined => {
  const text = (env[name] ?? '').trim();
  if (text === '') return undefined;
  if (isEndpoint(text)) return text;
  throw invalid(name, 'must be a URL: http or https, host, and perhaps port and path');
};

/** Throws `configuration.invalid` where a variable of the environment has a value that it cannot have. */
export const awsConnection = (config: ConnectionParameters, env: Environment): AwsConnection => {
  const { AWS_ENDPOINT_URL: configured, AWS_PROXY_HOST: host, AWS_PROXY_PORT: port } = config;
  const isHeard = !flag(env, 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS');
  const endpoint = configured ?? (isHeard ? endpointIn(env, 'AWS_ENDPOINT_URL') : undefined);
  const endpoints = Object.entries(isHeard ? variables : {}).flatMap(([service, name]) => {
    const found = service === 'ec2' && configured !== undefined ? undefined : endpointIn(env, name);
    return found === undefined ? [] : [[service, found] as const];
  });
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    endpoints: Object.fromEntries(endpoints),
    ...(host === undefined ? {} : { proxy: `http://${host}:${port}` }),
    noProxy: env['NO_PROXY'] ?? env['no_proxy'] ?? '',
    useFips: flag(env, 'AWS_USE_FIPS_ENDPOINT'),
    useDualStack: flag(env, 'AWS_USE_DUALSTACK_ENDPOINT'),
  };
};
