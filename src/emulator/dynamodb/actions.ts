import { type Action, action, ownerId } from '../ec2/action.ts';
import { isObject } from '../invalid-input.ts';
import { ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { type Attribute, compare, holds, type Item, invalid, isItem, type References, updated } from './expressions.ts';

type Input = Readonly<Record<string, unknown>>;

/** Bytes, with names and values. */
const mostInItem = 400 * 1024;
/** Bytes that one page of a query reads. */
const mostInPage = 1024 * 1024;

const sizeOf = (value: Attribute): number => {
  const [[type, each] = ['', '']] = Object.entries(value);
  if (typeof each !== 'string') return each.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return type === 'B' ? Buffer.byteLength(each, 'base64') : Buffer.byteLength(each);
};

const itemSize = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0);

const textIn = (item: Item, name: string): string => {
  const value = item[name]?.['S'];
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`);
};

/** The items of a table by partition and sort key. */
type Items = Map<string, Map<string, Item>>;

/** Every table has the keys `pk` and `sk`, and the index `feed` over `f` and `o` which holds keys only. */
const tableOf = (world: World, input: Input): Items => {
  const name = String(input['TableName']);
  if (!world.settings.tables.includes(name))
    throw new ServiceError('ResourceNotFoundException', 'Requested resource not found');
  const items: Items = world.tables.get(name) ?? new Map();
  world.tables.set(name, items);
  return items;
};

const referencesOf = (input: Input): References => {
  const { ExpressionAttributeValues: values = {}, ExpressionAttributeNames: names = {} } = input;
  if (!isItem(values)) throw invalid('ExpressionAttributeValues contains invalid value');
  const texts = Object.entries(Object(names)).map(([name, each]) => [name, String(each)] as const);
  return { values, names: Object.fromEntries(texts) };
};

const itemOf = (value: unknown): Item => {
  if (!isItem(value))
    throw invalid('Supplied AttributeValue is empty, must contain exactly one of the supported datatypes');
  return value;
};

const find = (items: Items, key: Item): Item | undefined => items.get(textIn(key, 'pk'))?.get(textIn(key, 'sk'));

const checkCondition = (input: Input, before: Item | undefined): void => {
  const { ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: shown } = input;
  if (typeof condition !== 'string' || holds(condition, before, referencesOf(input))) return;
  throw new ServiceError('ConditionalCheckFailedException', 'The conditional request failed', 400, {
    ...(shown === 'ALL_OLD' && before !== undefined ? { Item: before } : {}),
  });
};

const write = (items: Items, item: Item): void => {
  if (itemSize(item) > mostInItem) throw invalid('Item size has exceeded the maximum allowed size');
  const pk = textIn(item, 'pk');
  const partition = items.get(pk) ?? new Map<string, Item>();
  items.set(pk, partition.set(textIn(item, 'sk'), item));
};

const putItem = (world: World, input: Input): XmlFields => {
  const [items, item] = [tableOf(world, input), itemOf(input['Item'])];
  checkCondition(input, find(items, item));
  write(items, item);
  return {};
};

const getItem = (world: World, input: Input): XmlFields => {
  const found = find(tableOf(world, input), itemOf(input['Key']));
  return found === undefined ? {} : { Item: found };
};

const updateItem = (world: World, input: Input): XmlFields => {
  const [items, key] = [tableOf(world, input), itemOf(input['Key'])];
  const before = find(items, key);
  checkCondition(input, before);
  write(items, updated(String(input['UpdateExpression']), before ?? key, referencesOf(input)));
  return {};
};

const deleteItem = (world: World, input: Input): XmlFields => {
  const [items, key] = [tableOf(world, input), itemOf(input['Key'])];
  checkCondition(input, find(items, key));
  items.get(textIn(key, 'pk'))?.delete(textIn(key, 'sk'));
  return {};
};

const keysOnly = ({ pk = { S: '' }, sk = { S: '' }, f = { S: '' }, o = { S: '' } }: Item): Item => ({ pk, sk, f, o });

const sortBy = (name: string) => (one: Item, other: Item) => compare(one[name], other[name]) ?? 0;

const query = (world: World, input: Input): XmlFields => {
  const items = tableOf(world, input);
  const isFeed = input['IndexName'] === 'feed';
  if (isFeed && input['ConsistentRead'] === true)
    throw invalid('Consistent reads are not supported on global secondary indexes');
  const references = referencesOf(input);
  const condition = String(input['KeyConditionExpression']);
  // Where the partition is named first its items are all that can fit.
  const [, value = ''] = /^pk = (:\w+)/.exec(condition) ?? [];
  const partition = items.get(String(references.values[value]?.['S']));
  const all =
    value === '' ? [...items.values()].flatMap((each) => [...each.values()]) : [...(partition?.values() ?? [])];
  const order = isFeed ? 'o' : 'sk';
  const found = all.filter((item) => holds(condition, item, references)).sort(sortBy(order));
  const from = input['ExclusiveStartKey'];
  const start = isItem(from) ? found.findIndex((item) => (compare(item[order], from[order]) ?? 0) > 0) : 0;
  const left = start < 0 ? [] : found.slice(start).map((item) => (isFeed ? keysOnly(item) : item));
  let size = 0;
  const page = left.filter((item, index) => {
    const fits = index === 0 || size < mostInPage;
    size += itemSize(item);
    return fits;
  });
  const last = page.at(-1);
  return {
    Items: page,
    Count: page.length,
    ...(page.length < left.length && last !== undefined ? { LastEvaluatedKey: keysOnly(last) } : {}),
  };
};

const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
];

const describeTable = (world: World, input: Input): XmlFields => {
  tableOf(world, input);
  const TableName = String(input['TableName']);
  return {
    Table: {
      TableName,
      TableArn: `arn:aws:dynamodb:${world.settings.region}:${ownerId}:table/${TableName}`,
      TableStatus: 'ACTIVE',
      KeySchema: keys('pk', 'sk'),
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      DeletionProtectionEnabled: true,
      GlobalSecondaryIndexes: [
        {
          IndexName: 'feed',
          IndexStatus: 'ACTIVE',
          KeySchema: keys('f', 'o'),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    },
  };
};

const describeContinuousBackups = (world: World, input: Input): XmlFields => {
  tableOf(world, input);
  return {
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' },
    },
  };
};

/** DynamoDB's values have types, which a flat form would lose: the whole input is one parameter. */
const onInput = (answer: (world: World, input: Input) => XmlFields): Action =>
  action('TableName IndexName Key Body', (world, params) => {
    const input: unknown = JSON.parse(params.text('Body') ?? '{}');
    return isObject(input) ? answer(world, input) : {};
  });

export const dynamoDbActions: ReadonlyMap<string, Action> = new Map([
  ['DeleteItem', onInput(deleteItem)],
  ['DescribeContinuousBackups', onInput(describeContinuousBackups)],
  ['DescribeTable', onInput(describeTable)],
  ['GetItem', onInput(getItem)],
  ['PutItem', onInput(putItem)],
  ['Query', onInput(query)],
  ['UpdateItem', onInput(updateItem)],
]);

const keyIn = (fields: Input): string => {
  const key = fields['Key'] ?? fields['Item'];
  return isItem(key) ? `${String(key['pk']?.['S'])} ${String(key['sk']?.['S'])}` : '';
};

/** The form that a call is read as: what tells it from others, and the input as it came. */
export const tableForm = (body: string): ReadonlyMap<string, string> => {
  const fields: unknown = JSON.parse(body === '' ? '{}' : body);
  if (!isObject(fields)) return new Map();
  const { TableName, IndexName } = fields;
  return new Map([
    ['TableName', String(TableName)],
    ...(IndexName === undefined ? [] : [['IndexName', String(IndexName)] as const]),
    ...(keyIn(fields) === '' ? [] : [['Key', keyIn(fields)] as const]),
    ['Body', body],
  ]);
};
