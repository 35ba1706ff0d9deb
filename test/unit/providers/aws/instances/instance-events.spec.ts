import { describe, expect, it } from 'vitest';
import { eventsIn } from '../../../../../src/providers/aws/instances/instance-events.ts';

const time = '2026-11-28T12:00:00Z';
const at = Date.parse(time);
const machineId = 'i-0123456789abcdef0';

/** An event in EventBridge's own form. */
const event = (kind: string, detail: unknown): string =>
  JSON.stringify({
    version: '0',
    id: '7c1',
    'detail-type': kind,
    source: 'aws.ec2',
    time,
    region: 'us-east-1',
    detail,
  });
const aboutInstance = (kind: string, more: object = {}): string => event(kind, { 'instance-id': machineId, ...more });

describe('an event of AWS', () => {
  it.each([
    [
      'a spot interruption, two minutes ahead',
      aboutInstance('EC2 Spot Instance Interruption Warning', { 'instance-action': 'terminate' }),
      [{ machineId, kind: 'interruption', due: at + 120_000 }],
    ],
    [
      'a recommendation to rebalance',
      aboutInstance('EC2 Instance Rebalance Recommendation'),
      [{ machineId, kind: 'rebalance', due: at + 600_000 }],
    ],
    [
      'an end',
      aboutInstance('EC2 Instance State-change Notification', { state: 'shutting-down' }),
      [{ machineId, kind: 'ended', due: at }],
    ],
    [
      'a stop',
      aboutInstance('EC2 Instance State-change Notification', { state: 'stopped' }),
      [{ machineId, kind: 'ended', due: at }],
    ],
  ])('tells of %s', (_, text, events) => {
    expect(eventsIn(text)).toEqual(events);
  });

  it('tells of each instance that is to be retired, and when', () => {
    const detail = {
      service: 'EC2',
      eventTypeCategory: 'scheduledChange',
      eventTypeCode: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED',
      startTime: 'Sat, 12 Dec 2026 05:00:00 GMT',
      affectedEntities: [{ entityValue: machineId }, { entityValue: 'i-0123456789abcdef1' }],
    };
    const due = Date.UTC(2026, 11, 12, 5);
    expect(eventsIn(event('AWS Health Event', detail))).toEqual([
      { machineId, kind: 'retirement', due },
      { machineId: 'i-0123456789abcdef1', kind: 'retirement', due },
    ]);
    const reboot = { ...detail, eventTypeCode: 'AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED' };
    expect(eventsIn(event('AWS Health Event', reboot))).toEqual([]);
  });

  it.each([
    ['a start', aboutInstance('EC2 Instance State-change Notification', { state: 'running' })],
    [
      'another service',
      event('AWS Health Event', { service: 'RDS', eventTypeCode: 'AWS_RDS_INSTANCE_RETIREMENT_SCHEDULED' }),
    ],
    ['an id that EC2 never gave out', event('EC2 Spot Instance Interruption Warning', { 'instance-id': '../../i-1' })],
    [
      'no time',
      JSON.stringify({ 'detail-type': 'EC2 Spot Instance Interruption Warning', detail: { 'instance-id': machineId } }),
    ],
    ['an empty text', ''],
    ['no JSON', '<html>'],
    ['a list', '[1, null]'],
    ['null', 'null'],
  ])('tells nothing by %s', (_, text) => {
    expect(eventsIn(text)).toEqual([]);
  });
});
