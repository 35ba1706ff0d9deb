import { listedIds } from '../../src/application/life-cycle/streams.ts';
import { isPluginError } from '../../src/domain/errors.ts';
import { isReturnId } from '../../src/domain/ids.ts';
import type { Grid } from './grid.ts';
import { type Kind, kindNames, kinds, mostOfTemplate, refills, weights } from './kinds.ts';
import type { Trouble } from './process.ts';
import type { Standing } from './region.ts';

const [second, minute] = [1000, 60_000];

interface Host {
  readonly machineId: string;
  readonly name: string;
}

interface Row extends Host {
  readonly result: 'executing' | 'succeed' | 'fail';
}

interface Entry {
  readonly requestId: string;
  readonly status: 'running' | 'complete' | 'complete_with_error';
  readonly machines: readonly Row[];
}

/** Host Factory, which goes by acknowledged answers alone, and the auditor of what it is told. */
export interface HostFactory {
  readonly request: (kind: Kind, count: number, trouble?: Trouble) => Promise<void>;
  /** One status call about all that is under way. */
  readonly poll: (trouble?: Trouble) => Promise<void>;
  readonly giveBack: (picks: readonly number[], trouble?: Trouble) => Promise<void>;
  /** Asks which hosts AWS takes away, and gives those back; a sweep follows. */
  readonly reclaim: (trouble?: Trouble) => Promise<void>;
  /** Somebody else looks at all that is on record. */
  readonly lookOn: (trouble?: Trouble) => Promise<void>;
  readonly cancel: (pick: number, trouble?: Trouble) => Promise<void>;
  readonly interrupt: (pick: number, state: 'terminated' | 'stopped') => void;
  /** What holds at any time. */
  readonly check: () => void;
  /** Goes on until nothing is under way and sweeps have had their time: then there is what Host Factory holds and nothing else. */
  readonly comeToRest: () => Promise<void>;
  /** In the end there is nothing. */
  readonly giveAllBack: () => Promise<void>;
}

const isLive = ({ state }: Standing): boolean => state === 'pending' || state === 'running';

const unitsOf = (kind: Kind, instances: readonly Standing[]): number =>
  instances.reduce((sum, { type }) => sum + ('vmTypes' in kinds[kind] ? (weights[type] ?? 1) : 1), 0);

/** In each market the last machine may bring one unit more than was missing. */
const overshoot = (kind: Kind): number => {
  if (!('vmTypes' in kinds[kind])) return 0;
  return 'percentOnDemand' in kinds[kind] ? 2 : 1;
};

const pickOf = <T>(items: readonly T[], pick: number): T | undefined => items[pick % Math.max(1, items.length)];

const demand = (isSo: boolean, text: string): void => {
  if (!isSo) throw new Error(text);
};

const isEntry = (value: unknown): value is Entry => typeof value === 'object' && value !== null && 'requestId' in value;

