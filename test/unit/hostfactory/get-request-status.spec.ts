import { expect, it } from 'vitest';
import { statusOf } from '../../../src/hostfactory/get-request-status.ts';

const over = '2026-01-01T00:00:00.000Z';

it.each([
  ['complete', over, false, 'complete'],
  ['complete_with_error', over, false, 'complete_with_error'],
  ['running', undefined, false, 'running'],
  // Host Factory would stop asking while the machines still run.
  ['cancelled', undefined, false, 'running'],
  ['cancelled', over, false, 'complete_with_error'],
  // The sweep may still release its machines.
  ['complete', over, true, 'running'],
] as const)(
  'a request that is %s, settled at %s, not claimed: %s, is told as %s',
  (status, settledAt, isUnclaimed, told) =>
    expect(statusOf({ status, ...(settledAt && { settledAt }) }, isUnclaimed)).toBe(told),
);
