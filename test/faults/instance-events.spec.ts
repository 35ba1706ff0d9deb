import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tablesAt } from '../e2e/plugin.ts';
import { sortKeysIn } from '../tables.ts';
import { createGrid, type Grid, stateTable } from './grid.ts';

/** Of which instances announcements are on record, each as often as it is. */
const noted = async ({ backend, plugin }: Grid): Promise<readonly string[]> => {
  const names =
    tablesAt === undefined
      ? await readdir(join(plugin.workDir, 'instance-events'))
      : await sortKeysIn(backend.url, stateTable, 'grid/awsinst#notices');
  return names.map((name) => name.split('~')[0] ?? '').toSorted();
};

it('a queue of 500 announcements is read by 20 processes, six of them killed: all are on record, once', async () => {
  const grid = await createGrid(() => [], { clusterName: 'grid', sweepIntervalMinutes: 0 });
  const { backend } = grid;
  backend.emulator.configure({ queues: ['grid-events'] });
  for (const host of grid.hosts) await host.configure({ eventQueue: `${backend.url}/123456789012/grid-events` });
  grid.takeTurns();
  const time = new Date().toISOString();
  const ids = Array.from({ length: 500 }, (_, n) => `i-0${n.toString(16).padStart(16, '0')}`);
  for (const id of ids) {
    const detail = { 'instance-id': id, 'instance-action': 'terminate' };
    const body = { 'detail-type': 'EC2 Spot Instance Interruption Warning', source: 'aws.ec2', time, detail };
    backend.emulator.send('grid-events', JSON.stringify(body));
  }
  const input = { machines: [{ name: 'ip-10-0-0-1', machineId: 'i-0ffffffffffffffff' }] };
  // Between what SQS gave and the record, and between the record and the deletion.
  const points = [
    { action: 'ReceiveMessage', call: 1, at: 'acted' },
    { action: 'DeleteMessageBatch', call: 1, at: 'arrived' },
  ] as const;
  for (let kills = 0; kills < 6; kills++) {
    const { killed } = await grid.kill('getReturnRequests', input, points[kills % 2] ?? points[0], 'both');
    expect(killed, `kill ${kills}`).toBe(true);
  }
  expect((await noted(grid)).length).toBeGreaterThanOrEqual(30);
  // Messages that were received and not deleted are hidden for a minute.
  grid.pass(61_000);
  await Promise.all(Array.from({ length: 14 }, () => grid.plugin.call('getReturnRequests', input)));
  grid.pass(61_000);
  await grid.plugin.call('getReturnRequests', input);
  expect(await noted(grid)).toEqual(ids);
  expect(backend.emulator.waiting('grid-events')).toBe(0);
  await grid.close();
});