export const createHostFactory = (grid: Grid): HostFactory => {
  const { world, region } = grid;
  const foreign = region.instances().map(({ id }) => id);
  const asked: { readonly kind: Kind; readonly count: number; requestId: string }[] = [];
  const open = new Set<string>();
  const final = new Map<string, string>();
  const held = new Map<string, Host>();
  /** Hosts told as usable, also of requests that still run. */
  const usable = new Map<string, Host>();
  const returning = new Map<string, readonly string[]>();
  /** Those that may go: interrupted, or given back in a call whose answer may never have come. */
  const mayEnd = new Set<string>();
  /** Given back in calls that brought no answer: given back again. */
  const unanswered = new Set<string>();

  const ours = (): readonly Standing[] => {
    region.settle();
    return region.instances().filter(({ id }) => !foreign.includes(id));
  };

  const textOf = (body: object | undefined, field: string): string => {
    const value: unknown = new Map<string, unknown>(Object.entries(body ?? {})).get(field);
    return typeof value === 'string' ? value : '';
  };

  const listOf = (body: object | undefined): readonly unknown[] => {
    const value: unknown = new Map<string, unknown>(Object.entries(body ?? {})).get('requests');
    return Array.isArray(value) ? value : [];
  };

  const forget = (machineIds: readonly string[]): void => {
    for (const id of machineIds) {
      held.delete(id);
      usable.delete(id);
    }
  };

  const accept = ({ requestId, status, machines }: Entry): void => {
    const isOver = status !== 'running';
    if (isOver) {
      open.delete(requestId);
      final.set(requestId, JSON.stringify({ status, machines }));
    }
    if (isReturnId(requestId)) {
      if (isOver) forget(returning.get(requestId) ?? []);
      return;
    }
    const good = machines.filter(({ result }) => result === 'succeed');
    for (const { machineId, name } of good) {
      usable.set(machineId, { machineId, name });
      if (isOver) held.set(machineId, { machineId, name });
    }
    demand(
      status !== 'complete_with_error' || good.length === 0,
      `${requestId} ended with an error and yet with usable machines: Host Factory may drop them`,
    );
  };

  const giveBackHosts = async (hosts: readonly Host[], trouble?: Trouble): Promise<void> => {
    if (hosts.length === 0) return;
    for (const { machineId } of hosts) {
      mayEnd.add(machineId);
      unanswered.add(machineId);
    }
    const requestId = textOf(await grid.call('requestReturnMachines', { machines: hosts }, trouble), 'requestId');
    if (requestId === '') return;
    for (const { machineId } of hosts) unanswered.delete(machineId);
    open.add(requestId);
    returning.set(
      requestId,
      hosts.map(({ machineId }) => machineId),
    );
  };

  const poll = async (trouble?: Trouble): Promise<void> => {
    if (open.size === 0) return;
    const requests = [...open].map((requestId) => ({ requestId }));
    const entries = listOf(await grid.call('getRequestStatus', { requests }, trouble)).filter(isEntry);
    for (const entry of entries) accept(entry);
  };

  const reclaim = async (trouble?: Trouble): Promise<void> => {
    const body = await grid.call('getReturnRequests', { machines: [...held.values()] }, trouble);
    const taken = new Set(listOf(body).map((entry) => textOf(Object(entry), 'machineId')));
    await giveBackHosts([...held.values()].filter(({ machineId }) => taken.has(machineId)));
  };

  const check = (): void => {
    region.settle();
    const all = region.instances();
    const instances = all.filter(({ id }) => !foreign.includes(id));
    for (const { kind, count, requestId } of asked) {
      if (requestId === '') continue;
      const launched = instances.filter((each) => each.requestId === requestId);
      const counted = refills.has(kind) ? launched.filter(isLive) : launched;
      demand(
        unitsOf(kind, counted) <= count + overshoot(kind),
        `${requestId} asked for ${count} of ${kind} and got ${unitsOf(kind, counted)}`,
      );
    }
    for (const kind of kindNames) {
      const requests = asked.filter((each) => each.kind === kind && each.requestId !== '');
      const ids = new Set(requests.map(({ requestId }) => requestId));
      const units = unitsOf(
        kind,
        instances.filter((each) => isLive(each) && ids.has(each.requestId)),
      );
      demand(
        units <= mostOfTemplate + overshoot(kind) * requests.length,
        `${units} of ${kind}, of which there may be ${mostOfTemplate}`,
      );
    }
    const states = new Map(all.map(({ id, state }) => [id, state]));
    for (const id of foreign) demand(states.get(id) === 'running', `foreign ${id} is ${states.get(id)}`);
    for (const id of held.keys())
      demand(
        mayEnd.has(id) || states.get(id) === 'running',
        `${id} is ${states.get(id)}, held by Host Factory and not given back`,
      );
  };

  const settle = async (): Promise<void> => {
    for (let looks = 0; open.size > 0; looks++) {
      demand(looks < 40, `never ends: ${[...open].join(', ')}`);
      world.pass(looks < 6 ? 20 * second : looks * 20 * second);
      await poll();
      check();
    }
  };

  /** Has sweeps follow, as far as there is something left for them to find. */
  const sweepUntil = async (isDone: () => Promise<boolean>): Promise<void> => {
    for (const minutes of [61, 16, 16, 16, 16, 16]) {
      if (await isDone()) return;
      world.pass(minutes * minute);
      await reclaim();
      await settle();
    }
    world.pass(minute);
  };

  const standing = (): string =>
    ours()
      .filter(isLive)
      .map(({ id }) => id)
      .sort()
      .join(', ');
  const known = (): string => [...held.keys()].sort().join(', ');
  const left = (): string =>
    [
      ...ours().flatMap(({ id, state }) => (state === 'terminated' ? [] : [`${id} ${state}`])),
      ...region.fleets(),
      ...region.groups().filter((name) => name !== 'grid'),
    ].join(', ');

  const running = async (): Promise<string> => {
    const streams = await Promise.all(
      (await listedIds(world.streams)).map((requestId) => world.service.getRequestStatus({ requestId })),
    );
    return streams
      .flatMap(({ status, requestId, settledAt }) =>
        status === 'running' || settledAt === undefined ? [requestId] : [],
      )
      .join(', ');
  };

  return {
    poll,
    reclaim,
    check,
    request: async (kind, count, trouble) => {
      const known = new Set(await listedIds(world.streams));
      const body = await grid.call('requestMachines', { template: { templateId: kind, machineCount: count } }, trouble);
      const [made = ''] = (await listedIds(world.streams)).filter((id) => !known.has(id));
      const requestId = textOf(body, 'requestId');
      asked.push({ kind, count, requestId: requestId || made });
      if (requestId !== '') open.add(requestId);
    },
    giveBack: async (picks, trouble) => {
      const hosts = new Set(picks.map((pick) => pickOf([...usable.values()], pick)));
      await giveBackHosts(
        [...hosts].filter((host) => host !== undefined),
        trouble,
      );
    },
    lookOn: async (trouble) => {
      const requestIds = await listedIds(world.streams);
      await grid.administer(() => world.service.syncRequests({ requestIds }), trouble);
    },
    cancel: async (pick, trouble) => {
      const requestId = pickOf(
        [...open].filter((id) => !isReturnId(id)),
        pick,
      );
      if (requestId === undefined) return;
      await grid.administer(() => world.service.cancelRequest({ requestId, reason: 'not wanted' }), trouble);
    },
    interrupt: (pick, state) => {
      const instance = pickOf(ours().filter(isLive), pick);
      if (instance === undefined) return;
      mayEnd.add(instance.id);
      region.change(instance.id, { state, reasonCode: 'Server.SpotInstanceTermination' });
    },
    comeToRest: async () => {
      region.configure({ invisibleForCalls: 0 });
      await giveBackHosts([...held.values()].filter(({ machineId }) => unanswered.has(machineId)));
      await settle();
      await sweepUntil(async () => standing() === known());
      demand(standing() === known(), `Host Factory holds [${known()}], there is [${standing()}]`);
    },
    giveAllBack: async () => {
      await giveBackHosts([...held.values()]);
      await settle();
      await sweepUntil(async () => left() === '' && (await running()) === '' && region.desired('grid') === 1);
      demand(left() === '', `left: ${left()}`);
      demand((await running()) === '', `on record as running: ${await running()}`);
      demand(region.desired('grid') === 1, `the own group wants ${region.desired('grid')} machines`);
      const wants = await grid.ledger.list('wanted');
      demand(wants.length === 0, `on the ledger of the own group: ${JSON.stringify(wants)}`);
      const requests = [...final.keys()].map((requestId) => ({ requestId }));
      const entries = listOf(await grid.call('getRequestStatus', { requests })).filter(isEntry);
      for (const { requestId, status, machines } of entries)
        demand(
          final.get(requestId) === JSON.stringify({ status, machines }),
          `${requestId} ended as ${final.get(requestId)} and now is ${JSON.stringify({ status, machines })}`,
        );
      // A process may have died between the end of a request and its note in the ledger: these are right again when they are needed.
      world.pass(16 * minute);
      for (const templateId of new Set((await world.live.list()).map((claim) => claim.templateId))) {
        region.configure({ capacity: { '*:*': 0 } });
        const code = await world.service.createRequest({ templateId, maxNumber: mostOfTemplate }).then(
          () => '',
          (error: unknown) => (isPluginError(error) ? error.code : 'internal'),
        );
        demand(code !== 'template.limit', `the ledger of ${templateId} stays wrong`);
      }
    },
  };
};
