import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
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

describe.runIf(isRoot)('of a folder that its group may write to', () => {
  const [root, owner, other] = [0, 54_321, 54_322];
  const group = 54_400;

  /** What a process of this user, which is in the group, is told. */
  const toldTo = (uid: number, folder: string): string => {
    const source = join(import.meta.dirname, '../../../src/storage/ownership.ts');
    const bundle = buildSync({ entryPoints: [source], bundle: true, platform: 'node', format: 'cjs', write: false });
    const script = `${bundle.outputFiles[0]?.text};process.stdout.write(String(module.exports.strangerTo(${JSON.stringify(folder)})))`;
    return execFileSync(process.execPath, ['-e', script], { uid, gid: group, cwd: '/', encoding: 'utf8' });
  };

  /** Root's folder, with the files of the user that ran the scripts so far. */
  const shared = async (user: number | undefined, mode = 0o700): Promise<string> => {
    const parent = await temporaryFolder();
    for (const each of [dirname(parent), parent]) if (each !== '/tmp') await chmod(each, 0o755);
    const folder = join(parent, 'work');
    await mkdir(folder);
    await chown(folder, root, group);
    await chmod(folder, 0o2775);
    if (user === undefined) return folder;
    const [requests, id] = [join(folder, 'requests'), join(folder, 'store-id')];
    await mkdir(requests);
    await writeFile(id, 'x');
    for (const path of [requests, id]) await chown(path, user, group);
    await chmod(requests, mode);
    await chmod(id, mode & 0o666);
    return folder;
  };

  it('the user that the files in it are of, and the first to come, may write', async () => {
    expect(toldTo(owner, await shared(owner))).toBe('undefined');
    expect(toldTo(owner, await shared(undefined))).toBe('undefined');
    const closed = await shared(undefined);
    await chmod(closed, 0o755);
    expect(toldTo(owner, closed)).toMatch(/ is that of root: run this as root/);
  });

  it('another user may where the files are open to the group, else not; root never', async () => {
    expect(toldTo(other, await shared(owner))).toMatch(/ is that of user id 54321: /);
    expect(toldTo(other, await shared(owner, 0o770))).toBe('undefined');
    expect(strangerTo(await shared(owner, 0o770))).toMatch(/ is that of user id 54321: /);
    expect(strangerTo(await shared(root))).toBeUndefined();
    expect(toldTo(owner, await shared(root))).toMatch(/ is that of root: /);
  });
});
