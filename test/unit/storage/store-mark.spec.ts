import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PluginError } from '../../../src/domain/errors.ts';
import { createIdOf } from '../../../src/domain/ids.ts';
import { createRequestStreams } from '../../../src/storage/request-streams.ts';
import { guardedStreams } from '../../../src/storage/store-mark.ts';
import { uuid } from '../provider-world.ts';
import { temporaryFolder } from '../temporary-folder.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

const id = createIdOf(uuid(1));

/** Appends where the store is left just when the write begins, which takes so long, ms. */
const appendTaking = async (ms: number): Promise<number> => {
  const streams = createRequestStreams(await temporaryFolder());
  let isLeft = false;
  const slow: typeof streams.append = async (...batch) => {
    isLeft = true;
    vi.setSystemTime(Date.now() + ms);
    return streams.append(...batch);
  };
  const guarded = guardedStreams({ ...streams, append: slow }, async () => {
    if (isLeft) throw new PluginError('storage.moved', 'the state is elsewhere');
  });
  return guarded.append(id, 0, [{ type: 'RequestCancelled', at: 1, reason: 'a test' }], { correlationId: 'c' });
};

it('an append that a copy of the store waits for is believed', async () => {
  expect(await appendTaking(999)).toBe(1);
});

it('an append that took longer than a copy waits is refused once the store is left: nobody may find it', async () => {
  await expect(appendTaking(1000)).rejects.toMatchObject({ code: 'storage.moved' });
});
