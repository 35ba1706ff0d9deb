import { expect, it } from 'vitest';
import { createIdOf } from '../../../src/domain/ids.ts';
import { createRequestStreams } from '../../../src/storage/request-streams.ts';
import { takingTurns } from '../../../src/storage/turns.ts';
import { origin, uuid } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('others have their turn while streams are read one after the other', async () => {
  const streams = takingTurns(createRequestStreams(await temporaryFolder(), { remembers: true }));
  const id = createIdOf(uuid(1));
  await streams.append(id, 0, [{ type: 'RequestCompleted', at: 1 }], origin);
  // The first may wait for a turn of its own.
  await streams.load(id);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  for (let reads = 0; reads < 50_000 && turns === 0; reads++) await streams.load(id);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});
