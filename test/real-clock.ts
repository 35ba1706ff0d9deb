import { setTimeout as realTimeout } from 'node:timers';
import { afterAll, expect } from 'vitest';

const realDate = Date;

// Files share a process: a clock that one leaves behind stops the next.
afterAll(() => {
  expect(globalThis.setTimeout, 'a file puts the real timers back').toBe(realTimeout);
  expect(Date, 'a file puts the real clock back').toBe(realDate);
});
