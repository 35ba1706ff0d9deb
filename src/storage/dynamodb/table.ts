import { hasCode, isPluginError, messageOf, PluginError } from '../../domain/errors.ts';

/** DynamoDB's JSON form of a value. */
export type Attribute =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly SS: readonly string[] };

export type Item = Readonly<Record<string, Attribute>>;

type TableAction = 'PutItem' | 'GetItem' | 'UpdateItem' | 'DeleteItem' | 'Query';

/** What the table is asked by name beside its items, for doctor. */
type TableInspection = 'DescribeTable' | 'DescribeContinuousBackups';

/**
 * Calls DynamoDB and answers with its answer's object. A condition that does not hold is an answer too: with `__type`, and the item in
 * the way where DynamoDB tells it. Throws `provider.*`.
 */
export type TableCall = (action: TableAction | TableInspection, input: object) => Promise<unknown>;

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

interface Range {
  readonly pk: string;
  /** Sort keys that begin so. */
  readonly prefix?: string;
}

/** What is in the index `feed` from a place on. */
interface FeedRange {
  readonly feed: string;
  readonly from: string;
}

interface Condition {
  readonly expression: string;
  readonly values?: Item;
}

/** One table, by what the store needs of it. Every method throws `storage.unavailable` where DynamoDB does not do what it is asked. */
export interface Table {
  readonly name: string;
  /** Puts an item in place of what is there. */
  put(item: Item): Promise<void>;
  /** Puts an item where there is none with its key; answers with the item in the way, if there is one. */
  create(item: Item): Promise<Item | undefined>;
  get(key: Key): Promise<Item | undefined>;
  /** Every item of a partition, in the order of their sort keys, as it is now. */
  list(range: Range): Promise<readonly Item[]>;
  /** The keys of the index, which may lag by moments. */
  feed(range: FeedRange): Promise<readonly Item[]>;
  /** Whether it was done: not where the condition does not hold. */
  update(key: Key, expression: string, values: Item, condition?: string): Promise<boolean>;
  /** Whether it was done; what is not there is done. */
  remove(key: Key, condition?: Condition): Promise<boolean>;
}

export const text = (value: string): Attribute => ({ S: value });
export const number = (value: number): Attribute => ({ N: String(value) });

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;

export const textIn = (item: Item | undefined, name: string): string | undefined => {
  const value = field(item?.[name], 'S');
  return typeof value === 'string' ? value : undefined;
};

export const numberIn = (item: Item | undefined, name: string): number | undefined => {
  const value = field(item?.[name], 'N');
  return typeof value === 'string' ? Number(value) : undefined;
};

export const bytesIn = (item: Item | undefined, name: string): Buffer | undefined => {
  const value = field(item?.[name], 'B');
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
};

export const textsIn = (item: Item | undefined, name: string): readonly string[] => {
  const value = field(item?.[name], 'SS');
  return Array.isArray(value) ? value.map(String) : [];
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What DynamoDB calls an item is one: each field is looked at when it is read. */
const isItem = (value: unknown): value is Item => isObject(value) && Object.values(value).every(isObject);

const itemIn = (answer: unknown, name: string): Item | undefined => {
  const item = field(answer, name);
  return isItem(item) ? item : undefined;
};

const itemsIn = (answer: unknown): readonly Item[] => {
  const items = field(answer, 'Items');
  return Array.isArray(items) ? items.filter(isItem) : [];
};

const isRefused = (answer: unknown): boolean => field(answer, '__type') !== undefined;

/** A part of the table's work, told by the table's name. */
const unavailable = (name: string, error: unknown): unknown => {
  if (!isPluginError(error) || hasCode(error, 'storage.unavailable')) return error;
  const { aws } = error;
  const text = `the table ${name} does not answer as it should: ${messageOf(error)}`;
  return new PluginError('storage.unavailable', text, { cause: error, ...(aws === undefined ? {} : { aws }) });
};

const keyOf = ({ pk, sk }: Key): Item => ({ pk: text(pk), sk: text(sk) });

/** DynamoDB: `at` and `name` and many more words are reserved in expressions; ours go by `#`. */
const namesIn = (expression: string): object => {
  const names = new Set(expression.match(/#\w+/g) ?? []);
  return names.size === 0
    ? {}
    : { ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [name, name.slice(1)])) };
};

/** So many calls at once: a process that lives for one call opens no more connections. */
const mostAtOnce = 8;

/** Lets so many works run at a time; the others wait for their turn. */
const gate = (most: number) => {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <A>(work: () => Promise<A>): Promise<A> => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Who waits takes the place.
      if (next === undefined) running -= 1;
      else next();
    }
  };
};

export const createTable = (name: string, call: TableCall): Table => {
  const inTurn = gate(mostAtOnce);
  const ask = async (action: TableAction, input: object): Promise<unknown> => {
    try {
      return await inTurn(() => call(action, { TableName: name, ...input }));
    } catch (error) {
      throw unavailable(name, error);
    }
  };
  const queryAll = async (input: object): Promise<readonly Item[]> => {
    const items: Item[] = [];
    let from: unknown;
    do {
      const answer = await ask('Query', { ...input, ...(from === undefined ? {} : { ExclusiveStartKey: from }) });
      items.push(...itemsIn(answer));
      from = field(answer, 'LastEvaluatedKey');
    } while (from !== undefined);
    return items;
  };
  const get: Table['get'] = async (key) =>
    itemIn(await ask('GetItem', { Key: keyOf(key), ConsistentRead: true }), 'Item');
  return {
    name,
    get,
    put: async (item) => {
      await ask('PutItem', { Item: item });
    },
    create: async (item) => {
      const answer = await ask('PutItem', {
        Item: item,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      if (!isRefused(answer)) return undefined;
      const [pk = '', sk = ''] = [textIn(item, 'pk'), textIn(item, 'sk')];
      return itemIn(answer, 'Item') ?? (await get({ pk, sk }));
    },
    list: ({ pk, prefix }) => {
      const isPart = prefix === undefined ? '' : ' AND begins_with(sk, :prefix)';
      return queryAll({
        ConsistentRead: true,
        KeyConditionExpression: `pk = :pk${isPart}`,
        ExpressionAttributeValues: { ':pk': text(pk), ...(prefix === undefined ? {} : { ':prefix': text(prefix) }) },
      });
    },
    feed: ({ feed, from }) =>
      queryAll({
        IndexName: 'feed',
        KeyConditionExpression: 'f = :f AND o >= :from',
        ExpressionAttributeValues: { ':f': text(feed), ':from': text(from) },
      }),
    update: async (key, expression, values, condition) =>
      !isRefused(
        await ask('UpdateItem', {
          Key: keyOf(key),
          UpdateExpression: expression,
          ...namesIn(`${expression} ${condition ?? ''}`),
          ExpressionAttributeValues: values,
          ...(condition === undefined ? {} : { ConditionExpression: condition }),
        }),
      ),
    remove: async (key, condition) =>
      !isRefused(
        await ask('DeleteItem', {
          Key: keyOf(key),
          ...(condition === undefined
            ? {}
            : {
                ConditionExpression: condition.expression,
                ...namesIn(condition.expression),
                ...(condition.values === undefined ? {} : { ExpressionAttributeValues: condition.values }),
              }),
        }),
      ),
  };
};
