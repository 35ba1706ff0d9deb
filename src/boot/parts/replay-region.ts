/** The emulated Region of a replay: it does what the recording shows that AWS did. */
import type { AwsExchange } from '../../application/ports/recording.ts';
import { performCall } from '../../emulator/api-call.ts';
import { createCore } from '../../emulator/core.ts';
import { allViews, instanceTags, viewOf } from '../../emulator/ec2/instance-view.ts';
import type { InstanceState } from '../../emulator/ec2/life-cycle.ts';
import { madeUpVpc, subnetOf } from '../../emulator/ec2/subnets.ts';
import { advance } from '../../emulator/fleets/settle.ts';
import { changeInstance, type InstanceChange } from '../../emulator/instance-change.ts';
import type { Settings } from '../../emulator/settings.ts';
import { launchParameters } from '../../providers/aws/services/launch-parameters.ts';
import type { Exchange, Received } from '../../providers/aws/wire/exchange.ts';
import type { IdMap } from '../../recording/id-map.ts';
import { jsonIn, textOf } from '../../recording/json-value.ts';
import {
  announcedIn,
  failureIn,
  fleetAnswerIn,
  instancesIn,
  launchTemplatesIn,
  placesIn,
  type SeenInstance,
} from '../../recording/observations.ts';
import type { RecordedCall } from '../../recording/record-form.ts';
import { createReplayGroups } from './replay-groups.ts';
import { createReplayQueues, queuesRead } from './replay-queues.ts';
import { putLaunchTemplate } from './replay-templates.ts';

export interface ReplayRegion {
  readonly exchange: Exchange;
  /** From here on it goes by what AWS did in this call. */
  follow(call: RecordedCall): void;
  /** Takes note of what the recorded call has shown, once it was replayed. */
  leave(): void;
}

/** States in the order in which an instance goes through them. */
const states: readonly InstanceState[] = ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'];
/** Instances change when the recording shows that they have; fleets fill at once. Milliseconds. */
const [never, atOnce] = [100 * 365 * 86_400_000, 10];

const isState = (text: string): text is InstanceState => states.some((state) => state === text);

/** By the order of calls of an action within a call of Host Factory. */
const byAction = (exchanges: readonly AwsExchange[]) => {
  const left = new Map<string, AwsExchange[]>();
  for (const exchange of exchanges) left.set(exchange.action, [...(left.get(exchange.action) ?? []), exchange]);
  return {
    next: (action: string): AwsExchange | undefined => left.get(action)?.shift(),
    rest: (): readonly AwsExchange[] => [...left.values()].flat(),
  };
};

const requestIdIn = (body: string): string => /req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(body)?.[0] ?? '';

