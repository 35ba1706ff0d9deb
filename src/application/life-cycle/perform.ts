import { hasCode, isPluginError, messageOf, type PluginError } from '../../domain/errors.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { deniesEarlierSends } from '../../domain/request/events.ts';
import type { Look, ResourceSight } from '../../domain/request/look.ts';
import type { HeldResource, KnownRequest, Launch } from '../../domain/request/state.ts';
import type { EndOfSearch, Step } from '../../domain/request/step.ts';
import { targetWithout } from '../../domain/request/units.ts';
import type { LaunchReport } from '../ports/capacity.ts';
import type { Policy } from '../ports/policy.ts';
import { keeperOf, unlessFault } from './keepers.ts';
import { lookAgain } from './look.ts';
import type { LifeCyclePorts } from './ports.ts';
import { terminateMachines } from './terminate.ts';

export interface PerformPorts extends Pick<LifeCyclePorts, 'clock' | 'hosts' | 'log' | 'providers'> {
  readonly policy: Pick<Policy, 'consistencyWindow'>;
}

/** What came of a step: what to record, and what is known after it. */
interface Outcome {
  readonly commands: readonly RequestCommand[];
  readonly look: Look;
}

type Only<D extends Step['do']> = Extract<Step, { do: D }>;

/** Faults after which the same call may well succeed at the next look. */
const isPassing = (error: PluginError): boolean =>
  hasCode(error, 'provider.throttled', 'provider.transient', 'provider.unreachable');

/**
 * Does one step at AWS. What only delays a request is logged. What leaves its state unknown is thrown, `provider.*`, and
 * met again at the next look.
 */
export const perform = async (
  ports: PerformPorts,
  id: string,
  request: KnownRequest,
  step: Step,
  look: Look,
): Promise<Outcome> => {
  switch (step.do) {
    case 'send':
      return { commands: await send(ports, request, step.launch), look };
    case 'resend':
      return { commands: await resend(ports, request, step), look };
    case 'launch':
      return prepare(ports, id, request, step, look);
    case 'tag':
      await tag(ports, id, request, step);
      return { commands: [], look };
    case 'look-again':
      return { commands: [], look: await lookAgain(ports, id, request, step.resource, look) };
    case 'end-search':
      return { commands: [], look: await endSearch(ports, step, look) };
    case 'close':
      return { commands: [{ type: 'ChangeResource', now: ports.clock(), ...step.end }], look };
    case 'aim': {
      const keeper = await keeperOf(ports, step.resource.kind);
      await unlessFault(ports.log, step.resource, keeper.aim(step.resource, step.hold));
      return { commands: [], look };
    }
    case 'remove':
      return { commands: await remove(ports, step.resource), look };
    case 'terminate':
      return { commands: await terminate(ports, id, request, step), look };
    case 'leave-group':
      return { commands: await leaveGroup(ports, request, step), look };
    case 'tag-with-id':
      await tagWithId(ports, step.machineIds);
      return { commands: [], look };
    case 'explain': {
      const keeper = await keeperOf(ports, step.resource.kind);
      const shortage = await unlessFault(ports.log, step.resource, keeper.explain(step.resource));
      return { commands: [{ type: 'ExplainSearch', now: look.at, resourceId: step.resource.id, shortage }], look };
    }
  }
};

/**
 * `unknown`: nobody knows what became of the launch; its intent stays open, and the next look at the request finds out.
 * `throttled`: AWS turned it away unread, so it made nothing.
 */
