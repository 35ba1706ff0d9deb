import { describe, expect, it } from 'vitest';
import type { CapacityRow } from '../../../../src/application/projections/capacity.ts';
import { type ListAlertsPorts, listAlertsHandler } from '../../../../src/application/queries/list-alerts.ts';
import { origin } from '../../provider-world.ts';

const minute = 60_000;
const now = Date.UTC(2026, 0, 1, 12);

interface State {
  readonly rows?: readonly Partial<CapacityRow>[];
  readonly usage?: Readonly<Record<string, number>>;
  /** Machines that failed, and when the last did, ms ago. */
  readonly failed?: readonly [machines: number, age: number];
  readonly orphans?: Readonly<Record<string, number>>;
}

const ports = ({ rows = [], usage = {}, failed: [machines, age] = [0, 0], orphans = {} }: State): ListAlertsPorts => ({
  readModel: {
    read: async () => ({
      rows: rows.map((row) => JSON.stringify({ templateId: 'od', spans: [], refusals: [], ...row })),
      warnings: [],
    }),
  },
  failures: {
    templateIds: async () => ['ill'],
    of: async () => ({ machineIds: Array.from({ length: machines }, (_, n) => `i-${n}`), age }),
  },
  policy: { protectAfter: 3, protectFor: 60 * minute },
  memory: { read: async () => ({ orphans: new Map(Object.entries(orphans)) }) },
  usage: async () => usage,
  clock: () => now,
});

const alertsOf = async (state: State, input: object = {}) =>
  (await listAlertsHandler(ports(state))({ type: 'ListAlerts', ...input }, origin)).alerts;

const refused = (...minutesAgo: readonly number[]) => ({
  refusals: minutesAgo.map((ago) => ({ at: now - ago * minute, code: 'InsufficientInstanceCapacity', missing: 1 })),
});
const granted = (ago: number): Partial<CapacityRow> => ({
  spans: [{ instanceType: 'm5.large', priceType: 'ondemand', machines: 1, from: now - ago * minute }],
});
const lastCall = (entry: string, ago: number) => ({
  [`last_call_timestamp_seconds{entry="${entry}"}`]: (now - ago * minute) / 1000,
});

describe('what somebody should hear of', () => {
  it('is nothing where nothing is wrong', async () => {
    const usage = lastCall('getReturnRequests', 1);
    expect(await alertsOf({ rows: [granted(5)], usage, failed: [2, 0] })).toEqual([]);
  });

  it('is a template whose last machines all failed, as long as it is protected', async () => {
    const since = new Date(now - 5 * minute).toISOString();
    expect(await alertsOf({ failed: [3, 5 * minute] })).toMatchObject([
      { condition: 'template.protected', subject: 'ill', since },
    ]);
    expect(await alertsOf({ failed: [3, 60 * minute] })).toEqual([]);
  });

  it('is silence of Host Factory, by its last call of any script, unless it never called or that is not wanted', async () => {
    const usage = {
      ...lastCall('getReturnRequests', 30),
      ...lastCall('requestMachines', 11),
      ...lastCall('hf-aws', 1),
    };
    const since = new Date(now - 11 * minute).toISOString();
    expect(await alertsOf({ usage })).toMatchObject([{ condition: 'host-factory.silent', subject: '', since }]);
    expect(await alertsOf({ usage }, { silentMinutes: 12 })).toEqual([]);
    expect(await alertsOf({ usage }, { silentMinutes: 0 })).toEqual([]);
    expect(await alertsOf({ usage: lastCall('hf-aws', 500) })).toEqual([]);
  });

  it('is what the sweep has found, with the oldest of it', async () => {
    const [first] = await alertsOf({ orphans: { 'i-2': now - minute, 'i-1': now - 9 * minute } });
    expect(first).toMatchObject({ condition: 'orphans.found', since: new Date(now - 9 * minute).toISOString() });
    expect(first?.summary).toContain('i-1, i-2');
  });

  it.each([
    ['for half an hour and still', [refused(31, 15, 1)], 31],
    ['in many requests', [refused(45), refused(20), refused(5)], 45],
    ['since it was last granted in full', [refused(90), granted(80), refused(40, 20), refused(2)], 40],
  ])('is capacity of a template that AWS has refused %s', async (_what, rows, ago) => {
    const since = new Date(now - ago * minute).toISOString();
    expect(await alertsOf({ rows })).toMatchObject([{ condition: 'capacity.refused', subject: 'od', since }]);
    expect(await alertsOf({ rows }, { refusedMinutes: 0 })).toEqual([]);
  });

  it.each([
    ['for a shorter time', [refused(29, 10)]],
    ['until a while ago', [refused(90, 70, 50, 31)]],
    ['now and then', [refused(70), refused(1)]],
    ['until it was granted in full', [refused(60, 40, 20), granted(1)]],
  ])('is not capacity that was refused %s', async (_what, rows) => {
    expect(await alertsOf({ rows })).toEqual([]);
  });
});