export const createReplayRegion = ({
  now,
  region,
  calls: recorded,
  ids,
}: {
  readonly now: () => number;
  readonly region: string;
  readonly calls: readonly RecordedCall[];
  readonly ids: IdMap;
}): ReplayRegion => {
  const exchanges = recorded.flatMap(({ aws }) => aws);
  const { zones, images, parameters } = placesIn(exchanges);
  const vpc = madeUpVpc(region);
  const settings: Partial<Settings> = {
    region,
    ...{ pendingMs: never, shuttingDownMs: never, stoppingMs: never, fulfilMs: atOnce },
    subnets: Object.fromEntries([...zones].map(([id, zone]) => [id, { zone, vpc }])),
    images: Object.fromEntries(images),
    parameters: Object.fromEntries(parameters),
    queues: queuesRead(exchanges),
  };
  const { calls, control } = createCore({ now, settings }, () => undefined);
  const { world } = calls;
  for (const { data, ...version } of launchTemplatesIn(exchanges))
    putLaunchTemplate(world, { ...version, data: launchParameters(data) });
  const groups = createReplayGroups({ world, exchanges, ids });
  const queues = createReplayQueues(world, ids);
  /** Recorded instances that none of the replay stands for yet. */
  const unpaired = new Map<string, SeenInstance>();
  let requestId = '';
  let script = byAction([]);

  const see = (exchange: AwsExchange): void => {
    // A group has members of others as well.
    const isOwn = exchange.action !== 'DescribeAutoScalingGroups';
    for (const seen of instancesIn(exchange)) {
      if (ids.of(seen.id) !== undefined) continue;
      const before = unpaired.get(seen.id);
      const owner = seen.requestId || before?.requestId || (isOwn ? requestId : '');
      unpaired.set(seen.id, { ...before, ...seen, type: seen.type || (before?.type ?? ''), requestId: owner });
    }
  };
  /** An instance of the same request, of the same type and subnet where there is one. */
  const pair = (): void => {
    const waiting = [...unpaired.values()].filter((seen) => ids.of(seen.requestId) !== undefined);
    if (waiting.length === 0) return;
    const standing = allViews(world).flatMap((view) => {
      const { instanceType: type, subnetId } = view.reservation.spec;
      const owner = instanceTags(world, view)['hf-aws:request-id'];
      return ids.isTaken(view.instance.id) ? [] : [{ id: view.instance.id, type, subnetId, owner }];
    });
    for (const seen of waiting) {
      const own = standing.filter(({ id, owner }) => owner === ids.of(seen.requestId) && !ids.isTaken(id));
      const ofType = own.filter(({ type }) => type === seen.type);
      const found = ofType.find(({ subnetId }) => subnetId === seen.subnetId) ?? ofType[0] ?? own[0];
      if (found === undefined) continue;
      ids.learn(seen.id, found.id);
      unpaired.delete(seen.id);
    }
  };
  const change = (recordedId: string, what: InstanceChange): void => {
    const id = ids.of(recordedId);
    if (id !== undefined && world.instances.has(id)) changeInstance(world, id, what);
  };
  const isAhead = (recordedId: string, state: InstanceState): boolean => {
    const instance = world.instances.get(ids.of(recordedId) ?? '');
    return instance !== undefined && states.indexOf(state) > states.indexOf(viewOf(world, instance).state);
  };
  /** Brings the instances to where the recorded answer shows them. */
  const bring = (exchange: AwsExchange): void => {
    for (const { id, state, reasonCode, reasonMessage } of instancesIn(exchange))
      if (isState(state) && isAhead(id, state))
        change(id, reasonCode === '' ? { state } : { state, reasonCode, reasonMessage });
    const { spot, scheduled } = announcedIn(exchange);
    for (const { id, spotStatus } of spot) change(id, { spotStatus });
    for (const { id, scheduledEvent } of scheduled) change(id, { scheduledEvent });
  };

  const zoneOf = (subnetId: string): string => (subnetId === '' ? '*' : subnetOf(world, subnetId).zone);
  const liveIn = (type: string, zone: string): number =>
    allViews(world).filter(
      ({ state, reservation: { spec } }) =>
        spec.instanceType === type &&
        (zone === '*' || spec.zone === zone) &&
        (state === 'pending' || state === 'running'),
    ).length;
  /** Each pool gives a fleet or group what it gave. Where AWS chose by capacity, other pools have none. */
  const poolsOf = (exchange: AwsExchange): Partial<Settings> => {
    const { granted, refused } = fleetAnswerIn(exchange);
    const name = ({ type, subnetId, zone }: { type: string; subnetId: string; zone: string }): string =>
      `${type || '*'}:${zone || zoneOf(subnetId)}`;
    const capacity = new Map<string, number>();
    for (const pool of granted) {
      const [type = '', zone = ''] = name(pool).split(':');
      capacity.set(name(pool), (capacity.get(name(pool)) ?? liveIn(type, zone)) + pool.count);
    }
    const choosesByCapacity =
      exchange.action === 'LaunchInstances' || JSON.stringify(exchange.input).includes('apacity-optimized');
    const others = refused.length > 0 || (choosesByCapacity && granted.length > 0) ? { '*:*': 0 } : {};
    return {
      capacity: { ...others, ...Object.fromEntries(capacity) },
      refusals: Object.fromEntries(
        refused.filter((pool) => !capacity.has(name(pool))).map((pool) => [name(pool), pool.code] as const),
      ),
    };
  };

  const send = async (headers: Readonly<Record<string, string>>, body: string): Promise<Received> => {
    const { authorization, 'x-amz-date': date, 'x-amz-target': target, 'x-amz-security-token': token } = headers;
    const reply = await performCall(calls, body, { authorization, date, target, token });
    if (reply.kind !== 'answer') throw new Error('the emulator did not answer');
    const { status, contentType, body: text } = reply.answer;
    const about = { status, contentType, text, requestId: reply.requestId, errorType: undefined };
    return { ...about, date: new Date(now()).toUTCString(), at: now(), isFromProxy: false };
  };
  /** As many as AWS gave, where it gave fewer than asked for. */
  const limited = (body: string, exchange: AwsExchange | undefined): string => {
    if (exchange?.action !== 'RunInstances' || exchange.error !== undefined) return body;
    const given = instancesIn(exchange).length;
    const asked = Number(/(?:^|&)MaxCount=(\d+)/.exec(body)?.[1]);
    return given > 0 && given < asked ? body.replace(/(^|&)MaxCount=\d+/, `$1MaxCount=${given}`) : body;
  };
  const perform = async (
    headers: Readonly<Record<string, string>>,
    body: string,
    exchange: AwsExchange | undefined,
  ) => {
    const failure = exchange && failureIn(exchange);
    if (failure?.kind === 'refused')
      calls.faults.add({ effect: { kind: 'error', code: failure.code, message: failure.message } });
    if (failure?.kind === 'broken') {
      if (failure.reached) await send(headers, body);
      throw failure.error;
    }
    return send(headers, limited(body, exchange));
  };

  /** What was made on both sides. */
  const learnResource = (counterpart: AwsExchange | undefined, { text }: Received): void => {
    const answer = jsonIn(counterpart?.answer);
    const named = jsonIn(answer['LaunchTemplate'])['LaunchTemplateId'];
    const recordedId = textOf(answer['FleetId']) || textOf(answer['SpotFleetRequestId']) || textOf(named);
    const [, id = ''] = /<(?:fleetId|spotFleetRequestId|launchTemplateId)>([^<]+)</.exec(text) ?? [];
    if (counterpart !== undefined && !counterpart.action.startsWith('Describe')) ids.learn(recordedId, id);
  };

  const exchange: Exchange = async (_url, { headers, body }) => {
    const action = headers['x-amz-target']?.replace(/^.*\./, '') ?? new URLSearchParams(body).get('Action') ?? '';
    const counterpart = script.next(action);
    const sent = requestIdIn(body);
    if (requestId !== '' && sent !== '' && !ids.isTaken(sent)) ids.learn(requestId, sent);
    if (counterpart !== undefined) {
      // Fleets act on what has come due before they are looked at.
      advance(world);
      groups.follow(counterpart);
      see(counterpart);
      pair();
      bring(counterpart);
      queues.follow(counterpart);
    }
    if (action === 'ReceiveMessage') queues.dropAnnounced();
    const launchesAtOnce = counterpart?.error === undefined && ['CreateFleet', 'LaunchInstances'].includes(action);
    if (launchesAtOnce && counterpart !== undefined) control.configure(poolsOf(counterpart));
    try {
      const received = await perform(headers, body, counterpart);
      learnResource(counterpart, received);
      return received;
    } finally {
      if (launchesAtOnce) control.configure({ capacity: {}, refusals: {} });
      pair();
    }
  };

  return {
    exchange,
    follow: ({ operation, answer, aws }) => {
      script = byAction(aws);
      requestId = operation === 'requestMachines' ? textOf(jsonIn(answer)['requestId']) : '';
    },
    leave: () => {
      // The replay may not have asked: what AWS did has been done all the same.
      for (const each of script.rest()) {
        groups.follow(each);
        see(each);
        pair();
        bring(each);
        queues.follow(each);
      }
    },
  };
};
