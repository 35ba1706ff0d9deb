import { createHash } from 'node:crypto';
import { tableForm } from './dynamodb/actions.ts';
import { type Action, action, ownerId, required } from './ec2/action.ts';
import { ServiceError } from './wire/service-error.ts';
import type { World } from './world.ts';

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
