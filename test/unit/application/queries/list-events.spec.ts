import { expect, it } from 'vitest';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { origin, startWorld, uuid } from '../../provider-world.ts';

it('finds an event whose stream went on after the clock was set back', async () => {
  const world = await startWorld();
  const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
  const { version, events } = await world.streams.load(requestId);
  const late = (events.at(-1)?.at ?? 0) + 3_600_000;
  const next = await world.streams.append(requestId, version, [{ type: 'RequestClaimed', at: late }], origin);
  await world.streams.append(requestId, next, [{ type: 'RequestCompleted', at: late - 3_600_000 }], origin);
  const { items } = await world.service.listEvents({ from: String(late - 1) });
  expect(items.map(({ type, requestId: id }) => [type, id])).toEqual([['RequestClaimed', requestId]]);
});

it('of a request that is not on record finds nothing', async () => {
  const world = await startWorld();
  expect((await world.service.listEvents({ requestId: createIdOf(uuid(9)) })).items).toEqual([]);
});
