import type { Hosts } from '../../src/application/ports/instances.ts';
import type { MachineState, OwnedObservation } from '../../src/domain/machine.ts';

interface FakeHost extends OwnedObservation {
  /** EC2 has it and does not show it (yet, or any more). */
  readonly hidden: boolean;
  /** EC2's reason for not terminating it; empty when it does. */
  readonly refusal: string;
}

type HostCall = readonly [method: keyof Hosts, ids: readonly string[]];

export interface FakeHosts extends Hosts {
  /** Every call with something to ask, in order. */
  readonly calls: readonly HostCall[];
  /** A running host of ours, unless told otherwise. Answers with its id. */
  readonly add: (host?: Partial<FakeHost>) => string;
  readonly change: (machineId: string, change: Partial<FakeHost>) => void;
  /** Pending hosts come up with a name and an address. */
  readonly boot: () => void;
  /** The host is terminated: EC2 empties its name and addresses, and mostly gives a reason. */
  readonly end: (machineId: string, reason?: string) => void;
  readonly stateOf: (machineId: string) => MachineState | undefined;
  readonly ids: () => readonly string[];
  /** EC2 announces the end of a host, ms since the epoch. */
  readonly announce: (kind: 'spotNotices' | 'retirements', machineId: string, due: number) => void;
  /** Calls fail with this until it is lifted with undefined. */
  readonly failWith: (error: Error | undefined, ...methods: readonly (keyof Hosts)[]) => void;
}

export const instanceIdOf = (n: number): string => `i-${n.toString(16).padStart(17, '0')}`;

/** The name a host gets from EC2 once it runs. */
export const nameOf = (machineId: string): string => `ip-${machineId.slice(-4)}.ec2.internal`;

const standing: ReadonlySet<MachineState> = new Set(['pending', 'running', 'stopping', 'stopped']);

/**
 * Instances as EC2 shows them. Its model: an id it does not know, or hides, is absent from every answer; a terminate call
 * brings the hosts that stand to `shutting-down` at once, changes nothing for the ended ones, and refuses per id what is
 * unknown or protected; a call for nothing is no call.
 */
export const createFakeHosts = (): FakeHosts => {
  const hosts = new Map<string, FakeHost>();
  const calls: HostCall[] = [];
  const announced = { spotNotices: new Map<string, number>(), retirements: new Map<string, number>() };
  let fault: { readonly error: Error; readonly methods: ReadonlySet<keyof Hosts> } | undefined;

  const called = (method: keyof Hosts, ids: readonly string[]): void => {
    if (ids.length === 0) return;
    calls.push([method, ids]);
    if (fault?.methods.has(method)) throw fault.error;
  };
  const shown = (): readonly FakeHost[] => [...hosts.values()].filter(({ hidden }) => !hidden);
  const plain = ({ hidden: _hidden, refusal: _refusal, ...observation }: FakeHost): OwnedObservation => observation;
  const change = (machineId: string, changes: Partial<FakeHost>): void => {
    const known = hosts.get(machineId);
    if (known === undefined) throw new Error(`no fake host ${machineId}`);
    hosts.set(machineId, { ...known, ...changes });
  };

  return {
    calls,
    add: (host = {}) => {
      const machineId = host.machineId ?? instanceIdOf(hosts.size + 1);
      hosts.set(machineId, {
        state: 'running',
        name: nameOf(machineId),
        privateIpAddress: `10.0.0.${hosts.size + 1}`,
        publicIpAddress: '',
        instanceType: 'm5.large',
        priceType: 'ondemand',
        zone: 'us-east-1a',
        instanceTags: 'team=quant',
        ours: true,
        hidden: false,
        refusal: '',
        ...host,
        machineId,
      });
      return machineId;
    },
    change,
    boot: () => {
      for (const { machineId, state } of hosts.values()) {
        if (state !== 'pending') continue;
        const last = Number.parseInt(machineId.slice(-2), 16);
        change(machineId, { state: 'running', name: nameOf(machineId), privateIpAddress: `10.0.0.${last}` });
      }
    },
    end: (machineId, reason = 'Client.UserInitiatedShutdown: User initiated shutdown') =>
      change(machineId, {
        state: 'terminated',
        name: '',
        privateIpAddress: '',
        publicIpAddress: '',
        ...(reason === '' ? {} : { reason }),
      }),
    stateOf: (machineId) => hosts.get(machineId)?.state,
    ids: () => [...hosts.keys()],
    failWith: (error, ...methods) => {
      const all = ['describe', 'describeByName', 'describeByRequest', 'terminate', 'tagWithOwnId'] as const;
      fault = error === undefined ? undefined : { error, methods: new Set(methods.length === 0 ? all : methods) };
    },

    describe: async (ids) => {
      called('describe', ids);
      return shown()
        .filter(({ machineId }) => ids.includes(machineId))
        .map(plain);
    },
    ours: async () => {
      called('ours', ['all']);
      return shown()
        .filter(({ ours, state }) => ours && standing.has(state))
        .map(plain);
    },
    announce: (kind, machineId, due) => announced[kind].set(machineId, due),
    spotNotices: async () => {
      called('spotNotices', ['all']);
      return announced.spotNotices;
    },
    retirements: async () => {
      called('retirements', ['all']);
      return announced.retirements;
    },
    describeByName: async (names) => {
      called('describeByName', names);
      return shown()
        .filter(({ name }) => name !== '' && names.includes(name))
        .map(plain);
    },
    describeByRequest: async (requestIds) => {
      called('describeByRequest', requestIds);
      return shown()
        .filter(({ ours, requestId: owner = '' }) => ours && requestIds.includes(owner))
        .map(plain);
    },
    terminate: async (machines) => {
      const ids = machines.map(({ machineId }) => machineId);
      called('terminate', ids);
      const refused = new Map<string, string>();
      for (const id of ids) {
        const host = hosts.get(id);
        if (host === undefined) refused.set(id, `Error Code: InvalidInstanceID.NotFound: ${id}`);
        else if (host.refusal !== '') refused.set(id, host.refusal);
        else if (standing.has(host.state)) change(id, { state: 'shutting-down' });
      }
      return refused;
    },
    tagWithOwnId: async (ids) => called('tagWithOwnId', ids),
  };
};