const call = async (
  { providers, log }: PerformPorts,
  request: KnownRequest,
  launch: Launch,
  isRepeat: boolean,
): Promise<LaunchReport | 'unknown' | 'throttled'> => {
  const provider = await providers(launch.api ?? request.providerApi);
  try {
    return await provider.launch(launch, isRepeat);
  } catch (error) {
    if (!hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
    log.warn('launch.unknown', messageOf(error), { clientToken: launch.clientToken, aws: error.aws });
    // What makes a fleet or group takes several calls: of these an earlier one may have been heard.
    return error.code === 'provider.throttled' && launch.makesResource !== true ? 'throttled' : 'unknown';
  }
};

const recordOf = ({ clock }: PerformPorts, { clientToken }: Launch, report: LaunchReport): RequestCommand => {
  const { machines: granted, resource, refusal, tryNextPool } = report;
  return {
    type: 'RecordLaunch',
    now: clock(),
    clientToken,
    granted,
    ...(resource === undefined ? {} : { resource }),
    ...(refusal === undefined ? {} : { refusal: { ...refusal, ...(tryNextPool ? { tryNextPool } : {}) } }),
  };
};

const throttled = ({ clock }: PerformPorts, { clientToken }: Launch, times: number): RequestCommand => ({
  type: 'ThrottleLaunch',
  now: clock(),
  clientToken,
  times,
});

const send = async (ports: PerformPorts, request: KnownRequest, launch: Launch): Promise<readonly RequestCommand[]> => {
  const report = await call(ports, request, launch, false);
  if (report === 'unknown') return [];
  return [report === 'throttled' ? throttled(ports, launch, 1) : recordOf(ports, launch, report)];
};

const resend = async (
  ports: PerformPorts,
  request: KnownRequest,
  { launch, otherwise }: Only<'resend'>,
): Promise<readonly RequestCommand[]> => {
  const report = await call(ports, request, launch, true);
  const { throttled: times = 0 } = launch;
  // Turned away unread each time: it made nothing yet.
  if (report === 'throttled' && times > 0) return [throttled(ports, launch, times + 1)];
  const isCertain = typeof report === 'object' && (report.refusal === undefined || deniesEarlierSends(report.refusal));
  return isCertain ? [recordOf(ports, launch, report)] : otherwise;
};

/** What passes is tried again at the next look; what does not withholds no machine that is there. */
const withoutTrouble =
  ({ log }: PerformPorts, requestId: string) =>
  (error: unknown) => {
    if (!isPluginError(error) || hasCode(error, 'provider.throttled', 'provider.transient')) throw error;
    log.error('launch.unprepared', messageOf(error), { requestId });
    return { trouble: messageOf(error) };
  };

/** Renders the launch and puts it on record; it is sent after that. */
const prepare = async (
  ports: PerformPorts,
  requestId: string,
  { attributes, launches: earlier }: KnownRequest,
  { template, api, count, instead }: Only<'launch'>,
  look: Look,
): Promise<Outcome> => {
  const now = ports.clock();
  const provider = await ports.providers(api);
  const launch = await provider
    .prepare({ requestId, template, attributes, count, earlier })
    .catch(withoutTrouble(ports, requestId));
  if (launch === undefined || 'trouble' in launch) {
    if (instead === undefined) return { commands: [], look: { ...look, noPoolLeft: true } };
    return { commands: [{ type: 'ChangeResource', now, ...withReason(instead, launch?.trouble) }], look };
  }
  const intent: RequestCommand =
    instead === undefined
      ? { type: 'IntendLaunch', now, launch }
      : { type: 'ChangeResource', now, ...instead, rest: launch };
  return { commands: [intent], look: { ...look, prepared: new Set([...look.prepared, launch.clientToken]) } };
};

const withReason = (end: EndOfSearch, message = end.refusal?.message): EndOfSearch =>
  end.refusal === undefined || message === undefined ? end : { ...end, refusal: { ...end.refusal, message } };

const tag = async (
  ports: PerformPorts,
  requestId: string,
  { template, attributes }: KnownRequest,
  { resource, machineIds }: Only<'tag'>,
): Promise<void> => {
  const { kind, id, adoption } = resource;
  if (adoption === undefined)
    ports.log.warn('machine.unmarked', `EC2 shows no tag of ours on machines of ${kind} ${id}: tagged again`, {
      requestId,
      machineIds,
    });
  const keeper = await keeperOf(ports, kind);
  await unlessFault(ports.log, resource, keeper.tag(resource, machineIds, { requestId, template, attributes }));
};

/**
 * What AWS does not let go of is no reason to withhold machines that are there: it stays in the ledger, gives up machines as a group
 * does, and the sweep asks again for its end. A search that ended short may still bring something: there a fault that passes is
 * waited for, and after any other its time has to be over.
 */
const endSearch = async (
  ports: PerformPorts,
  { resource, hold, isShort, mayStay }: Only<'end-search'>,
  look: Look,
): Promise<Look> => {
  const keeper = await keeperOf(ports, resource.kind);
  const why = isShort ? await unlessFault(ports.log, resource, keeper.explain(resource)) : undefined;
  const reason = why === undefined ? {} : { why };
  try {
    return withEnd(look, resource, { stage: await keeper.end(resource, hold, isShort), ...reason });
  } catch (error) {
    if (!isPluginError(error) || (isShort && isPassing(error))) throw error;
    const { kind, id } = resource;
    ports.log.warn('resource.left', `${kind} ${id} is left for now: ${messageOf(error)}`, { aws: error.aws });
    return mayStay ? withEnd(look, resource, { stage: 'holding', ...reason }) : look;
  }
};

const withEnd = (look: Look, { id }: HeldResource, ended: NonNullable<ResourceSight['ended']>): Look => {
  const sight = look.resources.get(id);
  return sight === undefined ? look : { ...look, resources: new Map([...look.resources, [id, { ...sight, ended }]]) };
};

/** What cannot go now is asked for again at the next look, and by the sweep. */
const remove = async (ports: PerformPorts, resource: HeldResource): Promise<readonly RequestCommand[]> => {
  const keeper = await keeperOf(ports, resource.kind);
  const removal = keeper.remove(resource).then(() => true);
  if ((await unlessFault(ports.log, resource, removal)) !== true) return [];
  return [{ type: 'ChangeResource', now: ports.clock(), resourceId: resource.id, stage: 'deleted' }];
};

const terminate = async (
  ports: PerformPorts,
  requestId: string,
  request: KnownRequest,
  { machines, late, reason }: Only<'terminate'>,
): Promise<readonly RequestCommand[]> => {
  const { log, clock } = ports;
  if (late.length > 0) log.warn('machine.given-up', reason, { requestId, machineIds: late });
  const { refused, foreign } = await terminateMachines(ports, request, machines);
  for (const [machineId, why] of refused) log.error('machine.refused', why, { requestId, machineId });
  if (foreign.length === 0) return [];
  const disowned = `${reason}; not terminated: it does not carry this provider's ownership tag`;
  log.warn('machine.disowned', disowned, { requestId, machineIds: foreign });
  // Nothing more is to be expected of them.
  return [{ type: 'Disown', now: clock(), machineIds: foreign, reason: disowned }];
};

/** What the group does not let go now is asked for again at the next look, and by the sweep. */
const leaveGroup = async (
  ports: PerformPorts,
  request: KnownRequest,
  { resource, machineIds }: Only<'leave-group'>,
): Promise<readonly RequestCommand[]> => {
  const keeper = await keeperOf(ports, resource.kind);
  const target = targetWithout(request, resource, new Set(machineIds));
  const outcome = await unlessFault(ports.log, resource, keeper.terminate(resource, machineIds, target));
  if (outcome === undefined) return [];
  for (const [machineId, why] of outcome.refused) ports.log.warn('machine.counted', why, { machineId });
  return [{ type: 'LeaveGroup', now: ports.clock(), machineIds: machineIds.filter((id) => !outcome.refused.has(id)) }];
};

/** A tag less is no reason to withhold a host: it is said in the log. */
const tagWithId = async ({ hosts, log }: PerformPorts, machineIds: readonly string[]): Promise<void> => {
  try {
    await (await hosts()).tagWithOwnId(machineIds);
  } catch (error) {
    log.warn('machine.untagged', messageOf(error), { machineIds });
  }
};
