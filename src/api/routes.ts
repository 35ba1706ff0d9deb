import { machineOnRecord, servedTemplate, uuid } from '../application/bus/shapes.ts';
import { operations } from '../application/operations.ts';
import { PluginError } from '../domain/errors.ts';
import { restAnswers } from './answers.schema.ts';
import {
  expectation,
  expectedOf,
  type Json,
  listing,
  object,
  propertiesOf,
  type Route,
  rename,
  schemasOf,
} from './route.ts';

const plain = { role: 'viewer', bus: 'query', status: 200, method: 'GET', params: {}, query: {} } as const;
const id = { id: propertiesOf('GetRequestStatus')['requestId'] };

/** A list: its own filters beside what all lists understand. */
const list = (
  type: 'ListRequests' | 'ListMachines',
  name: string,
  path: string,
  summary: string,
  filters: Readonly<Record<string, string>>,
  fixed: Json = {},
): Route => {
  const names = { ...filters, ...listing };
  return {
    ...plain,
    name,
    path,
    summary,
    answers: [operations[type].answer],
    query: { ...schemasOf(type, names), ...expectation },
    message: ({ query }) => ({ type, ...rename(query, names), ...expectedOf(query, ''), ...fixed }),
  };
};

const show = (name: string, path: string, summary: string): Route => ({
  ...plain,
  name,
  path,
  summary,
  answers: [operations.GetRequestStatus.answer],
  params: id,
  query: { machines: { type: 'boolean', description: 'Also its machines' }, ...expectation },
  message: ({ params, query }) => {
    const { expected } = expectedOf(query, params['id']);
    const { requestId: _shown, ...version } = expected ?? {};
    return {
      type: 'GetRequestStatus',
      requestId: params['id'],
      includeMachines: query['machines'] === true,
      ...(expected === undefined ? {} : { expected: version }),
    };
  },
});

const commandId = uuid;
const { templateId, maxNumber, attributes } = operations.CreateRequest.input;

const isHostFactoryForm = (body: Json): boolean => body['template'] !== undefined;

const createRequest: Route = {
  ...plain,
  method: 'POST',
  name: 'createRequest',
  path: '/requests',
  answers: [restAnswers.createdRequest, restAnswers.hostFactoryRequest],
  summary: 'Ask for machines; also in Host Factory’s words',
  role: 'operator',
  bus: 'command',
  status: 201,
  body: {
    anyOf: [
      object({ template_id: templateId, max_number: maxNumber, attributes, command_id: commandId }, [
        'template_id',
        'max_number',
      ]),
      object({ template: object({ templateId, machineCount: maxNumber }, ['templateId', 'machineCount']) }, [
        'template',
      ]),
    ],
  },
  message: ({ body }) => {
    if (!isHostFactoryForm(body)) {
      const names = {
        template_id: 'templateId',
        max_number: 'maxNumber',
        attributes: 'attributes',
        command_id: 'commandId',
      };
      return { type: 'CreateRequest', ...rename(body, names) };
    }
    return {
      type: 'CreateRequest',
      ...rename(Object(body['template']), { templateId: 'templateId', machineCount: 'maxNumber' }),
    };
  },
  answer: ({ requestId, ...rest }, { body }) => ({
    ...(isHostFactoryForm(body) ? { requestId } : { request_id: requestId }),
    ...rest,
  }),
};

const returnMachines: Route = {
  ...plain,
  method: 'POST',
  name: 'returnMachines',
  path: '/returns',
  answers: [restAnswers.createdReturn],
  summary: 'Give machines back, by id or name',
  role: 'operator',
  bus: 'command',
  status: 201,
  body: object(
    {
      machines: {
        type: 'array',
        minItems: 1,
        maxItems: 10_000,
        items: {
          type: 'object',
          minProperties: 1,
          additionalProperties: false,
          properties: { name: { type: 'string', maxLength: 256 }, machineId: { type: 'string', maxLength: 64 } },
        },
      },
      command_id: commandId,
    },
    ['machines'],
  ),
  message: ({ body }) => {
    const machines = Array.isArray(body['machines']) ? body['machines'] : [];
    const named = machines.map((each: unknown) => ({ name: '', machineId: '', ...Object(each) }));
    return { type: 'ReturnMachines', ...rename(body, { command_id: 'commandId' }), machines: named, onlyKnown: true };
  },
  answer: ({ requestId, ...rest }) => ({ request_id: requestId, ...rest }),
};

const requestFilters = { status: 'status', template: 'templateId', user: 'requester', kind: 'kind' };
const { status: machineStatus, metadata } = operations.UpdateMachineStatus.input;
const eventNames = { from: 'from', limit: 'limit', type: 'eventType' };
const templateNames = { filters: 'filters' };

