import { differs, hasEnded, type Machine, type Observation, resultOf, withObservation } from '../machine.ts';
import type { RequestCommand } from './commands.ts';
import type { RequestEvent } from './events.ts';
import type { KnownRequest, Request } from './state.ts';
import {
  fillingResources,
  givenUpButAlive,
  isBetweenPools,
  isExplanationDue,
  isUnclaimed,
  missingUnits,
  unresolvedLaunches,
  unsoughtUnits,
} from './units.ts';

const goneReason = 'Client.InstanceUnknown: no longer known to EC2';

/** What a look that did not show a machine makes of it. */
const unshown = (known: Machine, now: number, consistencyWindow: number | undefined): 'missed' | 'gone' | undefined => {
  if (consistencyWindow === undefined) return undefined;
  const { missedSince, state } = known;
  // A time that lies ahead was noted by a clock that was wrong.
  if (missedSince === undefined || missedSince > now) return 'missed';
  const hasPassed = now - Math.max(missedSince, launchedAt(known)) >= consistencyWindow;
  return hasPassed && !hasEnded(state) ? 'gone' : undefined;
};

const observe = (
  request: KnownRequest,
  { now, asked, seen, consistencyWindow }: Extract<RequestCommand, { type: 'Observe' }>,
): readonly RequestEvent[] => {
  const found = new Map(seen.map((observation) => [observation.machineId, observation]));
  const changed: Observation[] = [];
  const missed: string[] = [];
  for (const machineId of asked) {
    const known = request.machines.get(machineId);
    const observation = found.get(machineId);
    if (known === undefined) continue;
    if (observation !== undefined) {
      if (differs(known, withObservation(known, observation))) changed.push(observation);
      continue;
    }
    const fate = unshown(known, now, consistencyWindow);
    if (fate === 'missed') missed.push(machineId);
    if (fate === 'gone') {
      const { missedSince: _gone, returnId: _kept, givenUp: _also, disowned: _too, ...last } = known;
      changed.push({ ...last, state: 'terminated', reason: goneReason });
    }
  }
  const events: RequestEvent[] = [];
  if (changed.length > 0) events.push({ type: 'MachinesObserved', at: now, machines: changed });
  if (missed.length > 0) events.push({ type: 'MachinesMissed', at: now, machineIds: missed });
  return events;
};

const launchedAt = ({ launchTime = 0 }: Machine): number => launchTime * 1000;

const recordLaunch = (
  request: KnownRequest,
  { now, clientToken, granted, resource, refusal }: Extract<RequestCommand, { type: 'RecordLaunch' }>,
): readonly RequestEvent[] => {
  const resolved = request.launches.some((launch) => launch.clientToken === clientToken && launch.resolved);
  const fresh = granted.filter(({ machineId }) => !request.machines.has(machineId));
  const events: RequestEvent[] = [];
  if (resource !== undefined && !request.resources.some(({ id }) => id === resource.id)) {
    events.push({ type: 'ResourceCreated', at: now, clientToken, resource });
  }
  if (fresh.length > 0) events.push({ type: 'CapacityGranted', at: now, clientToken, machines: fresh });
  if (refusal !== undefined && !resolved) events.push({ type: 'CapacityRefused', at: now, clientToken, refusal });
  return events;
};

/** The machines of the request among these ids for which the change is news. */
const heldBut = (
  { machines }: KnownRequest,
  ids: readonly string[],
  isSo: (machine: Machine) => boolean,
): readonly string[] =>
  ids.filter((id) => {
    const machine = machines.get(id);
    return machine !== undefined && !isSo(machine);
  });

/** Of two processes that end a search for capacity, the first to record it asks for the rest. */
const changeResource = (
  request: KnownRequest,
  { now: at, resourceId, stage, refusal, rest }: Extract<RequestCommand, { type: 'ChangeResource' }>,
): readonly RequestEvent[] => {
  const resource = request.resources.find(({ id }) => id === resourceId);
  if (resource === undefined || resource.stage === stage) return [];
  const missing = unsoughtUnits(request);
  if (rest !== undefined && rest.count !== missing) return [];
  const { clientToken } = resource;
  const events: RequestEvent[] = [{ type: 'ResourceChanged', at, resourceId, stage }];
  if (refusal !== undefined && missing > 0)
    events.push({ type: 'CapacityRefused', at, clientToken, refusal: { ...refusal, missing } });
  if (rest !== undefined) events.push({ type: 'LaunchIntended', at, launch: rest });
  return events;
};

