import { expect, it } from 'vitest';
import type { CapacityProvider } from '../../../../../src/application/ports/capacity.ts';
import { createEc2FleetProvider } from '../../../../../src/providers/aws/launch/ec2-fleet.ts';
import { createSpotFleetProvider } from '../../../../../src/providers/aws/launch/spot-fleet.ts';
import type { Ec2Calls } from '../../../../../src/providers/aws/services/operations.ts';
import { clientOf } from '../../../../../src/providers/aws/wire/query-client.ts';
import { launchOptions } from '../launch-options.ts';

type Options = ReturnType<typeof launchOptions>;

it.each<[string, (options: Options) => CapacityProvider]>([
  ['EC2Fleet', createEc2FleetProvider],
  ['SpotFleet', createSpotFleetProvider],
])('the history of %s is read on where a page tells of another, and not for ever', async (kind, create) => {
  const held = {
    kind: kind === 'EC2Fleet' ? ('EC2Fleet' as const) : ('SpotFleet' as const),
    id: 'fleet-1',
    refills: false,
    seeks: true,
    ours: true,
    expiresAt: 0,
    createdAt: 0,
    clientToken: 'c',
    stage: 'filling' as const,
  };
  const asked: unknown[] = [];
  const history = (errorAt: number, pages: number) =>
    clientOf<Ec2Calls>(async (_name, input) => {
      asked.push('NextToken' in input ? input.NextToken : undefined);
      const HistoryRecords =
        asked.length === errorAt ? [{ EventInformation: { EventSubType: 'launchSpecUnusable' } }] : [];
      return { HistoryRecords, NextToken: asked.length < pages ? `page-${asked.length}` : '' };
    });
  const explain = (errorAt: number, pages: number) =>
    create(launchOptions(history(errorAt, pages))).keeper?.explain(held);

  expect(await explain(2, 2)).toMatchObject({ code: 'launchSpecUnusable' });
  expect(asked).toEqual([undefined, 'page-1']);
  asked.length = 0;
  expect(await explain(0, 20)).toBeUndefined();
  expect(asked).toHaveLength(5);
});