/** All of REST. POST and DELETE are commands, GET is a query. */
export const routes: readonly Route[] = [
  list('ListRequests', 'listRequests', '/requests', 'Requests, newest first', requestFilters),
  list(
    'ListRequests',
    'searchRequests',
    '/requests/search',
    'The same; for those who look for a search',
    requestFilters,
  ),
  createRequest,
  show('getRequest', '/requests/:id', 'One request as our records have it'),
  {
    ...plain,
    method: 'DELETE',
    name: 'cancelRequest',
    path: '/requests/:id',
    answers: [restAnswers.cancelledRequest],
    summary: 'End a request that is still running: its machines are terminated',
    role: 'operator',
    bus: 'command',
    params: id,
    query: { reason: operations.CancelRequest.input.reason },
    message: ({ params, query }) => ({
      type: 'CancelRequest',
      requestId: params['id'],
      reason: query['reason'] ?? 'by REST',
    }),
    answer: ({ requestId, ...rest }) => ({ request_id: requestId, ...rest }),
  },
  {
    ...plain,
    name: 'listRequestEvents',
    path: '/requests/:id/events',
    answers: [operations.ListEvents.answer],
    summary: 'What happened to one request, archived or not',
    params: id,
    query: schemasOf('ListEvents', eventNames),
    message: ({ params, query }) => ({ type: 'ListEvents', requestId: params['id'], ...rename(query, eventNames) }),
  },
  {
    ...plain,
    name: 'listEvents',
    path: '/events',
    answers: [operations.ListEvents.answer],
    summary: 'What happened, in the order of time',
    query: schemasOf('ListEvents', eventNames),
    message: ({ query }) => ({ type: 'ListEvents', ...rename(query, eventNames) }),
  },
  list('ListMachines', 'listMachines', '/machines', 'Machines as last seen', {
    status: 'status',
    template: 'templateId',
    request: 'requestId',
  }),
  {
    ...plain,
    name: 'getMachine',
    path: '/machines/:machine',
    answers: [machineOnRecord],
    summary: 'One machine as last seen, by its instance id',
    params: { machine: propertiesOf('ListMachines')['machineId'] },
    message: ({ params }) => ({ type: 'ListMachines', machineId: params['machine'], limit: 1 }),
    answer: ({ items }, { params }) => {
      if (Array.isArray(items) && items.length > 0) return items[0];
      throw new PluginError('machine.not-found', `no machine "${String(params['machine'])}" on record`);
    },
  },
  {
    ...plain,
    method: 'POST',
    name: 'setMachineStatus',
    path: '/machines/:machine/status',
    answers: [restAnswers.recordedStatus],
    summary: 'Record a state somebody saw, when EC2 cannot be asked',
    role: 'admin',
    bus: 'command',
    params: { machine: operations.UpdateMachineStatus.input.machineId },
    body: object({ status: machineStatus, metadata, command_id: commandId }, ['status']),
    message: ({ params, body }) => ({
      type: 'UpdateMachineStatus',
      machineId: params['machine'],
      ...rename(body, { status: 'status', metadata: 'metadata', command_id: 'commandId' }),
    }),
    answer: ({ requestId, ...rest }) => ({ request_id: requestId, ...rest }),
  },
  list(
    'ListRequests',
    'listReturns',
    '/returns',
    'Returns, newest first',
    { status: 'status', user: 'requester' },
    { kind: 'return' },
  ),
  returnMachines,
  show('getReturn', '/returns/:id', 'One return as our records have it'),
  {
    ...plain,
    name: 'listTemplates',
    path: '/templates',
    answers: [operations.ListTemplates.answer],
    summary: 'The templates Host Factory is offered',
    query: {
      filter: {
        type: 'array',
        maxItems: 20,
        items: { type: 'string', pattern: '^\\w+=.*$' },
        description: 'field=value',
      },
      ...schemasOf('ListTemplates', listing),
    },
    message: ({ query }) => {
      const filters = Array.isArray(query['filter']) ? query['filter'].map(String) : [];
      const pairs = filters.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
      return {
        type: 'ListTemplates',
        ...rename(query, { ...listing, ...templateNames }),
        filters: Object.fromEntries(pairs),
      };
    },
  },
  {
    ...plain,
    name: 'getTemplate',
    path: '/templates/:template',
    answers: [servedTemplate],
    summary: 'One template',
    params: { template: operations.ValidateTemplate.input.templateId },
    message: ({ params }) => ({ type: 'ListTemplates', filters: { templateId: String(params['template']) } }),
    answer: ({ items }, { params }) => {
      if (Array.isArray(items) && items.length > 0) return items[0];
      throw new PluginError('template.not-found', `no valid template "${String(params['template'])}"`);
    },
  },
  {
    ...plain,
    method: 'POST',
    name: 'validateTemplate',
    path: '/templates/:template/validate',
    answers: [operations.ValidateTemplate.answer],
    summary: 'Check one template and report every problem',
    bus: 'command',
    params: { template: operations.ValidateTemplate.input.templateId },
    message: ({ params }) => ({ type: 'ValidateTemplate', templateId: params['template'] }),
  },
  {
    ...plain,
    name: 'listProjections',
    path: '/projections',
    answers: [operations.GetProjections.answer],
    summary: 'How far each projection is, and the events it could not apply',
    query: { request: propertiesOf('GetProjections')['requestId'] },
    message: ({ query }) => ({ type: 'GetProjections', ...rename(query, { request: 'requestId' }) }),
  },
  {
    ...plain,
    method: 'POST',
    name: 'rebuildProjection',
    path: '/projections/:name/rebuild',
    answers: [operations.RebuildProjection.answer],
    summary: 'Fold a projection anew from the events',
    role: 'admin',
    bus: 'command',
    params: { name: propertiesOf('RebuildProjection')['name'] },
    message: ({ params }) => ({ type: 'RebuildProjection', name: params['name'] }),
  },
];
