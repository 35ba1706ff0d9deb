import type { Call, CallLog } from './calls.ts';
import { allViews, forgetGone, type InstanceView, instanceTags, spotRequestIdOf } from './ec2/instance-view.ts';
import type { InstanceState } from './ec2/life-cycle.ts';
import { spotStatusOf } from './ec2/spot-status.ts';
import { type Fault, type FaultBook, type FaultRule, readFaultRule } from './faults.ts';
import { changeInstance, type InstanceChange, readInstanceChange } from './instance-change.ts';
import { InvalidInput } from './invalid-input.ts';
import { readSettings, type Settings } from './settings.ts';
import { emptyWorld, type Tags, type World } from './world.ts';

/** An instance as the emulator sees it, whether or not EC2's answers show it yet. */
interface InstanceSummary {
  readonly id: string;
  readonly state: InstanceState;
  readonly reservationId: string;
  readonly clientToken?: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly launchedAt: number;
  readonly lifecycle?: 'spot' | 'capacity-block';
  readonly spotRequestId?: string;
  readonly spotStatus?: string;
  readonly protected: boolean;
  /** Absent until EC2 shows it, and after termination. */
  readonly privateIp?: string;
  readonly privateDnsName?: string;
  readonly keyName?: string;
  /** As the launch gave it: base64. */
  readonly userData?: string;
  readonly tags: Tags;
}

/** What tests and people do to the emulated Region behind its API. All of it fails with `InvalidInput` on bad input. */
export interface Control {
  /** The recorded calls, oldest first (the last 10,000), of one action if it is named. */
  calls(action?: string): readonly Call[];
  /** Calls by action; an action never called is absent. */
  countCalls(): Readonly<Record<string, number>>;
  forgetCalls(): void;
  addFault(rule: FaultRule): Fault;
  faults(): readonly Fault[];
  clearFaults(): void;
  settings(): Settings;
  /** Replaces the settings named, each as a whole. */
  configure(settings: Partial<Settings>): Settings;
  /** All instances EC2 has not forgotten, in launch order. */
  instances(): readonly InstanceSummary[];
  setInstance(id: string, change: InstanceChange): InstanceSummary;
  /** Forgets instances, tags, tokens, calls, faults and throttling; settings stay. */
  reset(): void;
}

const summaryOf = (world: World, view: InstanceView): InstanceSummary => {
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

/** `changed` is told whenever something that outlives the process has changed. */
export const createControl = (world: World, log: CallLog, book: FaultBook, changed: () => void): Control => {
  const instances = (): readonly InstanceSummary[] => {
    forgetGone(world);
    return allViews(world).map((view) => summaryOf(world, view));
  };
  return {
    calls: (action) => log.list().filter((call) => action === undefined || call.action === action),
    countCalls: () => countByAction(log.list()),
    forgetCalls: () => log.clear(),
    addFault: (rule) => book.add(readFaultRule(rule)),
    faults: () => book.list(),
    clearFaults: () => book.clear(),
    settings: () => world.settings,
    configure: (settings) => {
      world.settings = { ...world.settings, ...readSettings(settings) };
      changed();
      return world.settings;
    },
    instances,
    setInstance: (id, change) => {
      changeInstance(world, id, readInstanceChange(change));
      changed();
      const summary = instances().find((instance) => instance.id === id);
      // With nothing to be remembered for, an instance set to terminated is gone at once.
      if (summary === undefined) throw new InvalidInput(`instance '${id}' is forgotten`);
      return summary;
    },
    reset: () => {
      emptyWorld(world);
      log.clear();
      book.clear();
      changed();
    },
  };
};
