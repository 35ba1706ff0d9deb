import { machineOnRecord, servedTemplate, uuid } from '../application/bus/shapes.ts';
import { operations } from '../application/operations.ts';
import { PluginError } from '../domain/errors.ts';
import { hostFactoryRequest } from './answers.schema.ts';
import { type Call, type Json, object, type Route, rename, routeOf } from './route.ts';

const byId = { id: 'requestId' };
const eventNames = { from: 'from', limit: 'limit', type: 'eventType' };
const requestFilters = { status: 'status', template: 'templateId', user: 'requester', kind: 'kind' };
const { templateId, maxNumber } = operations.CreateRequest.input;

const isHostFactoryForm = (body: Json): boolean => body['template'] !== undefined;

const askForMachines = routeOf('CreateRequest', {
  name: 'createRequest',
  path: '/requests',
  summary: 'Ask for machines; also in Host Factory’s words',
  status: 201,
  body: { template_id: 'templateId', max_number: 'maxNumber', attributes: 'attributes' },
  answer: 'CreatedRequest',
});

/** Host Factory's own form beside that of REST, each answered in its words. */
const createRequest: Route = {
  ...askForMachines,
  answers: [...askForMachines.answers, hostFactoryRequest],
  body: {
    anyOf: [
      askForMachines.body,
      object({ template: object({ templateId, machineCount: maxNumber }, ['templateId', 'machineCount']) }, [
        'template',
      ]),
    ],
  },
  message: (call) =>
    isHostFactoryForm(call.body)
      ? {
          type: 'CreateRequest',
          ...rename(Object(call.body['template']), { templateId: 'templateId', machineCount: 'maxNumber' }),
        }
      : askForMachines.message(call),
  answer: (answer, call) => (isHostFactoryForm(call.body) ? answer : askForMachines.answer?.(answer, call)),
};

/** By id or by name, as the caller knows them. */
const machines = {
  type: 'array',
  minItems: 1,
  maxItems: 10_000,
  items: {
    ...operations.ReturnMachines.input.machines.items,
    required: [],
    minProperties: 1,
  },
};

const giveBack = routeOf('ReturnMachines', {
  name: 'returnMachines',
  path: '/returns',
  status: 201,
  body: { machines: 'machines' },
  otherwise: { onlyKnown: true },
  answer: 'CreatedReturn',
});

const returnMachines: Route = {
  ...giveBack,
  body: object({ machines, command_id: uuid }, ['machines']),
  message: (call) => {
    const given = Array.isArray(call.body['machines']) ? call.body['machines'] : [];
    const whole = given.map((each: unknown) => ({ name: '', machineId: '', ...Object(each) }));
    return giveBack.message({ ...call, body: { ...call.body, machines: whole } });
  },
};

/** The only item of a list. */
const one =
  (notFound: (params: Json) => PluginError) =>
  ({ items }: Json, { params }: Call): unknown => {
    if (Array.isArray(items) && items.length > 0) return items[0];
    throw notFound(params);
  };

const getMachine: Route = {
  ...routeOf('ListMachines', { name: 'getMachine', path: '/machines/:machine', params: { machine: 'machineId' } }),
  summary: 'One machine as last seen, by its instance id',
  answers: [machineOnRecord],
  query: {},
  answer: one(({ machine }) => new PluginError('machine.not-found', `no machine "${String(machine)}" on record`)),
};

const listTemplates = routeOf('ListTemplates', { name: 'listTemplates', path: '/templates' });

/** `filter=field=value`, any number of times. */
const searchTemplates: Route = {
  ...listTemplates,
  query: {
    filter: {
      type: 'array',
      maxItems: 20,
      items: { type: 'string', pattern: '^\\w+=.*$' },
      description: 'field=value',
    },
    ...listTemplates.query,
  },
  message: (call) => {
    const given = call.query['filter'];
    const texts = Array.isArray(given) ? given.map(String) : [];
    const pairs = texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
    return { ...listTemplates.message(call), filters: Object.fromEntries(pairs) };
  },
};

