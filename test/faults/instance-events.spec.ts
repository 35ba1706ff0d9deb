import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createGrid } from './grid.ts';

it('a queue of 500 announcements is read by 20 processes, six of them killed: all are on record, once', async () => {
  const grid = await createGrid(() => [], { sweepIntervalMinutes: 0 });
  const { backend, plugin } = grid;
  backend.emulator.configure({ queues: ['grid-events'] });
  await plugin.configure({ eventQueue: `${backend.url}/123456789012/grid-events`, sweepIntervalMinutes: 0 });
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
    { call: 1, at: 'acted' },
    { call: 2, at: 'arrived' },
  ] as const;
  for (let kills = 0; kills < 6; kills++) {
    const { killed } = await grid.kill('getReturnRequests', input, points[kills % 2] ?? points[0], 'both');
    expect(killed, `kill ${kills}`).toBe(true);
  }
  expect((await readdir(join(plugin.workDir, 'instance-events'))).length).toBeGreaterThanOrEqual(30);
  // Messages that were received and not deleted are hidden for a minute.
  grid.pass(61_000);
  await Promise.all(Array.from({ length: 14 }, () => plugin.call('getReturnRequests', input)));
  grid.pass(61_000);
  await plugin.call('getReturnRequests', input);
  const noted = (await readdir(join(plugin.workDir, 'instance-events'))).map((name) => name.split('~')[0]);
  expect(noted.sort()).toEqual(ids);
  expect(backend.emulator.waiting('grid-events')).toBe(0);
  await grid.close();
});
