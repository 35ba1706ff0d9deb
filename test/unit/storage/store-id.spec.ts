import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readStoreId } from '../../../src/storage/store-id.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('is made once, whoever asks first, and told apart from any other', async () => {
  const folder = join(await temporaryFolder(), 'work');
  const ids = await Promise.all(Array.from({ length: 8 }, () => readStoreId(folder)));
  expect(new Set(ids).size).toBe(1);
  expect(await readStoreId(await temporaryFolder())).not.toBe(ids[0]);
});

it('is named when it is damaged, and never made anew', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'store-id'), 'nonsense');
  await expect(readStoreId(folder)).rejects.toMatchObject({
    code: 'storage.unreadable',
    message: expect.stringContaining('store-id'),
  });
});
