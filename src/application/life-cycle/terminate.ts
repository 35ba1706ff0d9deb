import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Machine, OwnedObservation } from '../../domain/machine.ts';
import type { HeldResource, KnownRequest } from '../../domain/request/state.ts';
import { targetWithout } from '../../domain/request/units.ts';
import type { Terminated } from '../ports/capacity.ts';
import type { Policy } from '../ports/policy.ts';
import { keeperOf } from './keepers.ts';
import type { LifeCyclePorts } from './ports.ts';

type TerminatePorts = Pick<LifeCyclePorts, 'hosts' | 'providers' | 'log'>;

const nothing: Terminated = { done: new Set(), refused: new Map() };

/** Trouble keeps no machine alive, but for a group of the administrator's, which would replace it: that is asked again later. */
const terminateIn = async (
  ports: TerminatePorts,
  request: KnownRequest,
  resource: HeldResource,
  machineIds: ReadonlySet<string>,
): Promise<Terminated> => {
  const keeper = await keeperOf(ports, resource.kind);
  try {
    return await keeper.terminate(resource, [...machineIds], targetWithout(request, resource, machineIds));
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const reason = messageOf(error);
    ports.log.warn('resource.unreleased', `${resource.kind} ${resource.id}: ${reason}`, { aws: error.aws });
    if (resource.ours) return nothing;
    return { ...nothing, refused: new Map([...machineIds].map((machineId) => [machineId, reason])) };
  }
};

/** Has the fleets and groups of a request terminate those of its machines that they would make up for otherwise. */
export const terminateInResources = async (
  ports: TerminatePorts,
  request: KnownRequest,
  machineIds: ReadonlySet<string>,
): Promise<Terminated> => {
  const outcomes: Terminated[] = [];
  for (const resource of request.resources.filter(({ stage }) => stage !== 'deleted'))
    outcomes.push(await terminateIn(ports, request, resource, machineIds));
  return {
    done: new Set(outcomes.flatMap(({ done }) => [...done])),
    refused: new Map(outcomes.flatMap(({ refused }) => [...refused])),
  };
};

/** What came of it: AWS's reason per id refused, and the ids that are not ours to end. */
interface Ended {
  readonly refused: ReadonlyMap<string, string>;
  readonly foreign: readonly string[];
}

/**
 * Terminates machines of one request, by its fleets and groups or by EC2 alone, after a look at their tags: one that EC2 does not
 * show, or shows without our tag, is left for now; it is `foreign` once its tags say so, or were to be seen for long.
 */
export const terminateMachines = async (
  ports: TerminatePorts & Pick<LifeCyclePorts, 'clock'> & { readonly policy: Pick<Policy, 'consistencyWindow'> },
  request: KnownRequest,
  machines: readonly Machine[],
): Promise<Ended> => {
  const hosts = await ports.hosts();
  const seen = await hosts.describe(machines.map(({ machineId }) => machineId));
  const isYoung = ({ launchTime }: OwnedObservation): boolean =>
    launchTime === undefined || ports.clock() - launchTime * 1000 < ports.policy.consistencyWindow;
  const foreign = seen
    .filter((observation) => !observation.ours && (observation.ofOtherOwner === true || !isYoung(observation)))
    .map(({ machineId }) => machineId);
  const ours = seen.filter((observation) => observation.ours);
  if (ours.length === 0) return { refused: new Map(), foreign };
  const ids = new Set(ours.map(({ machineId }) => machineId));
  const { done, refused } = await terminateInResources(ports, request, ids);
  const rest = ours.filter(({ machineId }) => !done.has(machineId) && !refused.has(machineId));
  return { refused: rest.length === 0 ? refused : new Map([...refused, ...(await hosts.terminate(rest))]), foreign };
};
