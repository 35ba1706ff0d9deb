import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { strangerTo } from '../../../src/storage/ownership.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const isRoot = process.geteuid?.() === 0;

/** A folder of another user: root can make one, everybody else finds one. */
const foreignFolder = async (): Promise<string> => {
  if (!isRoot) return '/usr';
  const folder = await temporaryFolder();
  await chown(folder, 54_321, 54_321);
  return folder;
};

it('who owns the work folder may write to it, and who may make it', async () => {
  const folder = await temporaryFolder();
  expect(strangerTo(folder)).toBeUndefined();
  expect(strangerTo(join(folder, 'not', 'there'))).toBeUndefined();
});

it('anybody else is told whose it is, and how to be that user', async () => {
  const folder = await foreignFolder();
  expect(strangerTo(folder)).toBe(
    isRoot
      ? `the work folder ${folder} is that of user id 54321: run this as user id 54321, e.g. sudo -u '#54321' ...`
      : `the work folder ${folder} is that of root: run this as root, e.g. sudo -u root ...`,
  );
});

it.runIf(isRoot)('root makes no folder in that of another user', async () => {
  const folder = await foreignFolder();
  expect(strangerTo(join(folder, 'providers', 'awsinst'))).toMatch(/user id 54321/);
  await mkdir(join(folder, 'own'));
  expect(strangerTo(join(folder, 'own'))).toBeUndefined();
});
