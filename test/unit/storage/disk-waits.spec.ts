import { expect, it } from 'vitest';
import { sharing } from '../../../src/storage/disk-waits.ts';

it('calls that come while a folder waits for the disk share the next wait, which begins after they have asked', async () => {
  const waits: (() => void)[] = [];
  const sync = sharing(() => new Promise((resolve) => void waits.push(resolve)));
  let over = 0;
  const ask = async (path = '/folder'): Promise<void> => {
    await sync(path);
    over += 1;
  };
  const first = ask();
  const others = Array.from({ length: 20 }, () => ask());
  const elsewhere = ask('/other');
  expect(waits).toHaveLength(2);
  waits[0]?.();
  waits[1]?.();
  await Promise.all([first, elsewhere]);
  // What the first wait has put on disk may not hold theirs.
  expect([over, waits.length]).toEqual([2, 3]);
  waits[2]?.();
  await Promise.all(others);
  expect([over, waits.length]).toEqual([22, 3]);
  const last = ask();
  waits[3]?.();
  await last;
  expect(waits).toHaveLength(4);
});

it('a wait that fails fails those who share it, and not the next', async () => {
  const waits: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  const sync = sharing(() => new Promise((resolve, reject) => void waits.push({ resolve, reject })));
  const [first, second, third] = [sync('/folder'), sync('/folder'), sync('/folder')];
  waits[0]?.reject(new Error('EIO'));
  await expect(first).rejects.toThrow('EIO');
  waits[1]?.resolve();
  await expect(Promise.all([second, third])).resolves.toHaveLength(2);
});
