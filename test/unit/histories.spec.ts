import { it } from 'vitest';
import { balance } from '../histories/balance.ts';
import { runs, seed } from '../random.ts';
import { times } from '../times.ts';

// So many as are played within a few seconds; a machine in heavy use takes its time.
it(
  'whatever happens to requests, returns and the calls that serve them, the books balance in the end',
  async () => void (await balance(runs(25), seed + 1)),
  240_000 * times,
);
