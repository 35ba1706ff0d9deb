import { describe, expect, it } from 'vitest';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { emulatedAws } from '../emulated-aws.ts';
import { reservationGroup, startLaunches } from '../launches.ts';

const capacityReservation = 'cr-00000001';
const block: Partial<Template> = {
  marketType: 'capacity-block',
  capacityReservation: 'cr-00000002',
  vmType: 'p5.48xlarge',
};

describe.each(['RunInstances', 'EC2Fleet'] as const)('a launch by %s', (providerApi) => {
  it('into a reservation gets what it holds and no more, and learns nothing of other capacity from it', async () => {
    const { launch, emulator, refused } = await startLaunches();
    const [first] = await launch({ providerApi, capacityReservation }, { count: 2 });
    expect(first?.machines).toHaveLength(2);
    const [second] = await launch({ providerApi, capacityReservation }, { requestId: 'req-2', count: 1 });
    expect(second).toMatchObject({
      machines: [],
      refusal: { code: 'ReservationCapacityExceeded', fault: 'provider.capacity' },
    });
    expect(await refused()).toEqual([]);
    for (const { id } of emulator.instances()) emulator.setInstance(id, { state: 'terminated' });
    const [third] = await launch({ providerApi, capacityReservation }, { requestId: 'req-3', count: 1 });
    expect(third?.machines).toHaveLength(1);
  });

  it('into a Capacity Block gets what it holds and no more', async () => {
    const { launch } = await startLaunches();
    const [first] = await launch({ providerApi, ...block }, { count: 2 });
    expect(first?.machines).toHaveLength(2);
    const [second] = await launch({ providerApi, ...block }, { requestId: 'req-2', count: 1 });
    expect(second?.refusal).toMatchObject({ code: 'ReservationCapacityExceeded' });
  });
});

it('a launch into a resource group uses its reservations, then On-Demand capacity', async () => {
  const { launch } = await startLaunches();
  const group = { capacityReservation: reservationGroup };
  await launch(group, { count: 2 });
  const [inReservation] = await launch({ capacityReservation }, { requestId: 'req-2', count: 1 });
  expect(inReservation?.refusal).toMatchObject({ code: 'ReservationCapacityExceeded' });
  expect((await launch(group, { requestId: 'req-3', count: 1 }))[0]?.machines).toHaveLength(1);
});

describe('what AWS says of a reservation', () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  const fits = { instanceType: 'm5.large', zone: 'us-east-1a', total: 10 };
  const other = { instanceType: 'm5.large', zone: 'us-east-1b', total: 10 };
  const template: Template = { ...onDemandTemplate, subnetIds: ['subnet-0000000a'], maxNumber: 4 };

  it.each<[string, object, Partial<Template>, readonly string[]]>([
    ['that fits', fits, {}, []],
    ['that is not there', {}, { capacityReservation: 'cr-00000009' }, [/^error .*InvalidCapacityReservationId/.source]],
    ['that is over', { ...fits, state: 'expired' }, {}, ['^error cr-00000001 is expired$']],
    [
      'that has not begun',
      { ...fits, state: 'scheduled' },
      {},
      ['^warning cr-00000001 is scheduled: nothing is launched before it is active$'],
    ],
    [
      'of another type',
      { ...fits, instanceType: 'c5.large' },
      {},
      ['^error cr-00000001 is for c5.large; m5.large is not'],
    ],
    ['in another zone', other, {}, ['^error cr-00000001 is in us-east-1b; subnet-0000000a is in us-east-1a$']],
    [
      'in one of two zones',
      fits,
      { subnetIds: ['subnet-0000000a', 'subnet-0000000b'] },
      ['^warning cr-00000001 is in us-east-1a; subnet-0000000b is in us-east-1b$'],
    ],
    ['too small', { ...fits, total: 3 }, {}, ['^warning cr-00000001 has 3 of its 3 places free, for maxNumber 4$']],
    ['that is full', { ...fits, total: 0 }, { maxNumber: -1 }, ['^warning cr-00000001 has 0 of its 0 places free$']],
    ['that ends soon', { ...fits, endsAt: soon }, {}, [`^warning cr-00000001 ends at ${soon}$`]],
    [
      'that is a block',
      { ...fits, type: 'capacity-block' },
      {},
      ['^error cr-00000001 is a Capacity Block: write marketType capacity-block$'],
    ],
    [
      'that is no block',
      fits,
      { marketType: 'capacity-block' },
      ['^error cr-00000001 is not a Capacity Block, though marketType says so$'],
    ],
    [
      'of another tenancy',
      fits,
      { tenancy: 'dedicated' },
      ['^error cr-00000001 is of tenancy default, the template of'],
    ],
  ])('%s', async (_, reservation, fields, told) => {
    const { aws } = await emulatedAws(
      {},
      {
        subnets: {
          'subnet-0000000a': { zone: 'us-east-1a', vpc: 'vpc-1' },
          'subnet-0000000b': { zone: 'us-east-1b', vpc: 'vpc-1' },
        },
        capacityReservations: { 'cr-00000001': { ...fits, ...reservation } },
      },
    );
    const { inspect } = await aws.inspector();
    const found = (await inspect({ ...template, capacityReservation, ...fields }))
      .filter(({ field }) => field === 'capacityReservation')
      .map(({ severity, rule }) => `${severity} ${rule}`);
    expect(found).toEqual(told.map((text) => expect.stringMatching(new RegExp(text))));
  });
});
