import { chmod } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { diagnoseWorkFolder } from '../../../src/storage/work-folder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it.each([
  [0o700, 'ok', 'links are exclusive'],
  [0o750, 'ok', 'links are exclusive'],
  [0o770, 'warning', 'may be written to by its group (mode 770)'],
  [0o777, 'warning', 'may be written to by everybody (mode 777)'],
])('a work folder of mode %o is told as %s', async (mode, status, what) => {
  const folder = await temporaryFolder();
  await chmod(folder, mode);
  const found = await diagnoseWorkFolder(folder, undefined);
  expect(found).toMatchObject([{ status, what: expect.stringContaining(what) }]);
  if (status === 'warning')
    expect(found).toMatchObject([
      { why: expect.stringContaining('hf-aws serve refuses it'), cure: `chmod go-w ${folder}` },
    ]);
});
