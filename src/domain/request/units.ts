import { hasEnded, isGoing, type Machine } from '../machine.ts';
import { weightsOf } from '../template/template.ts';
import type { HeldResource, KnownRequest, Launch } from './state.ts';

/** Launches whose outcome is not on record: in flight, or lost with the process or connection that sent them. */
export const unresolvedLaunches = (request: KnownRequest): readonly Launch[] =>
  request.launches.filter(({ resolved }) => !resolved);

/** Whether the process that went from pool to pool ended before it had tried them all. */
export const isBetweenPools = ({ stage, launches, cancelled }: KnownRequest): boolean =>
  stage === 'open' && cancelled === undefined && launches.at(-1)?.tryNextPool === true;

/** Machines that may run and are not being returned: what counts against a template's `maxNumber`. */
export const liveMachines = (request: KnownRequest): readonly Machine[] =>
  [...request.machines.values()].filter(
    ({ state, returnId, disowned }) => !hasEnded(state) && returnId === undefined && disowned === undefined,
  );

/** Fleets and groups through which AWS still looks for capacity. */
export const fillingResources = ({ resources }: KnownRequest): readonly HeldResource[] =>
  resources.filter(({ stage }) => stage === 'filling');

/** Units of machines: each counts for its type's weight where the template gives weights, else 1. */
export const unitsOfAll = ({ providerApi, template }: KnownRequest, machines: readonly Machine[]): number => {
  const weights = providerApi === 'RunInstances' ? {} : weightsOf(template);
  return machines.reduce((sum, { instanceType }) => sum + (weights[instanceType] ?? 1), 0);
};

/**
 * Units asked for and not given: what AWS still owes. A machine that was given and died is not owed again, except where AWS
 * replaces what is lost; one that was returned never.
 */
export const missingUnits = (request: KnownRequest): number => {
  const refills = request.resources.some((resource) => resource.refills && resource.stage === 'filling');
  const given = [...request.machines.values()].filter(
    ({ state, returnId }) => !(refills && hasEnded(state) && returnId === undefined),
  );
  return Math.max(0, request.wanted - unitsOfAll(request, given));
};

/** What AWS owes and no launch on its way may bring. */
export const unsoughtUnits = (request: KnownRequest): number => {
  const underway = unresolvedLaunches(request).reduce((sum, { count }) => sum + count, 0);
  return Math.max(0, missingUnits(request) - underway);
};

/**
 * Machines that died in a group of the administrator's, which goes on counting them: should it ever replace them, it would launch
 * for nobody.
 */
export const countedDead = ({ resources, machines }: KnownRequest): readonly Machine[] =>
  resources.every(({ ours }) => ours)
    ? []
    : [...machines.values()].filter(
        ({ state, disowned, leftGroup }) => isGoing(state) && disowned === undefined && leftGroup === undefined,
      );

/** Units the request holds, also of its dead, or may still get. */
export const liveUnits = (request: KnownRequest): number => {
  const held = unitsOfAll(request, [...liveMachines(request), ...countedDead(request)]);
  const unresolved = unresolvedLaunches(request).reduce((sum, { count }) => sum + count, 0);
  const filling = fillingResources(request).length > 0 ? missingUnits(request) : 0;
  return held + unresolved + filling;
};

/** Machines we gave up and EC2 has not shown as ended yet. */
export const givenUpButAlive = ({ machines }: KnownRequest): readonly Machine[] =>
  [...machines.values()].filter(
    ({ givenUp, disowned, state }) => givenUp !== undefined && disowned === undefined && !hasEnded(state),
  );

/** Whether nobody has asked about it, nor ended it. */
export const isUnclaimed = ({ claimedAt, cancelled }: KnownRequest): boolean => (claimedAt ?? cancelled) === undefined;

/** What a fleet or group shall hold, in units: all, and how many of them on demand. */
export interface TargetUnits {
  readonly total: number;
  readonly onDemand: number;
}

/** The target of a fleet or group that shall hold just these machines. */
export const targetFor = (request: KnownRequest, machines: readonly Machine[]): TargetUnits => ({
  total: unitsOfAll(request, machines),
  onDemand: unitsOfAll(
    request,
    machines.filter(({ priceType }) => priceType === 'ondemand'),
  ),
});

/** The target of a fleet or group once these machines have gone, with what it still owes. */
export const targetWithout = (
  request: KnownRequest,
  { stage }: HeldResource,
  going: ReadonlySet<string>,
): TargetUnits => {
  const staying = liveMachines(request).filter(({ machineId }) => !going.has(machineId));
  const { total, onDemand } = targetFor(request, staying);
  const owed = stage === 'filling' && request.cancelled === undefined ? missingUnits(request) : 0;
  return { total: total + owed, onDemand: onDemand + (request.template.priceType === 'ondemand' ? owed : 0) };
};

const firstExplanationAge = 120_000;
const mostExplanations = 4;

/** Whether it is time to ask AWS why a search finds no more: at the age of two minutes, then at doubled ages, four times in all. */
export const isExplanationDue = ({ stage, createdAt, explained }: HeldResource, now: number): boolean => {
  if (stage !== 'filling') return false;
  if (explained === undefined) return now - createdAt >= firstExplanationAge;
  return explained.times < mostExplanations && now - createdAt >= 2 * (explained.at - createdAt);
};
