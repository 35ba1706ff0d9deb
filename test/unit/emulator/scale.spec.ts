import { paginateDescribeInstances, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { expect, it } from 'vitest';
import { idsOf, startRegion } from './region.ts';

it('ten thousand instances are launched, read in pages and terminated', async () => {
  const { run, client, emulator, pass } = await startRegion();
  const ids: string[] = [];
  for (let call = 0; call < 10; call++) ids.push(...idsOf(await run({ MaxCount: 1000, ClientToken: `req.${call}` })));
  expect(new Set(ids).size).toBe(10_000);

  const seen: string[] = [];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client, pageSize: 1000 }, {}))
    seen.push(...idsOf(Reservations.flatMap(({ Instances = [] }) => Instances)));
  expect(seen).toEqual(ids);
  expect(emulator.countCalls()).toEqual({ RunInstances: 10, DescribeInstances: 10 });

  for (let from = 0; from < ids.length; from += 1000)
    await client.send(new TerminateInstancesCommand({ InstanceIds: ids.slice(from, from + 1000) }));
  pass(1000);
  expect(emulator.instances().every(({ state }) => state === 'terminated')).toBe(true);
});

it('a page costs about the same from a full Region as from an empty one', async () => {
  const { run, describe } = await startRegion();
  await run({ MaxCount: 200 });
  const Filters = [{ Name: 'instance-id', Values: (await describe()).flatMap(({ InstanceId }) => InstanceId ?? []) }];
  const fastest = async (): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < 5; n++) {
      const start = performance.now();
      await describe({ Filters, MaxResults: 1000 });
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  };
  await fastest();
  const empty = await fastest();
  for (let call = 0; call < 10; call++) await run({ MaxCount: 1000 });
  // Fifty times the instances; reading all of them would cost fifty times as much.
  expect((await fastest()) / empty).toBeLessThan(10);
});
