/** What IAM is asked about one resource of a call. Tags are told as IAM knows them: of the request, and of the resource as it is. */
export interface Authorization {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, readonly string[]>>;
}

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

const listOf = (value: string | readonly string[]): readonly string[] => [value].flat();

/** IAM: `*` and `?` stand for others, `${*}` for itself. */
const glob = (pattern: string): RegExp => {
  const parts = pattern.match(/\$\{[*?$]\}|[\s\S]/g) ?? [];
  const source = parts.map((part) => {
    if (part.length > 1) return `\\${part[2]}`;
    if (part === '*') return '.*';
    return part === '?' ? '.' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`);
};

/** ARNs match segment by segment; the last one holds whatever colons come. */
const matchesArn = (pattern: string, arn: string): boolean => {
  const [wanted, given] = [pattern, arn].map((each) => {
    const parts = each.split(':');
    return [...parts.slice(0, 5), parts.slice(5).join(':')];
  });
  return pattern === '*' || (wanted ?? []).every((part, index) => glob(part).test(given?.[index] ?? ''));
};

const plain = (value: string): string => value.replaceAll(/\$\{([*?$])\}/g, '$1');

type Test = (given: readonly string[] | undefined, wanted: readonly string[]) => boolean;

const equals = (given: string, wanted: readonly string[]): boolean => wanted.map(plain).includes(given);

/** The operators in use; another one is an error here, not a condition that holds. */
const operators: Readonly<Record<string, Test>> = {
  StringEquals: (given, wanted) => given?.every((each) => equals(each, wanted)) ?? false,
  StringEqualsIfExists: (given, wanted) => given === undefined || given.every((each) => equals(each, wanted)),
  'ForAllValues:StringEquals': (given = [], wanted) => given.every((each) => equals(each, wanted)),
  'ForAllValues:StringLike': (given = [], wanted) => given.every((each) => wanted.some((one) => glob(one).test(each))),
  Null: (given, wanted) => wanted.includes(String(given === undefined)),
};

const allows = (
  { Action, Resource, Condition = {} }: Statement,
  { action, resource, context }: Authorization,
): boolean =>
  Action.some((pattern) => glob(pattern).test(action)) &&
  listOf(Resource).some((pattern) => matchesArn(pattern, resource)) &&
  Object.entries(Condition).every(([operator, keys]) => {
    const test = operators[operator];
    if (test === undefined) throw new Error(`no such operator here: ${operator}`);
    return Object.entries(keys).every(([key, wanted]) => test(context[key], listOf(wanted)));
  });

/** Whether a policy of Allow statements allows it. */
export const isAllowed = (policy: { readonly Statement: readonly Statement[] }, asked: Authorization): boolean =>
  policy.Statement.some((statement) => allows(statement, asked));
