import files from 'node:fs';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFile, readIfPresent, replaceFile, sweepAbandoned } from '../../../src/storage/atomic-file.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

/** What is put on disk and under which names, in order. */
const diskWork = (): readonly string[] => {
  const done: string[] = [];
  const { fsyncSync, linkSync, renameSync } = files;
  const short = (path: unknown): string => basename(String(path)).replace(/\.\d+-[0-9a-f]+\.tmp$/, ' aside');
  files.fsyncSync = (descriptor) => {
    done.push(`fsync ${short(files.readlinkSync(`/proc/self/fd/${descriptor}`))}`);
    fsyncSync(descriptor);
  };
  files.linkSync = (from, to) => {
    done.push(`link ${short(from)}, ${short(to)}`);
    linkSync(from, to);
  };
  files.renameSync = (from, to) => {
    done.push(`rename ${short(from)}, ${short(to)}`);
    renameSync(from, to);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(files, { fsyncSync, linkSync, renameSync });
    syncBuiltinESMExports();
  });
  return done;
};

describe('a file is on disk before it has its name, and its name before anybody hears of it', () => {
  it('when it is created', async () => {
    const folder = join(await temporaryFolder(), 'folder');
    const done = diskWork();
    await createFile(join(folder, 'file'), 'text');
    expect(done.slice(-3)).toEqual(['fsync file aside', 'link file aside, file', 'fsync folder']);
    expect(done.filter((each) => each === 'fsync folder' || each.startsWith('fsync hf-aws-unit-'))).toHaveLength(2);
  });

  it('when it is replaced', async () => {
    const folder = await temporaryFolder();
    const done = diskWork();
    await replaceFile(join(folder, 'file'), 'text');
    expect(done).toEqual(['fsync file aside', 'rename file aside, file', `fsync ${basename(folder)}`]);
  });
});

describe('creating a file', () => {
  it('makes it and its folders, for their owner alone', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a', 'b', 'file');
    expect(await createFile(path, 'text')).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('text');
    expect([await modeOf(join(folder, 'a')), await modeOf(join(folder, 'a', 'b')), await modeOf(path)]).toEqual([
      '700',
      '700',
      '600',
    ]);
  });

  it('that exists does nothing', async () => {
    const path = join(await temporaryFolder(), 'file');
    await createFile(path, 'first');
    expect([await createFile(path, 'second'), await readFile(path, 'utf8')]).toEqual([false, 'first']);
  });

  it('leaves nothing beside it', async () => {
    const folder = await temporaryFolder();
    await createFile(join(folder, 'file'), 'first');
    await createFile(join(folder, 'file'), 'second');
    expect(await readdir(folder)).toEqual(['file']);
  });
});

describe('what killed processes left', () => {
  const left = 'a.json.123-0123456789ab.tmp';
  const minutes = 60_000;
  const sweepAt = async (now: number, age: number): Promise<readonly string[]> => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, left), '');
    const written = new Date(Date.now() - age);
    await utimes(join(folder, left), written, written);
    vi.useFakeTimers({ now, toFake: ['Date'] });
    await sweepAbandoned(folder, await readdir(folder));
    vi.useRealTimers();
    return readdir(folder);
  };

  it('is removed after ten minutes by the clock that dates files', async () => {
    expect(await sweepAt(Date.now(), 11 * minutes)).toEqual([]);
    expect(await sweepAt(Date.now() - 24 * 60 * minutes, 11 * minutes)).toEqual([]);
  });

  it('stays where only the clock of this host says that it is old', async () =>
    expect(await sweepAt(Date.now() + 24 * 60 * minutes, 9 * minutes)).toEqual([left]));
});

describe('replacing a file', () => {
  it('makes it, and makes it anew', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'new', 'file');
    await replaceFile(path, 'first');
    await replaceFile(path, 'second');
    expect([await readFile(path, 'utf8'), await modeOf(path), await readdir(join(folder, 'new'))]).toEqual([
      'second',
      '600',
      ['file'],
    ]);
  });

  it('by many at once leaves one of the texts, whole', async () => {
    const path = join(await temporaryFolder(), 'file');
    const texts = Array.from({ length: 10 }, (_, n) => String(n).repeat(10_000));
    await Promise.all(texts.map((text) => replaceFile(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
  });
});

describe('a file in place of a folder', () => {
  it.each([
    ['creating', createFile],
    ['replacing', replaceFile],
  ])('makes %s fail, naming the file', async (_, write) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'place'), '');
    const path = join(folder, 'place', 'file');
    await expect(write(path, 'text')).rejects.toMatchObject({
      code: 'storage.unwritable',
      message: `cannot write ${path} (ENOTDIR)`,
    });
  });

  it('makes reading fail, which is not the same as no file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'place'), '');
    expect(await readIfPresent(join(folder, 'nothing'))).toBeUndefined();
    await expect(readIfPresent(join(folder, 'place', 'file'))).rejects.toMatchObject({ code: 'storage.unreadable' });
  });
});
