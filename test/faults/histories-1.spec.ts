import { it } from 'vitest';
import { balance } from '../histories/balance.ts';

// Half of ten thousand: each file has a core of its own.
it('the books balance in the end of five thousand histories', () => balance(5000), 1_800_000);
