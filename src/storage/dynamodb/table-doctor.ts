import { isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import type { Diagnosis } from '../../domain/finding.ts';
import { createTable, type TableCall, text } from './table.ts';

interface DoctorOptions {
  readonly name: string;
  /** `<cluster>/<provider>`: every key begins with it. */
  readonly owner: string;
  readonly call: TableCall;
}

const subject = 'state table';
const purpose = 'a request is kept there before AWS hears of it; without it nothing is launched';

const field = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null ? new Map<string, unknown>(Object.entries(at)).get(name) : undefined,
    value,
  );

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** `pk, sk` */
const keysOf = (description: unknown): string =>
  listOf(field(description, 'KeySchema'))
    .map((key) => String(field(key, 'AttributeName')))
    .join(', ');

const error = (what: string, why: string, cure: string): Diagnosis => ({
  subject,
  status: 'error',
  code: 'storage.unfit',
  what,
  why,
  cure,
});

/** What a table must be like; undefined where it is. */
const faultOf = (name: string, table: unknown): Diagnosis | undefined => {
  const template = 'make it by config/aws/state-table.cloudformation.yaml or state-table.tf';
  const status = String(field(table, 'TableStatus'));
  if (status !== 'ACTIVE' && status !== 'UPDATING')
    return error(`${name} is ${status}`, purpose, 'wait until it is ACTIVE');
  if (keysOf(table) !== 'pk, sk') return error(`${name} has the keys ${keysOf(table)}, not pk, sk`, purpose, template);
  const feed = listOf(field(table, 'GlobalSecondaryIndexes')).find((index) => field(index, 'IndexName') === 'feed');
  if (keysOf(feed) !== 'f, o')
    return error(`${name} has no index feed with the keys f, o`, 'lists of requests are read from it', template);
  const hasReplicas = listOf(field(table, 'Replicas')).length > 0;
  if (hasReplicas && field(table, 'MultiRegionConsistency') !== 'STRONG')
    return error(
      `${name} is a global table with eventual consistency`,
      'two hosts in two Regions might both take the same request or the last machine: conditions hold within one Region only',
      'use a table of one Region, or a global table with multi-Region strong consistency',
    );
  return undefined;
};

const protectionOf = async ({ name, call }: DoctorOptions, table: unknown): Promise<readonly Diagnosis[]> => {
  const found: Diagnosis[] = [];
  const warn = (what: string, why: string, cure: string): void => {
    found.push({ subject, status: 'warning', code: 'table.unprotected', what, why, cure });
  };
  if (field(table, 'DeletionProtectionEnabled') !== true)
    warn(
      `${name} may be deleted`,
      'with it, all records of running machines would be lost',
      `aws dynamodb update-table --table-name ${name} --deletion-protection-enabled`,
    );
  try {
    const answer = await call('DescribeContinuousBackups', { TableName: name });
    const path = ['ContinuousBackupsDescription', 'PointInTimeRecoveryDescription', 'PointInTimeRecoveryStatus'];
    if (field(answer, ...path) !== 'ENABLED')
      warn(
        `${name} has no point-in-time recovery`,
        'what is overwritten or deleted by mistake cannot be restored',
        `aws dynamodb update-continuous-backups --table-name ${name} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`,
      );
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    const cure = 'allow dynamodb:DescribeContinuousBackups, or look in the console';
    warn(`whether ${name} has point-in-time recovery cannot be seen: ${messageOf(cause)}`, 'it should', cure);
  }
  return found;
};

const trials = 5;

/** Does under a key of its own what the store does; what does not work as it should, and the median of a call, ms. */
const tryOut = async ({
  name,
  owner,
  call,
}: DoctorOptions): Promise<{ readonly fault?: string; readonly ms: number }> => {
  const table = createTable(name, call);
  const key = { pk: `${owner}#doctor`, sk: process.getBuiltinModule('node:crypto').randomUUID() };
  const item = { pk: text(key.pk), sk: text(key.sk) };
  await table.create({ ...item, w: text('first') });
  try {
    if ((await table.create({ ...item, w: text('second') })) === undefined)
      return { fault: 'an existing item was overwritten', ms: 0 };
    const times: number[] = [];
    for (let n = 0; n < trials; n++) {
      const begun = performance.now();
      if ((await table.get(key)) === undefined) return { fault: 'an item just written was not found', ms: 0 };
      times.push(performance.now() - begun);
    }
    return { ms: Math.round(times.sort((a, b) => a - b)[Math.floor(trials / 2)] ?? 0) };
  } finally {
    await table.remove(key);
  }
};

/** Whether this role could write to what other providers keep in the table. */
const confinement = async ({ name, call }: DoctorOptions): Promise<readonly Diagnosis[]> => {
  const table = createTable(name, call);
  const key = { pk: 'hf-aws-doctor/nobody#doctor', sk: process.getBuiltinModule('node:crypto').randomUUID() };
  try {
    await table.create({ pk: text(key.pk), sk: text(key.sk) });
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    return [];
  }
  await table.remove(key);
  const why = 'a mistake in one configuration could then change the records of another cluster';
  const cure = 'attach the policy that hf-aws doctor --iam-policy prints: it confines the role to its own keys';
  const what = `this role may write other providers' state to ${name}`;
  return [{ subject, status: 'warning', code: 'table.shared', what, why, cure }];
};

/** The next step where the table does not answer as it should. */
const cureOf = (name: string, { aws, message }: PluginError): string => {
  const [, denied] = /not authorized to perform: (dynamodb:\w+)/.exec(message) ?? [];
  if (denied !== undefined) return `allow ${denied}: attach the policy that hf-aws doctor --iam-policy prints`;
  if (/^ResourceNotFound/.test(aws?.code ?? ''))
    return `make ${name} by config/aws/state-table.cloudformation.yaml, or correct stateTable and stateRegion`;
  return `check that ${name} can be reached: stateTable, stateRegion and stateEndpoint in hf-aws config show`;
};

/** Whether the table does what the store needs of it. Leaves nothing behind. */
export const diagnoseTable = async (options: DoctorOptions): Promise<readonly Diagnosis[]> => {
  const { name, owner, call } = options;
  try {
    const table = field(await call('DescribeTable', { TableName: name }), 'Table');
    const fault = faultOf(name, table);
    if (fault !== undefined) return [fault];
    const trial = await tryOut(options);
    if (trial.fault !== undefined) return [error(`${name}: ${trial.fault}`, purpose, 'use DynamoDB itself')];
    const what = `${name} holds the state of ${owner}: items are created once and read at once, ${trial.ms} ms a call`;
    return [{ subject, status: 'ok', what }, ...(await protectionOf(options, table)), ...(await confinement(options))];
  } catch (cause) {
    if (!isPluginError(cause)) throw cause;
    const what = `${name} cannot be used: ${messageOf(cause)}`;
    return [{ subject, status: 'error', code: 'storage.unavailable', what, why: purpose, cure: cureOf(name, cause) }];
  }
};
