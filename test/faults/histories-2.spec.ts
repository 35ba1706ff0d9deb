import { it } from 'vitest';
import { balance } from '../histories/balance.ts';

// Each of the two files has a core of its own.
it('the books balance in the end of five hundred histories', () => balance(500, 2));
