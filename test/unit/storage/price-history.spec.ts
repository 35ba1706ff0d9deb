import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createPriceHistory } from '../../../src/storage/price-history.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('the history of prices is kept for its Region and for the owner alone, and begins anew where it is damaged', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'cache', 'price-history.json');
  const here = createPriceHistory(folder, 'us-east-1');
  await here.note({ at: 1, onDemand: { a: 2 }, spot: {} });
  await here.note({ at: 3, onDemand: { a: 4 }, spot: { a: { z: 1 } } });
  const whole = {
    onDemand: {
      a: [
        [1, 2],
        [3, 4],
      ],
    },
    spot: { a: { z: [[3, 1]] } },
  };
  expect(await createPriceHistory(folder, 'us-east-1').history()).toMatchObject(whole);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await createPriceHistory(folder, 'eu-west-1').history()).toMatchObject({ onDemand: {}, spot: {} });
  await writeFile(file, '{"region":"us-east-1","onDemand":{"a":[[1,"2"]]},"spot":{}}');
  expect(await here.history()).toMatchObject({ onDemand: {}, spot: {} });
  await here.note({ at: 5, onDemand: { a: 6 }, spot: {} });
  expect(await here.history()).toMatchObject({ onDemand: { a: [[5, 6]] }, spot: {} });
});
