import { excerpt, PluginError } from '../../domain/errors.ts';
import { isInstanceId, isReturnId } from '../../domain/ids.ts';
import { hasEnded, type Machine, type Observation } from '../../domain/machine.ts';
import type { RefusalFault, RequestEvent } from '../../domain/request/events.ts';
import { listed, nextStep } from '../../domain/request/next-step.ts';
import type { KnownRequest } from '../../domain/request/state.ts';
import { fillingResources, unresolvedLaunches } from '../../domain/request/units.ts';
import type { ReturnEvent, ReturnItem } from '../../domain/return/events.ts';
import { nextReturnStep } from '../../domain/return/next-step.ts';
import { localTime } from '../../domain/time-text.ts';
import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { anyId, texts, time, words } from '../bus/shapes.ts';
import { isProtected } from '../life-cycle/protection.ts';
import { foldRequest, foldReturn, isReturnEvent } from '../life-cycle/streams.ts';
import type { LaunchFailures } from '../ports/memory.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { ReadModel } from '../ports/read-model.ts';
import type { RecordedEvent, StreamEvent, StreamReader } from '../ports/streams.ts';
import type { MachineRow } from '../projections/machines.ts';
import { isoTime } from '../read-model/iso-times.ts';
import { viewOf } from '../read-model/views.ts';

export const explain = defineOperation({
  name: 'Explain',
  bus: 'query',
  role: 'viewer',
  title: 'Explain what happened to a request, return or machine, and what to do',
  input: { id: { ...anyId, description: 'Id of a request, return or machine' } },
  required: ['id'],
  answer: closed(
    {
      id: words,
      steps: listOf(
        closed({ at: time, after: { type: 'integer', description: 'Milliseconds since the first step' }, text: words }),
      ),
      now: { ...words, description: 'Its state now' },
      due: {
        ...closed({ do: words, text: words }),
        description: 'What the program will do next, if anything',
      },
      next: { ...texts, description: 'What to do; empty when nothing is wrong' },
    },
    ['due'],
  ),
});

export type ExplainAnswer = FromSchema<typeof explain.answer>;

const observationText = ({ machineId, state, name, instanceType, reason = '' }: Observation): string =>
  [machineId, state, instanceType, name, hasEnded(state) ? reason : ''].filter((part) => part !== '').join(' ');

/** `12 terminated, 1 running`: how often each text is there. */
const countsOf = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts)].map((each) => `${texts.filter((text) => text === each).length} ${each}`);

/** The same state of many machines in one line. */
const observationsText = (machines: readonly Observation[]): string => {
  if (machines.length <= 4) return machines.map(observationText).join('; ');
  const states = machines.map(({ state, reason = '' }) =>
    hasEnded(state) && reason !== '' ? `${state} (${reason})` : state,
  );
  return countsOf(states).join(', ');
};

const remarksText = (metadata: Readonly<Record<string, string>>): string => {
  const remarks = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  return remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
};

const requestText = (event: RequestEvent, userId: string | undefined): string => {
  switch (event.type) {
    case 'RequestCreated':
      return `asked for ${event.wanted} of template ${event.template.templateId}, to be had from ${event.providerApi}`;
    case 'LaunchIntended':
      return `recorded: a launch of ${event.launch.count}, ${event.launch.pool}; AWS is asked next`;
    case 'LaunchThrottled':
      return 'AWS throttled the launch: nothing was launched, it will be sent again';
    case 'LaunchRepeated':
      return 'the answer to the launch was lost: sent again with the same token';
    case 'CapacityGranted':
      return `AWS granted ${event.machines.length}: ${listed(event.machines.map(({ machineId }) => machineId))}`;
    case 'ResourceCreated':
      return `${event.resource.kind} ${event.resource.id} looks for capacity until ${localTime(event.resource.expiresAt)}`;
    case 'ResourceChanged':
      return `${event.resourceId} ${event.stage === 'deleted' ? 'is done with' : `is ${event.stage}`}`;
    case 'CapacityRefused': {
      const { missing, code, message, pool, awsRequestId } = event.refusal;
      const id = awsRequestId === undefined ? '' : ` (AWS request id ${awsRequestId})`;
      return `AWS refused ${missing}, ${pool}: ${code}: ${message}${id}`;
    }
    case 'SearchExplained': {
      const { resourceId, shortage } = event;
      const reason = shortage === undefined ? 'AWS gave no reason' : `AWS says: ${shortage.message}`;
      return `${resourceId} finds no more for now: ${reason}`;
    }
    case 'MachinesObserved':
      return `EC2 showed: ${observationsText(event.machines)}`;
    case 'MachinesMissed':
      return `EC2 did not show ${listed(event.machineIds)}`;
    case 'MachinesGivenUp':
      return `given up and terminated: ${listed(event.machineIds)}: ${event.reason}`;
    case 'MachinesDisowned':
      return `left alone: ${listed(event.machineIds)}: ${event.reason}`;
    case 'MachinesLeftGroup':
      return `no longer counted by the Auto Scaling group: ${listed(event.machineIds)}`;
    case 'MachineStatusReported':
      return `${userId ?? 'somebody'} recorded that ${event.machineId} is ${event.status}${remarksText(event.metadata)}`;
    case 'MachinesReturned':
      return `given back by ${event.returnId}: ${listed(event.machineIds)}`;
    case 'RequestClaimed':
      return 'its status was asked for the first time, so its id has reached the caller';
    case 'RequestCancelled':
      return `cancelled: ${event.reason}`;
    case 'RequestCompleted':
      return 'the request is over: Host Factory gets this answer from now on';
  }
};

