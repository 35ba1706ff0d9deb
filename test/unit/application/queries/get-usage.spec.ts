import { expect, it } from 'vitest';
import { type MachineUse, usesOf } from '../../../../src/application/read-model/machine-use.ts';
import type { Observation } from '../../../../src/domain/machine.ts';
import type { RequestEvent } from '../../../../src/domain/request/events.ts';
import { createPriceHistory } from '../../../../src/storage/price-history.ts';
import { createPriceMemory } from '../../../../src/storage/price-memory.ts';
import { onDemandTemplate } from '../../domain/template/template-fixture.ts';
import { startEmulatorWorld } from '../../emulator-world.ts';

const seen = (machineId: string, fields: Partial<Observation> = {}): Observation => ({
  machineId,
  state: 'running',
  name: 'host',
  privateIpAddress: '10.0.0.1',
  publicIpAddress: '',
  instanceType: 'm5.large',
  priceType: 'spot',
  ...fields,
});
const created: RequestEvent = {
  type: 'RequestCreated',
  at: 1000,
  template: onDemandTemplate,
  providerApi: 'RunInstances',
  wanted: 1,
  attributes: {},
};
const granted = (...machines: readonly Observation[]): RequestEvent => ({
  type: 'CapacityGranted',
  at: 3000,
  clientToken: 't',
  machines,
});

/** From and until of the one machine, and whether AWS took it back. */
const lifeOf = (...events: readonly RequestEvent[]) => {
  const [use] = usesOf([created, ...events]);
  return [use?.from, use?.until, use?.isInterrupted];
};

it.each<readonly [string, readonly RequestEvent[], ReturnType<typeof lifeOf>]>([
  ['lives from its launch on', [granted(seen('i-1', { launchTime: 2 }))], [2000, undefined, false]],
  ['of no launch time from when it was first seen on', [granted(seen('i-1'))], [3000, undefined, false]],
  [
    'ends when it is given back, not when EC2 shows that it is gone',
    [
      granted(seen('i-1')),
      { type: 'MachinesReturned', at: 5000, returnId: 'ret-1', machineIds: ['i-1'] },
      { type: 'MachinesObserved', at: 9000, machines: [seen('i-1', { state: 'terminated' })] },
    ],
    [3000, 5000, false],
  ],
  [
    'that EC2 did not show for a while ended when it was first missed',
    [
      granted(seen('i-1')),
      { type: 'MachinesMissed', at: 6000, machineIds: ['i-1'] },
      { type: 'MachinesObserved', at: 9000, machines: [seen('i-1', { state: 'terminated' })] },
    ],
    [3000, 6000, false],
  ],
  [
    'that AWS took back was interrupted',
    [
      granted(seen('i-1')),
      {
        type: 'MachinesObserved',
        at: 7000,
        machines: [seen('i-1', { state: 'shutting-down', reason: 'Server.SpotInstanceTermination: taken back' })],
      },
    ],
    [3000, 7000, true],
  ],
])('a machine %s', (_what, events, life) => expect(lifeOf(...events)).toEqual(life));

it('tells the last type and zone that EC2 told', () => {
  const uses = usesOf([
    created,
    granted(seen('i-1', { instanceType: '' })),
    { type: 'MachinesObserved', at: 4000, machines: [seen('i-1', { zone: 'us-east-1a' })] },
    { type: 'MachinesObserved', at: 5000, machines: [seen('i-1', { instanceType: '', state: 'terminated' })] },
  ]);
  expect(uses).toEqual([
    expect.objectContaining<Partial<MachineUse>>({ instanceType: 'm5.large', zone: 'us-east-1a', templateId: 'od-a' }),
  ]);
});

it('the use of machines is told by template, market, type and day, in time and money', async () => {
  const world = await startEmulatorWorld();
  await createPriceMemory(world.workDir, '/nowhere', 'us-east-1').replace({
    refreshedAt: world.now(),
    onDemand: { 'm5.large': 0.1 },
    spot: { 'm5.large': { 'us-east-1b': 0.04, 'us-east-1c': 9 } },
    zones: {},
  });
  const requestId = await world.ask({ providerApi: 'EC2Fleet', priceType: 'spot', percentOnDemand: 50 }, 2);
  await world.look([requestId], 3);
  const start = world.now();
  world.pass(36 * 3_600_000);
  await world.giveBack(...world.instances());
  const from = new Date(start).toISOString();
  const { items, total } = await world.service.getUsage({ from, by: 'market' });
  expect(items).toEqual([
    expect.objectContaining({ key: 'ondemand', machines: 1, hours: 36, spotHours: 0, cost: 3.6, unpricedHours: 0 }),
    expect.objectContaining({ key: 'spot', machines: 1, hours: 36, spotHours: 36, cost: 1.44, savings: 2.16 }),
  ]);
  expect(total).toMatchObject({ key: 'total', machines: 2, hours: 72, cost: 5.04, interruptions: 0 });
  const days = (await world.service.getUsage({ from, by: 'day' })).items;
  expect(days.map(({ key }) => key)).toEqual(['2026-01-01', '2026-01-02']);
  expect(days.reduce((sum, { hours }) => sum + hours, 0)).toBeCloseTo(72);
  const keysOf = async (by: 'template' | 'type') => (await world.service.getUsage({ by })).items.map(({ key }) => key);
  expect([await keysOf('template'), await keysOf('type')]).toEqual([['cell'], ['m5.large']]);
  expect((await world.service.getUsage({ from: new Date(world.now()).toISOString() })).items).toEqual([]);
  await expect(world.service.getUsage({ from: 'yesterday' })).rejects.toThrow(
    /from is not an ISO 8601 time: "yesterday"/,
  );
});

it('each machine is priced by what was known at its launch, in the use, at a glance and as metrics', async () => {
  const world = await startEmulatorWorld();
  const start = world.now();
  const launch = async () => world.look([await world.ask({ providerApi: 'RunInstances', vmType: 'm5.large' }, 1)], 3);
  const known = createPriceHistory(world.workDir, 'us-east-1');
  const hear = async (usd: number) => {
    const onDemand = { 'm5.large': usd };
    await known.note({ at: world.now(), onDemand, spot: {} });
    const latest = { refreshedAt: world.now(), onDemand, spot: {}, zones: {} };
    await createPriceMemory(world.workDir, '/nowhere', 'us-east-1').replace(latest);
  };
  await launch();
  world.pass(3_600_000);
  await hear(1);
  await launch();
  world.pass(3_600_000);
  await hear(100);
  world.pass(3_600_000);
  const hours = (world.now() - start) / 3_600_000;
  const { total } = await world.service.getUsage({});
  // Three hours at the latest price, as none was known then, and two at that of the launch.
  expect(total.hours).toBeCloseTo(hours + 2, 1);
  expect(total.launchPricedCost).toBeCloseTo(2, 1);
  expect(total.cost).toBeCloseTo(100 * hours + 2, 0);
  const [cost] = (await world.service.getOverview({})).costs;
  expect(cost?.usd).toBeCloseTo(total.cost ?? 0, 0);
  expect(cost?.launchPricedUsd).toBeCloseTo(2, 1);
  const { gauges } = await world.service.getMetrics({ costs: true });
  expect(gauges['day_cost_usd{template="cell",market="ondemand"}']).toBeCloseTo(total.cost ?? 0, 0);
});
