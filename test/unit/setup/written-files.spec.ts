import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeFiles } from '../../../src/setup/written-files.ts';

describe('files that replace others', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'written-files-'));
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it('keep the copy of an earlier run of the same second', async () => {
    const file = join(folder, 'a.json');
    writeFileSync(file, 'original');
    await writeFiles([{ file, text: 'first' }]);
    await writeFiles([{ file, text: 'second' }]);
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(texts.toSorted()).toEqual(['first', 'original', 'second']);
  });

  it('are written where a link leads, and leave the link', async () => {
    const [file, link] = [join(folder, 'a.json'), join(folder, 'link.json')];
    writeFileSync(file, 'original');
    symlinkSync(file, link);
    await writeFiles([{ file: link, text: 'new' }]);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });
});
