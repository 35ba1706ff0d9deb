import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makePipeFolder } from '../../../src/api/pipe-places.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const folderFor = (workDir: string, memory?: string): string => {
  const folder = makePipeFolder(workDir, memory);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
/** Puts the pipe there that tells whether a server reads. */
const pipeIn = (folder: string): string => {
  execFileSync('mkfifo', [join(folder, 'calls')]);
  return join(folder, 'calls');
};

describe("the folder of a server's pipes", () => {
  it("is in memory, and its owner's alone", async () => {
    const folder = folderFor(await temporaryFolder());
    expect(dirname(folder)).toBe('/dev/shm');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each(['/proc', '/nowhere'])('is in the work folder where %s keeps no files in memory', async (memory) => {
    const workDir = await temporaryFolder();
    const folder = folderFor(workDir, memory);
    expect(dirname(folder)).toBe(workDir);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('is cleared away by the next server when its own is gone, not while one reads there, nor for another work folder', async () => {
    const [workDir, other] = [await temporaryFolder(), await temporaryFolder()];
    const left = folderFor(workDir);
    const served = folderFor(workDir);
    expect(existsSync(left)).toBe(false);
    const reader = openSync(pipeIn(served), constants.O_RDWR);
    const foreign = folderFor(other);
    pipeIn(foreign);
    folderFor(workDir);
    expect([served, foreign].map((each) => existsSync(each))).toEqual([true, true]);
    closeSync(reader);
    folderFor(workDir);
    expect([served, foreign].map((each) => existsSync(each))).toEqual([false, true]);
  });
});
