import type { CapacityProvider, OwnedResource, ResourceKeeper } from '../../src/application/ports/capacity.ts';
import type { Clock } from '../../src/application/ports/policy.ts';
import { PluginError } from '../../src/domain/errors.ts';
import { clientTokenOf } from '../../src/domain/ids.ts';
import type { PreparedLaunch, RefusalFault } from '../../src/domain/request/events.ts';
import type { FakeHosts } from './fake-hosts.ts';

/** How a pool, one per subnet, takes a launch. */
type Pool =
  /** Launches so many at most. */
  | { readonly kind: 'room'; readonly most: number }
  | { readonly kind: 'refusal'; readonly code: string; readonly fault: RefusalFault }
  | { readonly kind: 'throttled' }
  /** Makes a fleet, which has given nothing yet and whose time is over at the next look. */
  | { readonly kind: 'fleet' }
  /** The answer is lost, the launch done or not. */
  | { readonly kind: 'lost'; readonly launched: number };

export interface FakeCapacity extends CapacityProvider {
  /** The launch calls that came, in order. */
  readonly launches: readonly PreparedLaunch[];
  readonly keeper: ResourceKeeper;
  readonly pools: Map<string, Pool>;
  /** EC2 fleets of ours that still do something, by id. */
  readonly fleets: Map<string, OwnedResource>;
  /** Runs as a launch call comes in. */
  onLaunch: (launch: PreparedLaunch) => Promise<void>;
  /** Runs as the search of a fleet is ended. */
  onEnd: () => Promise<void>;
  /** Runs as a launch is prepared. */
  onPrepare: (attempt: number) => Promise<void>;
}

/**
 * Capacity by subnet. Its model: a pool has room for everything unless told otherwise; what is launched is pending, nameless
 * and carries the tags of its request; a client token that launched before launches nothing and answers with the same
 * machines.
 */
export const createFakeCapacity = (hosts: FakeHosts, clock: Clock): FakeCapacity => {
  const launches: PreparedLaunch[] = [];
  const pools = new Map<string, Pool>();
  const fleets = new Map<string, OwnedResource>();
  const idsByToken = new Map<string, readonly string[]>();

  const start = ({ clientToken, call }: PreparedLaunch, count: number): void => {
    const ids = Array.from({ length: count }, () =>
      hosts.add({
        state: 'pending',
        name: '',
        privateIpAddress: '',
        launchTime: Math.floor(clock() / 1000),
        requestId: String(call['requestId']),
      }),
    );
    idsByToken.set(clientToken, ids);
  };
  const answer = async (launch: PreparedLaunch) => {
    const ids = idsByToken.get(launch.clientToken) ?? [];
    const machines = (await hosts.describe(ids)).map(
      ({ ours: _ours, requestId: _owner, instanceTags: _tags, ...observation }) => observation,
    );
    if (ids.length >= launch.count) return { machines, tryNextPool: false };
    const missing = launch.count - ids.length;
    const { pool } = launch;
    const refusal = { missing, code: 'PartialGrant', fault: 'provider.capacity', message: 'part', pool } as const;
    return { machines, refusal, tryNextPool: true };
  };

  const provider: FakeCapacity = {
    launches,
    pools,
    fleets,
    keeper: {
      look: async () => ({ state: 'ended', machineIds: [] }),
      members: async () => [],
      tag: async () => undefined,
      explain: async () => undefined,
      end: async () => {
        await provider.onEnd();
        return 'deleted';
      },
      aim: async () => undefined,
      terminate: async () => ({ done: new Set(), refused: new Map() }),
      remove: async ({ id }) => {
        fleets.delete(id);
      },
      owned: async () => [...fleets.values()],
    },
    onLaunch: async () => undefined,
    onEnd: async () => undefined,
    onPrepare: async () => undefined,

    prepare: async ({ requestId, template, count, earlier }) => {
      const attempt = earlier.length;
      await provider.onPrepare(attempt);
      const subnetId = template.subnetIds[attempt];
      if (subnetId === undefined) return undefined;
      const clientToken = clientTokenOf(requestId, attempt);
      return { clientToken, count, pool: `m5.large in ${subnetId}`, call: { subnetId, requestId } };
    },

    launch: async (launch) => {
      await provider.onLaunch(launch);
      launches.push(launch);
      if (idsByToken.has(launch.clientToken)) return answer(launch);
      const pool = pools.get(String(launch.call['subnetId'])) ?? { kind: 'room', most: launch.count };
      if (pool.kind === 'room') {
        start(launch, Math.min(pool.most, launch.count));
        return answer(launch);
      }
      if (pool.kind === 'fleet') {
        const kind = 'EC2Fleet' as const;
        const fleet = { kind, id: 'fleet-1', refills: false, seeks: true, ours: true, expiresAt: clock() + 60_000 };
        return { machines: [], resource: fleet, tryNextPool: false };
      }
      if (pool.kind === 'throttled')
        throw new PluginError('provider.throttled', 'RunInstances failed. Error Code: RequestLimitExceeded');
      if (pool.kind === 'lost') {
        if (pool.launched > 0) start(launch, pool.launched);
        throw new PluginError('provider.transient', 'RunInstances failed. Error Code: ECONNRESET: socket hang up');
      }
      const { code, fault } = pool;
      const refusal = { missing: launch.count, code, fault, message: `${code} it is`, pool: launch.pool };
      return { machines: [], refusal, tryNextPool: fault === 'provider.capacity' };
    },
  };
  return provider;
};