const itemText = ({ key, verdict, message, last }: ReturnItem): string =>
  [key, verdict === 'foreign' ? 'is not ours' : verdict, last?.state ?? '', message]
    .filter((part) => part !== '')
    .join(' ');

const returnText = (event: ReturnEvent): string => {
  if (event.type === 'ReturnCompleted') return 'the return is over: every machine is accounted for';
  const verb = event.type === 'ReturnRequested' ? 'Host Factory gave back' : 'EC2 showed';
  return `${verb} ${event.items.length}: ${event.items.slice(0, 4).map(itemText).join('; ')}`;
};

/** An event in words. */
export const eventText = (event: StreamEvent & Pick<RecordedEvent, 'userId'>): string =>
  isReturnEvent(event) ? returnText(event) : requestText(event, event.userId);

const advice: Readonly<Record<RefusalFault, string>> = {
  'provider.capacity':
    'AWS lacks capacity there: name more subnets or, in a fleet, more instance types in the template',
  'provider.quota': "the account's quota is used up: ask AWS to raise it (Service Quotas), or return machines",
  'provider.denied': 'the credentials may not do this: hf-aws doctor names the missing permission',
  'provider.misconfigured': 'AWS does not accept the template: hf-aws templates validate {template} --aws',
  'provider.missing': 'something the template names is gone: hf-aws templates validate {template} --aws',
  'provider.unreachable': 'AWS could not be reached: hf-aws doctor looks at network, proxy and endpoint',
};

/** Ended without us: neither given back, nor given up, nor cancelled. */
const died = (request: KnownRequest): readonly Machine[] =>
  request.cancelled === undefined ? [...request.machines.values()].filter(hasDied) : [];

const hasDied = ({ state, returnId, givenUp }: Machine): boolean =>
  hasEnded(state) && returnId === undefined && givenUp === undefined;

const deaths: readonly (readonly [reason: RegExp, advice: string])[] = [
  [
    /UserInitiated/,
    'somebody else ended machines through the EC2 API: CloudTrail shows who called TerminateInstances or StopInstances',
  ],
  [/InstanceInitiated/, 'machines shut themselves down: look at their user data and image'],
  [
    /^Client\.InternalError/,
    'EC2 could not start machines (Client.InternalError): most often it may not use the key of an encrypted volume; look at the policy of the KMS key',
  ],
  [/Spot/, 'AWS took spot machines back: name more instance types and subnets, or set percentOnDemand'],
];

const deathAdvice = (machines: readonly Machine[]): readonly string[] => [
  ...new Set(
    machines.map(({ reason = 'none' }) => {
      const [, known] = deaths.find(([form]) => form.test(reason)) ?? [];
      return known ?? `machines ended without being returned; the reason EC2 gives is ${reason}`;
    }),
  ),
];

/** How many machines died, and of what. */
const deathText = (request: KnownRequest): string => {
  const dead = died(request);
  if (dead.length === 0) return '';
  const reasons = countsOf(dead.map(({ reason = 'for a reason that EC2 did not report' }) => reason));
  return ` ${dead.length} of ${request.machines.size} machines died: ${reasons.join(', ')}.`;
};

const lateAdvice =
  'machines did not come up in time: look at their image and network, or raise AWS_INSTANCE_PENDING_TIMEOUT_SEC';

/** What to do about a template that launches nothing since its machines failed. */
const protectionAdvice = async ({ failures, policy }: ExplainPorts, templateId: string): Promise<readonly string[]> => {
  const noted = await failures.of(templateId);
  if (!isProtected(policy, noted)) return [];
  const minutes = Math.ceil((policy.protectFor - noted.age) / 60_000);
  return [
    `template ${templateId} launches nothing for ${minutes} min more, since its last ${noted.machineIds.length} machines failed: when it is mended, hf-aws offerings clear --template ${templateId}`,
  ];
};

const adviceFor = (id: string, request: KnownRequest): readonly string[] => {
  const { template, refusals, machines } = request;
  const shortages = fillingResources(request).flatMap(({ explained }) => explained?.shortage ?? []);
  const faults = [...new Set([...refusals, ...shortages].map(({ fault }) => fault))];
  const givenUp = [...machines.values()].some((machine) => machine.givenUp !== undefined);
  return [
    ...faults.map((fault) => advice[fault].replace('{template}', template.templateId)),
    ...(unresolvedLaunches(request).length > 0
      ? [`AWS has not confirmed a launch: hf-aws requests show ${id} looks it up now`]
      : []),
    ...(givenUp ? [lateAdvice] : []),
    ...deathAdvice(died(request)),
  ];
};

