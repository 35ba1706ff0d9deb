import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withLease } from '../../../src/storage/lease.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const time = { lifetime: 60_000, clock: Date.now };

describe('a lease', () => {
  it('is held by one at a time, and is free again afterwards, also after a fault', async () => {
    const path = join(await temporaryFolder(), 'lease');
    const inner = await withLease(path, time, () => withLease(path, time, async () => 'both'));
    expect(inner).toBeUndefined();
    await expect(withLease(path, time, () => Promise.reject(new Error('fault')))).rejects.toThrow('fault');
    expect(await withLease(path, time, async () => 'again')).toBe('again');
  });

  it('of somebody who was killed is taken over once it is too old, by one of those who try', async () => {
    const path = join(await temporaryFolder(), 'lease');
    await writeFile(path, 'somebody');
    expect(await withLease(path, time, async () => 'early')).toBeUndefined();
    await utimes(path, 1, 1);
    let held = 0;
    const taken = await Promise.all(
      Array.from({ length: 5 }, () =>
        withLease(path, time, async () => {
          held += 1;
          expect(held).toBe(1);
          await new Promise(setImmediate);
          held -= 1;
          return 'taken';
        }),
      ),
    );
    expect(taken).toContain('taken');
  });
});
