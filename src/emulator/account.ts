import { createHash, randomBytes } from 'node:crypto';
import { tableForm } from './dynamodb/actions.ts';
import { type Action, action, isoTime, ownerId, required } from './ec2/action.ts';
import { invalidValue, ServiceError } from './wire/service-error.ts';
import type { World } from './world.ts';

const user = `arn:aws:iam::${ownerId}:user/emulated`;
const defaultSeconds = 3600;

/** The ARN of whom an access key is of: a session of a role, or else the one user there is. */
export const identityOf = ({ sessions }: World, accessKeyId: string): string => sessions.get(accessKeyId)?.arn ?? user;

const accountOf = (arn: string): string => arn.split(':')[4] ?? ownerId;

const getCallerIdentity = action('', (world, _params, caller) => {
  const Arn = identityOf(world, caller);
  return { Arn, UserId: 'AIDAEMULATED', Account: accountOf(Arn) };
});

const assumeRole = action('RoleArn RoleSessionName ExternalId DurationSeconds', (world, params, caller) => {
  const role = required(params.text('RoleArn'), 'RoleArn');
  const session = required(params.text('RoleSessionName'), 'RoleSessionName');
  const wanted = Object.hasOwn(world.settings.roles, role) ? world.settings.roles[role] : undefined;
  if (wanted === undefined || (wanted !== '' && wanted !== params.text('ExternalId'))) {
    const who = identityOf(world, caller);
    throw new ServiceError(
      'AccessDenied',
      `User: ${who} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
    );
  }
  const arn = `arn:aws:sts::${accountOf(role)}:assumed-role/${role.replace(/^.*\//, '')}/${session}`;
  const AccessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const token = randomBytes(24).toString('base64');
  const endsAt = world.now() + (params.number('DurationSeconds') ?? defaultSeconds) * 1000;
  world.sessions.set(AccessKeyId, { arn, token, endsAt });
  return {
    Credentials: {
      AccessKeyId,
      SecretAccessKey: randomBytes(30).toString('base64'),
      SessionToken: token,
      Expiration: isoTime(endsAt),
    },
    AssumedRoleUser: { AssumedRoleId: `AROAEMULATED:${session}`, Arn: arn },
  };
});

export const stsActions: ReadonlyMap<string, Action> = new Map([
  ['AssumeRole', assumeRole],
  ['GetCallerIdentity', getCallerIdentity],
]);

/** The profiles that are set, each with a role of its name. */
const listInstanceProfiles = action('PathPrefix Marker MaxItems', ({ settings }) => ({
  InstanceProfiles: settings.instanceProfiles.map((name) => ({
    InstanceProfileName: name,
    Path: '/',
    Arn: `arn:aws:iam::${ownerId}:instance-profile/${name}`,
    Roles: [{ RoleName: name, Arn: `arn:aws:iam::${ownerId}:role/${name}` }],
  })),
  IsTruncated: false,
}));

export const iamActions: ReadonlyMap<string, Action> = new Map([['ListInstanceProfiles', listInstanceProfiles]]);

const publicImages = '/aws/service/ami-amazon-linux-latest/';

/** As configured, or some image id, always the same, for Amazon's public aliases. */
const parameterValue = ({ settings: { parameters } }: World, name: string): string | undefined => {
  if (Object.hasOwn(parameters, name)) return parameters[name];
  if (!name.startsWith(publicImages)) return undefined;
  return `ami-0${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
};

const getParameter = action('Name WithDecryption', (world, params) => {
  const asked = required(params.text('Name'), 'Name');
  const Name = asked.replace(/^arn:[^/]*:parameter/, '').replace(/:[^:/]*$/, '');
  const Value = parameterValue(world, Name);
  if (Value === undefined) throw new ServiceError('ParameterNotFound', `Parameter ${asked} not found.`);
  const ARN = `arn:aws:ssm:${world.settings.region}:${ownerId}:parameter${Name}`;
  return { Parameter: { ARN, DataType: 'text', Name, Type: 'String', Value, Version: 1 } };
});

export const ssmActions: ReadonlyMap<string, Action> = new Map([['GetParameter', getParameter]]);

/** The values of a JSON document by dotted names, lists counted from 1, as the query protocol has them. */
const flattened = (value: unknown, path: string): readonly (readonly [string, string])[] => {
  if (typeof value !== 'object' || value === null) return [[path, String(value)]];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, each]) =>
    flattened(each, `${path === '' ? '' : `${path}.`}${isList ? Number(name) + 1 : name}`),
  );
};

/** The form that a call of a JSON service is read as; its service stands where others name a version. */
export const jsonForm = (target: string, body: string): ReadonlyMap<string, string> => {
  const [service = '', action = ''] = target.split('.');
  const call = [['Action', action] as const, ['Version', service] as const];
  if (service.startsWith('DynamoDB_')) return new Map([...tableForm(body), ...call]);
  const fields: unknown = JSON.parse(body === '' ? '{}' : body);
  return new Map([...flattened(fields, ''), ...call]);
};

/** The vCPUs a new account may run at once, by quota: standard families on demand and spot, then G and VT, and P, likewise. */
const vcpus: ReadonlyMap<string, number> = new Map([
  ['L-1216C47A', 1152],
  ['L-34B43A08', 640],
  ['L-DB2E81BA', 64],
  ['L-3819A6DF', 64],
  ['L-417A185B', 0],
  ['L-7212CCBC', 0],
]);

const getServiceQuota = action('ServiceCode QuotaCode', (_world, params) => {
  const QuotaCode = required(params.text('QuotaCode'), 'QuotaCode');
  const Value = vcpus.get(QuotaCode);
  if (Value === undefined) throw new ServiceError('NoSuchResourceException', `no quota ${QuotaCode}`);
  return { Quota: { ServiceCode: required(params.text('ServiceCode'), 'ServiceCode'), QuotaCode, Value } };
});

export const serviceQuotasActions: ReadonlyMap<string, Action> = new Map([['GetServiceQuota', getServiceQuota]]);

/** The products of one instance type: one, of Linux on shared hosts, where it has a price. */
const getProducts = action(
  'ServiceCode FormatVersion MaxResults NextToken Filters.N{Type Field Value}',
  ({ settings: { onDemandPrices, region } }, params) => {
    const service = required(params.text('ServiceCode'), 'ServiceCode');
    if (service !== 'AmazonEC2') throw invalidValue(`The emulator has no prices of ${service}`);
    const wanted = new Map(params.each('Filters').map((each) => [each.text('Field'), each.text('Value')]));
    const type = required(wanted.get('instanceType'), 'the filter instanceType');
    const price = wanted.get('regionCode') === region ? onDemandPrices[type] : undefined;
    if (price === undefined) return { FormatVersion: 'aws_v1', PriceList: [] };
    const product = {
      product: { productFamily: 'Compute Instance', attributes: { instanceType: type, regionCode: region } },
      serviceCode: service,
      terms: {
        OnDemand: {
          'SKU.TERM': { priceDimensions: { 'SKU.TERM.RATE': { unit: 'Hrs', pricePerUnit: { USD: String(price) } } } },
        },
      },
    };
    return { FormatVersion: 'aws_v1', PriceList: [JSON.stringify(product)] };
  },
);

export const pricingActions: ReadonlyMap<string, Action> = new Map([['GetProducts', getProducts]]);