/** Of two processes that asked at the same time, the first to record it is heard. */
const explainSearch = (
  request: KnownRequest,
  { now: at, resourceId, shortage }: Extract<RequestCommand, { type: 'ExplainSearch' }>,
): readonly RequestEvent[] => {
  const resource = request.resources.find(({ id }) => id === resourceId);
  if (resource === undefined || !isExplanationDue(resource, at)) return [];
  return [{ type: 'SearchExplained', at, resourceId, ...(shortage === undefined ? {} : { shortage }) }];
};

/** Settled: nothing more will come and every machine is either usable or lost; of a cancelled request all are lost. */
const canSettle = (request: KnownRequest): boolean =>
  request.stage === 'open' &&
  unresolvedLaunches(request).length === 0 &&
  fillingResources(request).length === 0 &&
  givenUpButAlive(request).length === 0 &&
  [...request.machines.values()].every((machine) =>
    request.cancelled === undefined
      ? resultOf(machine) !== 'executing'
      : hasEnded(machine.state) || machine.disowned === true,
  );

/** Whoever goes from pool to pool for it is about to ask the next one. */
const isOwedByPools = (request: KnownRequest): boolean => isBetweenPools(request) && missingUnits(request) > 0;

/** What becomes of the request as a whole. */
const decideEnd = (
  command: Extract<RequestCommand, { type: 'Cancel' | 'Settle' | 'Claim' }>,
  request: KnownRequest,
): readonly RequestEvent[] => {
  const at = command.now;
  switch (command.type) {
    case 'Cancel': {
      const isRunning = request.stage === 'open' && request.cancelled === undefined;
      const may = command.ifUnclaimed === true ? isUnclaimed(request) : isRunning;
      return may ? [{ type: 'RequestCancelled', at, reason: command.reason }] : [];
    }
    case 'Settle':
      return canSettle(request) && (command.noPoolLeft === true || !isOwedByPools(request))
        ? [{ type: 'RequestCompleted', at }]
        : [];
    case 'Claim':
      return isUnclaimed(request) ? [{ type: 'RequestClaimed', at }] : [];
  }
};

const decideKnown = (
  command: Exclude<RequestCommand, { type: 'Create' }>,
  request: KnownRequest,
): readonly RequestEvent[] => {
  const at = command.now;
  switch (command.type) {
    case 'IntendLaunch': {
      const known = request.launches.some(({ clientToken }) => clientToken === command.launch.clientToken);
      const isOver = request.stage === 'settled' || request.cancelled !== undefined;
      // A parallel look may be ahead with a launch of its own for the same.
      const isSought = command.launch.count > unsoughtUnits(request);
      return known || isOver || isSought ? [] : [{ type: 'LaunchIntended', at, launch: command.launch }];
    }
    case 'RepeatLaunch':
      return [{ type: 'LaunchRepeated', at, clientToken: command.clientToken }];
    case 'ThrottleLaunch':
      return [{ type: 'LaunchThrottled', at, clientToken: command.clientToken, times: command.times }];
    case 'RecordLaunch':
      return recordLaunch(request, command);
    case 'ChangeResource':
      return changeResource(request, command);
    case 'ExplainSearch':
      return explainSearch(request, command);
    case 'Observe':
      return observe(request, command);
    case 'GiveUp': {
      const machineIds = heldBut(request, command.machineIds, ({ givenUp }) => givenUp !== undefined);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesGivenUp', at, machineIds, reason: command.reason }];
    }
    case 'Disown': {
      const machineIds = heldBut(request, command.machineIds, ({ disowned }) => disowned === true);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesDisowned', at, machineIds, reason: command.reason }];
    }
    case 'LeaveGroup': {
      const machineIds = heldBut(request, command.machineIds, ({ leftGroup }) => leftGroup === true);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesLeftGroup', at, machineIds }];
    }
    case 'ReportStatus': {
      const { machineId, status, metadata } = command;
      const news = heldBut(request, [machineId], ({ state }) => state === status).length > 0;
      return news ? [{ type: 'MachineStatusReported', at, machineId, status, metadata }] : [];
    }
    case 'MarkReturned': {
      const { returnId } = command;
      const machineIds = heldBut(request, command.machineIds, (machine) => machine.returnId === returnId);
      return machineIds.length === 0 ? [] : [{ type: 'MachinesReturned', at, returnId, machineIds }];
    }
    case 'Cancel':
    case 'Settle':
    case 'Claim':
      return decideEnd(command, request);
  }
};

/** What follows from a command in the present state; nothing when it was carried out before. */
export const decideRequest = (command: RequestCommand, request: Request): readonly RequestEvent[] => {
  if (command.type !== 'Create') return request.stage === 'absent' ? [] : decideKnown(command, request);
  if (request.stage !== 'absent') return [];
  const { now: at, template, providerApi, wanted, attributes } = command;
  return [{ type: 'RequestCreated', at, template, providerApi, wanted, attributes }];
};
