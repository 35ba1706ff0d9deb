import { viewOf } from './ec2/instance-view.ts';
import type { InstanceState } from './ec2/life-cycle.ts';
import { setSpotStatus } from './ec2/spot.ts';
import { moveInto } from './ec2/state-changes.ts';
import { type Check, either, hasShape, InvalidInput, isFlag, isOneOf, isText, optional } from './invalid-input.ts';
import { announce } from './queues.ts';
import type { InstanceRecord, World } from './world.ts';

/** A change behind EC2's API, as AWS, the machine itself or another user would make it. */
export type InstanceChange =
  /** At once; from `shutting-down` and `stopping` time takes it on. The reason becomes the instance's state reason. */
  | { readonly state: InstanceState; readonly reasonCode?: string; readonly reasonMessage?: string }
  /** Termination protection. */
  | { readonly protected: boolean }
  /** A Spot request status code; `instance-terminated-*` and `instance-stopped-*` befall the instance as well. */
  | { readonly spotStatus: string }
  /** An event as DescribeInstanceStatus tells it; `notBefore` is an ISO time. */
  | { readonly scheduledEvent: ScheduledEvent }
  /** Only announced: AWS expects to interrupt it. */
  | { readonly rebalance: true };

type ScheduledEvent = NonNullable<InstanceRecord['scheduledEvent']>;

const states = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;

const isWord: Check = (value) => typeof value === 'string';
const isTime: Check = (value) => !Number.isNaN(Date.parse(String(value)));

const isChange = either(
  hasShape({ state: isOneOf(...states), reasonCode: optional(isWord), reasonMessage: optional(isWord) }),
  hasShape({ protected: isFlag }),
  hasShape({ rebalance: isOneOf(true) }),
  hasShape({ scheduledEvent: hasShape({ code: isWord, notBefore: isTime }) }),
  hasShape({ spotStatus: isText }),
);

const isInstanceChange = (value: unknown): value is InstanceChange => isChange(value);

/** Checks a change from outside; fails with `InvalidInput`. */
export const readInstanceChange = (value: unknown): InstanceChange => {
  if (isInstanceChange(value)) return value;
  throw new InvalidInput(
    `an instance change is {state: ${states.join(' | ')}, reasonCode?, reasonMessage?} or {protected: boolean} or {spotStatus: string} or {scheduledEvent: {code, notBefore}} or {rebalance: true}`,
  );
};

/** Makes the change; fails with `InvalidInput` if there is no such instance or a Spot status is set on another kind. */
export const changeInstance = (world: World, id: string, change: InstanceChange): void => {
  const instance = world.instances.get(id);
  if (instance === undefined) throw new InvalidInput(`there is no instance '${id}'`);
  const view = viewOf(world, instance);
  if ('protected' in change) {
    world.instances.set(id, { ...instance, isProtected: change.protected });
  } else if ('rebalance' in change) {
    announce(world, 'EC2 Instance Rebalance Recommendation', { 'instance-id': id });
  } else if ('scheduledEvent' in change) {
    world.instances.set(id, { ...instance, scheduledEvent: change.scheduledEvent });
    announce(world, 'AWS Health Event', {
      service: 'EC2',
      eventTypeCategory: 'scheduledChange',
      eventTypeCode: `AWS_EC2_${change.scheduledEvent.code.replaceAll('-', '_').toUpperCase()}_SCHEDULED`,
      startTime: change.scheduledEvent.notBefore,
      affectedEntities: [{ entityValue: id }],
    });
  } else if ('spotStatus' in change) {
    if (view.reservation.spec.lifecycle !== 'spot') throw new InvalidInput(`instance '${id}' is not a Spot instance`);
    setSpotStatus(world, view, change.spotStatus);
  } else {
    const { state, reasonCode: code, reasonMessage } = change;
    moveInto(world, view, state, code === undefined ? undefined : { code, message: reasonMessage ?? code });
  }
};
