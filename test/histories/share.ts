import { balance } from './balance.ts';

// One of the processes of many.ts: plays so many histories of a seed and tells what was played.
const [count = 0, seed = 0] = process.argv.slice(2).map(Number);
const played = await balance(count, seed);
process.send?.([...played]);
