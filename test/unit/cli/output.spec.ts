import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isUnread } from '../../../src/cli/output.ts';
import { temporaryFolder } from '../temporary-folder.ts';

it('a pipe is known to have lost its reader before anything more is written to it', async () => {
  const pipe = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY);
  const before = isUnread(writer);
  closeSync(reader);
  expect([before, isUnread(writer)]).toEqual([false, true]);
  closeSync(writer);
});

it('a file has no reader to lose', async () => {
  const file = openSync(join(await temporaryFolder(), 'out'), 'w');
  expect(isUnread(file)).toBe(false);
  closeSync(file);
});
