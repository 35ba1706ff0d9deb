import { requestStatuses } from '../application/read-model/views.ts';
import { machineStates } from '../domain/machine.ts';

/** The forms of what REST answers, by their names in the description. */
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const milliseconds = { type: 'integer', description: 'Milliseconds since the epoch' } as const;
const texts = { type: 'array', items: text } as const;

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const closed = (properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

const late = { ...text, description: 'Why the answer may not be what the caller expects' } as const;

const page = (item: string, more: Readonly<Record<string, unknown>> = {}) =>
  closed(
    {
      items: { type: 'array', items: ref(item) },
      total: count,
      page: { type: 'integer', minimum: 1 },
      page_size: { type: 'integer', minimum: 1 },
      total_pages: count,
      warnings: { ...texts, description: 'Records that are not in the list, and why' },
      ...more,
      _warning: late,
    },
    ['_warning'],
  );

const machine = {
  machineId: text,
  requestId: text,
  name: { ...text, description: 'Empty until EC2 tells it' },
  result: { enum: ['executing', 'succeed', 'fail'] },
  status: { enum: machineStates, description: 'EC2 state' },
  privateIpAddress: text,
  publicIpAddress: text,
  launchTime: { type: 'integer', description: 'Seconds since the epoch; 0 when EC2 never told' },
  message: { ...text, description: 'Why it failed' },
  priceType: { enum: ['ondemand', 'spot'] },
  instanceType: text,
  instanceTags: { ...text, description: 'k=v;k=v' },
} as const;

const request = {
  requestId: text,
  kind: { enum: ['create', 'return'] },
  status: { enum: requestStatuses },
  message: { ...text, description: 'For people' },
  templateId: { ...text, description: 'Not of a return' },
  wanted: { ...count, description: 'Machines asked for, or to be returned' },
  counts: closed({ executing: count, succeed: count, fail: count }),
  createdAt: milliseconds,
  settledAt: milliseconds,
  version: count,
  userId: { ...text, description: 'Who asked, where the caller said so' },
} as const;
const notAlways = ['templateId', 'settledAt', 'userId'] as const;

const problem = closed({ field: text, rule: text });

const finding = closed(
  {
    templateId: text,
    severity: { enum: ['error', 'warning'] },
    field: { ...text, description: 'Its path; empty for the whole' },
    rule: text,
    hint: text,
    line: count,
    column: count,
  },
  ['hint'],
);

const failure = closed({ requestId: text, version: count, type: text, message: text, tries: count }, [
  'version',
  'type',
]);

const projection = { name: { enum: ['requests', 'machines', 'counters'] }, streams: count, events: count } as const;

export const answerSchemas = {
  Request: closed({ ...request, updatedAt: milliseconds }, notAlways),
  RequestPage: page('Request'),
  RequestStatus: closed({ ...request, machines: { type: 'array', items: ref('RequestMachine') }, _warning: late }, [
    ...notAlways,
    'machines',
    '_warning',
  ]),
  RequestMachine: closed(machine),
  Machine: closed({ ...machine, templateId: text }),
  MachinePage: page('Machine'),
  CreatedRequest: closed({ request_id: text, status: { enum: requestStatuses }, version: count, message: text }),
  HostFactoryRequest: closed({ requestId: text, status: { enum: requestStatuses }, version: count, message: text }),
  CreatedReturn: closed({ request_id: text, version: count, message: text }),
  CancelledRequest: closed({ request_id: text, status: { const: 'cancelled' }, version: count }),
  RecordedStatus: closed({ request_id: text, version: count }),
  Event: {
    type: 'object',
    required: ['position', 'requestId', 'version', 'type', 'at'],
    additionalProperties: true,
    description: 'What else it has depends on its type',
    properties: {
      position: { ...text, description: 'Unique, and in the order of time: go on from here' },
      requestId: text,
      version: { ...count, description: 'Place within its request, from 0' },
      type: { ...text, description: 'e.g. RequestCreated' },
      at: milliseconds,
      correlationId: text,
      commandId: text,
      userId: text,
      role: text,
    },
  },
  EventPage: closed(
    {
      items: { type: 'array', items: ref('Event') },
      next: { ...text, description: 'The position to go on from; absent when there was nothing more' },
      warnings: texts,
    },
    ['next'],
  ),
  Template: {
    type: 'object',
    required: ['templateId', 'maxNumber', 'priceType', 'attributes'],
    additionalProperties: true,
    description: 'Fields of awsprov_templates.json in one spelling, with defaults filled in',
    properties: {
      templateId: text,
      maxNumber: { type: 'integer', description: 'Most hosts at a time; -1 for no limit' },
      priceType: { enum: ['ondemand', 'spot', 'heterogeneous'] },
      attributes: { type: 'object', additionalProperties: texts, description: 'e.g. {"ncpus": ["Numeric", "4"]}' },
      imageId: text,
      vmType: text,
      subnetIds: texts,
      securityGroupIds: texts,
      providerApi: { enum: ['RunInstances', 'EC2Fleet', 'SpotFleet', 'ASG'] },
    },
  },
  TemplatePage: page('Template', {
    file: text,
    rejected: { type: 'array', items: closed({ templateId: text, problems: { type: 'array', items: problem } }) },
  }),
  Validation: closed({
    file: text,
    templates: texts,
    isValid: { type: 'boolean', description: 'Whether there is no error; warnings do not count' },
    errors: { type: 'array', items: finding },
    warnings: { type: 'array', items: finding },
  }),
  Projections: closed({
    items: {
      type: 'array',
      items: closed(
        {
          ...projection,
          behind: { ...count, description: 'Requests with events that are not applied yet' },
          failures: { type: 'array', items: failure },
          version: count,
        },
        ['version'],
      ),
    },
  }),
  RebuiltProjections: closed({ items: { type: 'array', items: closed(projection) } }),
  Health: closed({ status: { enum: ['ok', 'stopping'] }, version: text }),
  Problem: closed({
    status: { type: 'integer' },
    title: text,
    detail: { ...text, description: 'For people' },
    code: { ...text, description: 'Stable, for programs' },
  }),
} as const;

export type AnswerName = keyof typeof answerSchemas;
