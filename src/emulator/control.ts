import type { Call, CallLog } from './calls.ts';
import { allViews, type InstanceView, instanceTags, spotRequestIdOf } from './ec2/instance-view.ts';
import { spotStatusOf } from './ec2/spot.ts';
import { type FaultBook, type FaultRule, readFaultRule } from './faults.ts';
import { advance } from './fleets/settle.ts';
import { changeInstance, type InstanceChange, readInstanceChange } from './instance-change.ts';
import { InvalidInput } from './invalid-input.ts';
import { send } from './queues.ts';
import { readSettings, type Settings } from './settings.ts';
import { emptyWorld, type World } from './world.ts';

/** An instance as the emulator sees it, whether or not EC2's answers show it yet. */
const summaryOf = (world: World, view: InstanceView) => {
  const { instance, reservation, state, address } = view;
  const { spec, clientToken } = reservation;
  const spotRequestId = spotRequestIdOf(world, view);
  return {
    id: instance.id,
    state,
    reservationId: reservation.id,
    ...(clientToken !== undefined && { clientToken }),
    imageId: spec.imageId,
    instanceType: spec.instanceType,
    zone: spec.zone,
    subnetId: spec.subnetId,
    launchedAt: instance.launchedAt,
    ...(spec.lifecycle !== undefined && { lifecycle: spec.lifecycle }),
    ...(spotRequestId !== undefined && { spotRequestId, spotStatus: spotStatusOf(view).code }),
    protected: instance.isProtected,
    ...(address !== undefined && { privateIp: address.ip, privateDnsName: address.name }),
    ...(spec.keyName !== undefined && { keyName: spec.keyName }),
    ...(spec.userData !== undefined && { userData: spec.userData }),
    tags: instanceTags(world, view),
  };
};

const countByAction = (calls: readonly Call[]): Readonly<Record<string, number>> => {
  const counts = new Map<string, number>();
  for (const { action } of calls) counts.set(action, (counts.get(action) ?? 0) + 1);
  return Object.fromEntries(counts);
};

/**
 * What tests and people do to the emulated Region behind its API. All of it fails with `InvalidInput` on bad input.
 * `changed` is told whenever something that outlives the process has changed.
 */
export const createControl = (world: World, log: CallLog, book: FaultBook, changed: () => void) => {
  /** All instances EC2 has not forgotten, in launch order. */
  const instances = () => {
    advance(world);
    return allViews(world).map((view) => summaryOf(world, view));
  };
  return {
    /** The recorded calls, oldest first (the last 10,000), of one action if it is named. */
    calls: (action?: string) => log.list().filter((call) => action === undefined || call.action === action),
    /** Calls by action; an action never called is absent. */
    countCalls: () => countByAction(log.list()),
    forgetCalls: () => log.clear(),
    addFault: (rule: FaultRule) => book.add(readFaultRule(rule)),
    faults: () => book.list(),
    clearFaults: () => book.clear(),
    settings: () => world.settings,
    /** Replaces the settings named, each as a whole; what was due under the old ones happens under them. */
    configure: (settings: Partial<Settings>) => {
      advance(world);
      world.settings = { ...world.settings, ...readSettings(settings) };
      changed();
      return world.settings;
    },
    instances,
    setInstance: (id: string, change: InstanceChange) => {
      advance(world);
      changeInstance(world, id, readInstanceChange(change));
      changed();
      const summary = instances().find((instance) => instance.id === id);
      // With nothing to be remembered for, an instance set to terminated is gone at once.
      if (summary === undefined) throw new InvalidInput(`instance '${id}' is forgotten`);
      return summary;
    },
    /** Puts a message into a queue, as EventBridge does. */
    send: (queue: string, body: string) => send(world, queue, body),
    /** How many messages a queue holds, also those that a reader has. */
    waiting: (queue: string): number => world.queues.get(queue)?.length ?? 0,
    /** Forgets all that was made, and calls, faults and throttling; settings stay. */
    reset: () => {
      emptyWorld(world);
      log.clear();
      book.clear();
      changed();
    },
  };
};

export type Control = ReturnType<typeof createControl>;

export const controlPrefix = '/_emulator/';

interface ControlAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

type Route = (control: Control, input: unknown) => unknown;

const doing =
  (act: (control: Control) => void): Route =>
  (control) => {
    act(control);
    return { done: true };
  };

const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['GET calls', (control) => control.calls()],
  ['GET calls/count', (control) => control.countCalls()],
  ['DELETE calls', doing((control) => control.forgetCalls())],
  ['GET faults', (control) => control.faults()],
  ['POST faults', (control, input) => control.addFault(readFaultRule(input))],
  ['DELETE faults', doing((control) => control.clearFaults())],
  ['GET settings', (control) => control.settings()],
  ['PATCH settings', (control, input) => control.configure(readSettings(input))],
  ['GET instances', (control) => control.instances()],
  ['POST reset', doing((control) => control.reset())],
]);

const routeOf = (method: string, path: string): Route | undefined => {
  const [, id] = /^instances\/([^/]+)$/.exec(path) ?? [];
  if (method === 'POST' && id !== undefined)
    return (control, input) => control.setInstance(id, readInstanceChange(input));
  return routes.get(`${method} ${path}`);
};

const parse = (body: string): unknown => {
  if (body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new InvalidInput('the body is not JSON', { cause });
  }
};

const answer = (status: number, body: unknown): ControlAnswer => ({ status, body: `${JSON.stringify(body)}\n` });

/** Serves one control request; `path` is what follows the prefix. */
export const answerControl = (control: Control, method: string, path: string, body: string): ControlAnswer => {
  const route = routeOf(method, path);
  if (route === undefined) {
    const known = [...routes.keys(), 'POST instances/<id>'].join(', ');
    return answer(404, { message: `no control route ${method} ${path}; there are: ${known}` });
  }
  try {
    return answer(200, route(control, parse(body)));
  } catch (error) {
    if (error instanceof InvalidInput) return answer(400, { message: error.message });
    throw error;
  }
};
