import { it } from 'vitest';
import { balance } from '../histories/balance.ts';

it('whatever happens to requests, returns and the calls that serve them, the books balance in the end', () =>
  balance(60));
