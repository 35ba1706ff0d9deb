import { expect, it } from 'vitest';
import { balance } from '../histories/balance.ts';
import { missing } from '../histories/played.ts';
import { runs, seed } from '../random.ts';

// Each of the two files has a core of its own.
it('the books balance in the end of five hundred histories, in which every kind of capacity meets what it can', async () => {
  const count = runs(500);
  expect(missing(await balance(count, seed + 2), count)).toEqual([]);
});