/** What of an event concerns one machine. */
const concerning = (machineId: string, event: StreamEvent): StreamEvent | undefined => {
  if ('machines' in event) {
    const machines = event.machines.filter((each) => each.machineId === machineId);
    return machines.length === 0 ? undefined : { ...event, machines };
  }
  if ('items' in event) {
    const items = event.items.filter((each) => each.machineId === machineId);
    return items.length === 0 ? undefined : { ...event, items };
  }
  if ('machineIds' in event)
    return event.machineIds.includes(machineId) ? { ...event, machineIds: [machineId] } : undefined;
  if ('machineId' in event) return event.machineId === machineId ? event : undefined;
  return event.type === 'RequestCreated' ? event : undefined;
};

const stepsOf = (events: readonly StreamEvent[]): ExplainAnswer['steps'] => {
  const sorted = [...events].sort((a, b) => a.at - b.at);
  const start = sorted[0]?.at ?? 0;
  return sorted.map((event) => ({ at: isoTime(event.at), after: event.at - start, text: eventText(event) }));
};

export interface ExplainPorts {
  readonly failures: Pick<LaunchFailures, 'of'>;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly streams: StreamReader;
  readonly readModel: Pick<ReadModel, 'read'>;
}

const isRow = (value: unknown): value is Pick<MachineRow, 'requestId'> =>
  typeof value === 'object' && value !== null && 'requestId' in value;

/** The request that holds the machine. */
const ownerOf = async ({ readModel }: ExplainPorts, machineId: string): Promise<string> => {
  const { rows } = await readModel.read('machines');
  const row: unknown = JSON.parse(rows.find((each) => each.includes(`"machineId":"${machineId}"`)) ?? 'null');
  if (!isRow(row)) throw new PluginError('machine.not-found', `no machine "${excerpt(machineId)}" is on record`);
  return row.requestId;
};

const returnsOf = (events: readonly StreamEvent[]): readonly string[] => [
  ...new Set(events.flatMap((event) => (event.type === 'MachinesReturned' ? [event.returnId] : []))),
];

const explainMachine = async (ports: ExplainPorts, machineId: string): Promise<ExplainAnswer> => {
  const requestId = await ownerOf(ports, machineId);
  const created = await ports.streams.load(requestId);
  const own = created.events.flatMap((event) => concerning(machineId, event) ?? []);
  const given = await Promise.all(returnsOf(own).map((id) => ports.streams.load(id)));
  const events = [
    ...own,
    ...given.flatMap((each) => each.events.flatMap((event) => concerning(machineId, event) ?? [])),
  ];
  const request = foldRequest(created);
  const machine = request.stage === 'absent' ? undefined : request.machines.get(machineId);
  const returns = given.map(foldReturn);
  const items = returns.flatMap((each) => (each.stage === 'absent' ? [] : [...each.items.values()]));
  const isGone = items.some((item) => item.machineId === machineId && item.verdict === 'gone');
  const observed = machine === undefined ? '' : observationText(machine);
  const now = isGone ? `${machineId} is gone, as asked` : `${observed}, of ${requestId}`;
  const alone =
    machine === undefined ? [] : machine.givenUp === undefined ? deathAdvice([machine].filter(hasDied)) : [lateAdvice];
  const next =
    machine?.returnId === undefined || isGone
      ? alone
      : [`EC2 has not confirmed its end yet: hf-aws requests show ${machine.returnId} asks again`];
  return { id: machineId, steps: stepsOf(events), now, next };
};

/** What happened to a request or machine, in words, and what to do. Throws `request.not-found` or `machine.not-found`. */
export const explainHandler =
  (ports: ExplainPorts): HandlerOf<typeof explain> =>
  async ({ id }) => {
    if (isInstanceId(id)) return explainMachine(ports, id);
    const stream = await ports.streams.load(id);
    const view = viewOf(id, stream);
    if (view === undefined) throw new PluginError('request.not-found', `no request "${excerpt(id)}"`);
    const steps = stepsOf(stream.events);
    const now = `${view.status}: ${view.message}`;
    if (isReturnId(id)) {
      const due = nextReturnStep(foldReturn(stream));
      return { id, steps, now, ...(due === undefined ? {} : { due }), next: [] };
    }
    const request = foldRequest(stream);
    if (request.stage === 'absent') return { id, steps, now, next: [] };
    const next = [...adviceFor(id, request), ...(await protectionAdvice(ports, request.template.templateId))];
    const due = nextStep(request, ports.clock(), ports.policy);
    return { id, steps, now: `${now}${deathText(request)}`, ...(due === undefined ? {} : { due }), next };
  };
