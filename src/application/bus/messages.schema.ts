import { machineStates } from '../../domain/machine.ts';
import { requestStatuses } from '../read-model/views.ts';
import { roles } from './origin.ts';

/** The forms of all messages that people and programs may send: the command line, REST and its description share them. */
const name = { type: 'string', minLength: 1, maxLength: 256 } as const;
const count = { type: 'integer', minimum: 0, maximum: 1_000_000 } as const;
const positive = { type: 'integer', minimum: 1, maximum: 10_000 } as const;
const pairs = { type: 'object', additionalProperties: { type: 'string', maxLength: 1024 }, maxProperties: 50 } as const;
const requestId = {
  type: 'string',
  pattern: '^re[qt]-[0-9a-f-]{36}$',
  description: 'Id of a request or a return',
} as const;
const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
const projection = { enum: ['requests', 'machines', 'counters'] } as const;

const origin = {
  type: { type: 'string' },
  correlationId: { ...name, description: 'Kept on log lines and events' },
  userId: { ...name, description: 'Who asks; kept on the events' },
  role: { enum: roles },
} as const;

const identity = {
  commandId: { type: 'string', pattern: uuid, description: 'UUID: the same command again gives the same answer' },
} as const;

const expected = {
  type: 'object',
  required: ['version'],
  additionalProperties: false,
  properties: { requestId, version: count, wait: { type: 'number', minimum: 0, maximum: 60_000 } },
} as const;

const listing = {
  query: { ...name, description: 'Text that a value must contain' },
  sortBy: { type: 'string', pattern: '^[A-Za-z_]{1,32}$', description: 'Field, e.g. created_at' },
  sortOrder: { enum: ['asc', 'desc'], description: 'Default desc' },
  limit: { ...positive, description: 'Most items; wins over page_size' },
  offset: { ...count, description: 'Items to leave out; wins over page' },
  page: { ...positive, description: 'From 1' },
  pageSize: { ...positive, description: 'Default 20' },
  expected,
} as const;

const message = <P extends object, const R extends readonly string[]>($id: string, properties: P, required: R) => ({
  $id,
  type: 'object',
  additionalProperties: false,
  required,
  properties: { ...origin, ...properties },
});

export const messageSchemas = {
  CreateRequest: message(
    'CreateRequest',
    {
      ...identity,
      templateId: { type: 'string', pattern: '^[0-9A-Za-z_-]{1,64}$', description: 'The template' },
      maxNumber: { ...positive, description: 'Machines wanted' },
      attributes: pairs,
    },
    ['templateId', 'maxNumber'],
  ),
  CancelRequest: message('CancelRequest', { ...identity, requestId, reason: name }, ['requestId', 'reason']),
  ReturnMachines: message(
    'ReturnMachines',
    {
      ...identity,
      machines: {
        type: 'array',
        maxItems: 10_000,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['name', 'machineId'],
          properties: { name: { type: 'string', maxLength: 256 }, machineId: { type: 'string', maxLength: 64 } },
        },
      },
      onlyKnown: { type: 'boolean' },
    },
    ['machines'],
  ),
  UpdateMachineStatus: message(
    'UpdateMachineStatus',
    { ...identity, machineId: name, status: { enum: machineStates }, requestId, metadata: pairs },
    ['machineId', 'status'],
  ),
  RebuildProjection: message('RebuildProjection', { ...identity, name: projection }, []),
  ValidateTemplate: message(
    'ValidateTemplate',
    { ...identity, templateId: name, file: name, aws: { type: 'boolean' } },
    [],
  ),
  GetRequestStatus: message('GetRequestStatus', { requestId, includeMachines: { type: 'boolean' }, expected }, [
    'requestId',
  ]),
  ListRequests: message(
    'ListRequests',
    {
      ...listing,
      status: { enum: requestStatuses },
      kind: { enum: ['create', 'return'] },
      templateId: name,
      requester: { ...name, description: 'Only what this user asked for' },
    },
    [],
  ),
  ListMachines: message(
    'ListMachines',
    {
      ...listing,
      status: { enum: machineStates, description: 'EC2 state' },
      machineId: name,
      requestId,
      templateId: name,
    },
    [],
  ),
  ListTemplates: message('ListTemplates', { ...listing, filters: pairs }, []),
  ListEvents: message(
    'ListEvents',
    {
      requestId,
      eventType: name,
      from: { type: 'string', maxLength: 80, description: 'Only what comes after this position' },
      limit: positive,
    },
    [],
  ),
  GetProjections: message('GetProjections', { requestId }, []),
} as const;
