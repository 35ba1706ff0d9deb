import type { InstanceEvent } from '../../../application/ports/instance-events.ts';
import { fieldOf } from '../wire/aws-answer.ts';

/** From EC2's warning to the interruption, ms: "Spot Instance interruption notices" of the EC2 guide. */
const interruptionWarning = 120_000;

/** A recommendation comes some ten minutes before an interruption, if one comes at all; ms. */
const rebalanceWarning = 600_000;

/** States in which an instance is of no use any more. */
const endedStates: readonly unknown[] = ['stopping', 'stopped', 'shutting-down', 'terminated'];

/** Scheduled changes that end an instance; reboots and maintenance do not. Codes of AWS Health's events for EC2. */
const endingChange = /_(?:RETIREMENT|STOP)_SCHEDULED$/;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const idOf = (value: unknown): readonly string[] =>
  typeof value === 'string' && /^i-[0-9a-f]{8,17}$/.test(value) ? [value] : [];

const retirements = (detail: unknown, time: number): readonly InstanceEvent[] => {
  if (fieldOf(detail, 'service') !== 'EC2' || !endingChange.test(String(fieldOf(detail, 'eventTypeCode')))) return [];
  const start = Date.parse(String(fieldOf(detail, 'startTime')));
  return listOf(fieldOf(detail, 'affectedEntities'))
    .flatMap((entity) => idOf(fieldOf(entity, 'entityValue')))
    .map((machineId) => ({ machineId, kind: 'retirement', due: Number.isNaN(start) ? time : start }));
};

/**
 * What an event of EventBridge, as JSON, says of instances: spot interruption warnings, rebalance recommendations, state changes and
 * scheduled changes ("EC2 events" and "AWS Health events" of their guides). Empty for all else, whatever it is.
 */
export const eventsIn = (text: string): readonly InstanceEvent[] => {
  const event = parsed(text);
  const detail = fieldOf(event, 'detail');
  const time = Date.parse(String(fieldOf(event, 'time')));
  if (Number.isNaN(time)) return [];
  const [machineId] = idOf(fieldOf(detail, 'instance-id'));
  const kind = fieldOf(event, 'detail-type');
  if (kind === 'AWS Health Event') return retirements(detail, time);
  if (machineId === undefined) return [];
  if (kind === 'EC2 Spot Instance Interruption Warning')
    return [{ machineId, kind: 'interruption', due: time + interruptionWarning }];
  if (kind === 'EC2 Instance Rebalance Recommendation')
    return [{ machineId, kind: 'rebalance', due: time + rebalanceWarning }];
  const hasEnded = kind === 'EC2 Instance State-change Notification' && endedStates.includes(fieldOf(detail, 'state'));
  return hasEnded ? [{ machineId, kind: 'ended', due: time }] : [];
};
