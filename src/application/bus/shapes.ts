import { machineStates } from '../../domain/machine.ts';
import { instanceEventKinds } from '../ports/instance-events.ts';
import { projectionNames } from '../ports/read-model.ts';
import { requestStatuses } from '../read-model/views.ts';
import { closed, listOf, named, open } from './json-schema.ts';

/** Pieces that the schemas of several operations share: first those of messages, then those of answers. */
export const text = { type: 'string', minLength: 1, maxLength: 256 } as const;
export const count = { type: 'integer', minimum: 0, maximum: 1_000_000 } as const;
export const positive = { type: 'integer', minimum: 1, maximum: 10_000 } as const;
export const flag = { type: 'boolean' } as const;
export const pairs = {
  type: 'object',
  additionalProperties: { type: 'string', maxLength: 1024 },
  maxProperties: 50,
} as const;
export const uuid = {
  type: 'string',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
} as const;
export const requestId = {
  type: 'string',
  pattern: '^re[qt]-[0-9a-f-]{36}$',
  description: 'Id of a request or a return',
} as const;
/** As a caller writes it. A wrong one is answered as a request that does not exist. */
export const anyId = { type: 'string', maxLength: 1024 } as const;
export const projectionName = { enum: projectionNames } as const;
export const machineState = { enum: machineStates, description: 'EC2 state' } as const;
export const requestStatus = { enum: requestStatuses } as const;

/** Hosts by id or by name; the other is empty. */
export const hosts = {
  type: 'array',
  maxItems: 10_000,
  items: closed({ name: { type: 'string', maxLength: 256 }, machineId: { type: 'string', maxLength: 64 } }),
} as const;

const wait = { type: 'number', minimum: 0, maximum: 60_000, description: 'Milliseconds' } as const;
/** A version of a request that must be seen before the answer. */
const expected = closed({ requestId, version: count, wait }, ['wait']);
export const expectedVersion = closed({ version: count, wait }, ['wait']);

/** What every list understands. */
export const paging = {
  query: { ...text, description: 'Text to search for in all values' },
  sortBy: { type: 'string', pattern: '^[A-Za-z_]{1,32}$', description: 'Field, e.g. created_at' },
  sortOrder: { enum: ['asc', 'desc'], description: 'Default desc' },
  limit: { ...positive, description: 'Number of rows, whatever the page size' },
  offset: { ...count, description: 'Rows to skip, whatever the page' },
  page: { ...positive, description: 'From 1' },
  pageSize: { ...positive, description: 'Default 20' },
} as const;

/** The same for lists of records. */
export const listing = { ...paging, expected } as const;

const hostKeys = { type: 'array', maxItems: 10_000, items: { type: 'string', maxLength: 256 } } as const;
/** Hosts on no record of ours, by id or name. */
export const unseenHosts = {
  unseen: { ...hostKeys, description: 'Hosts that neither EC2 nor our records know' },
  shown: { ...hostKeys, description: 'Hosts that EC2 did not show before and does now' },
} as const;

/** What AWS has announced of an instance. */
export const instanceEvent = closed({
  machineId: { type: 'string', maxLength: 64 },
  kind: { enum: instanceEventKinds },
  due: { type: 'integer', description: 'Milliseconds since the epoch' },
});

export const words = { type: 'string' } as const;
export const number = { type: 'integer', minimum: 0 } as const;
/** ISO 8601 in UTC. */
export const time = { type: 'string', format: 'date-time' } as const;
export const texts = listOf(words);
/** What is known of it depends on what it is. */
export const thing = { type: 'object', additionalProperties: true } as const;

export const late = { ...words, description: 'Why the answer may not be what the caller expects' } as const;

/** One page of a list. */
export const pageOf = <const I extends object, const M extends Readonly<Record<string, object>>>(item: I, more: M) =>
  closed(
    {
      items: listOf(item),
      total: number,
      page: { type: 'integer', minimum: 1 },
      page_size: { type: 'integer', minimum: 1 },
      total_pages: number,
      warnings: { ...texts, description: 'Records missing from the list, and why' },
      ...more,
      _warning: late,
    },
    ['_warning'],
  );

const machine = {
  machineId: words,
  requestId: words,
  name: { ...words, description: 'Empty until EC2 reports it' },
  result: { enum: ['executing', 'succeed', 'fail'] },
  status: machineState,
  privateIpAddress: words,
  publicIpAddress: words,
  launchTime: { ...time, description: 'Absent if EC2 never reported it' },
  message: { ...words, description: 'Why it failed' },
  priceType: { enum: ['ondemand', 'spot'] },
  instanceType: words,
  instanceTags: { ...words, description: 'k=v;k=v' },
} as const;

export const machineOfRequest = named('RequestMachine', closed(machine, ['launchTime']));
export const machineOnRecord = named('Machine', closed({ ...machine, templateId: words }, ['launchTime']));

export const request = {
  requestId: words,
  kind: { enum: ['create', 'return'] },
  status: requestStatus,
  message: { ...words, description: 'For people' },
  templateId: { ...words, description: 'Not of a return' },
  wanted: { ...number, description: 'Machines asked for, or to be returned' },
  counts: closed({ executing: number, succeed: number, fail: number }),
  createdAt: time,
  settledAt: time,
  version: number,
  userId: { ...words, description: 'Who asked, if the caller said so' },
} as const;
export const notInEvery = ['templateId', 'settledAt', 'userId'] as const;

const problem = closed({ field: words, rule: words });
export const rejectedTemplate = closed({ templateId: words, problems: listOf(problem) });
export const version = { ...number, description: 'Of the stream of events' } as const;

export const requestOnRecord = named('Request', closed({ ...request, updatedAt: time }, notInEvery));

/** A template, its fields in one spelling, with defaults filled in. */
export const servedTemplate = named(
  'Template',
  open(
    {
      templateId: words,
      maxNumber: { type: 'integer', description: 'Most hosts at a time; -1 for no limit' },
      priceType: { enum: ['ondemand', 'spot', 'heterogeneous'] },
      attributes: {
        type: 'object',
        additionalProperties: texts,
        description: 'e.g. {"ncpus": ["Numeric", "4"]}',
      },
      imageId: words,
      vmType: words,
      subnetIds: texts,
      securityGroupIds: texts,
      providerApi: { enum: ['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG'] },
    },
    ['imageId', 'vmType', 'subnetIds', 'securityGroupIds', 'providerApi'],
  ),
);