const getTemplate: Route = {
  ...listTemplates,
  name: 'getTemplate',
  path: '/templates/:template',
  summary: 'One template',
  answers: [servedTemplate],
  params: { template: operations.ValidateTemplate.input.templateId },
  query: {},
  message: ({ params }) => ({ type: 'ListTemplates', filters: { templateId: String(params['template']) } }),
  answer: one(({ template }) => new PluginError('template.not-found', `no valid template "${String(template)}"`)),
};

/** All of REST. POST and DELETE are commands, GET is a query. */
export const routes: readonly Route[] = [
  routeOf('ListRequests', { name: 'listRequests', path: '/requests', query: requestFilters }),
  routeOf('ListRequests', {
    name: 'searchRequests',
    path: '/requests/search',
    summary: 'The same; for those who look for a search',
    query: requestFilters,
  }),
  createRequest,
  routeOf('GetRequestStatus', {
    name: 'getRequest',
    path: '/requests/:id',
    params: byId,
    query: { machines: 'includeMachines' },
  }),
  routeOf('CancelRequest', {
    name: 'cancelRequest',
    method: 'DELETE',
    path: '/requests/:id',
    params: byId,
    query: { reason: 'reason' },
    otherwise: { reason: 'by REST' },
    answer: 'CancelledRequest',
  }),
  routeOf('ListEvents', {
    name: 'listRequestEvents',
    path: '/requests/:id/events',
    summary: 'What happened to one request, archived or not',
    params: byId,
    query: eventNames,
  }),
  routeOf('Explain', { name: 'explainRequest', path: '/requests/:id/explanation', params: { id: 'id' } }),
  routeOf('ListEvents', { name: 'listEvents', path: '/events', query: eventNames }),
  routeOf('ListMachines', {
    name: 'listMachines',
    path: '/machines',
    query: { status: 'status', template: 'templateId', request: 'requestId' },
  }),
  getMachine,
  routeOf('UpdateMachineStatus', {
    name: 'setMachineStatus',
    path: '/machines/:machine/status',
    params: { machine: 'machineId' },
    body: { status: 'status', metadata: 'metadata' },
    answer: 'RecordedStatus',
  }),
  routeOf('ListRequests', {
    name: 'listReturns',
    path: '/returns',
    summary: 'Returns, newest first',
    query: { status: 'status', user: 'requester' },
    otherwise: { kind: 'return' },
  }),
  returnMachines,
  routeOf('GetRequestStatus', {
    name: 'getReturn',
    path: '/returns/:id',
    summary: 'Show one return as our records have it',
    params: byId,
    query: { machines: 'includeMachines' },
  }),
  searchTemplates,
  getTemplate,
  routeOf('ValidateTemplate', {
    name: 'validateTemplate',
    path: '/templates/:template/validate',
    summary: 'Check one template and report every problem',
    params: { template: 'templateId' },
  }),
  routeOf('GetUsage', { name: 'getUsage', path: '/usage', query: { from: 'from', by: 'by' } }),
  routeOf('ListPrices', { name: 'listPrices', path: '/prices' }),
  routeOf('RefreshPrices', { name: 'refreshPrices', path: '/prices/refresh' }),
  routeOf('GetOverview', { name: 'getOverview', path: '/overview', query: { hours: 'hours' } }),
  routeOf('ListAlerts', {
    name: 'listAlerts',
    path: '/alerts',
    query: { silent_minutes: 'silentMinutes', refused_minutes: 'refusedMinutes' },
  }),
  routeOf('ListOfferings', { name: 'listOfferings', path: '/offerings' }),
  routeOf('ClearOfferings', {
    name: 'clearOfferings',
    method: 'DELETE',
    path: '/offerings',
    query: { type: 'instanceType', template: 'templateId' },
  }),
  routeOf('GetProjections', { name: 'listProjections', path: '/projections', query: { request: 'requestId' } }),
  routeOf('RebuildProjection', {
    name: 'rebuildProjection',
    path: '/projections/:name/rebuild',
    summary: 'Fold a projection anew from the events',
    params: { name: 'name' },
  }),
];
