import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type CompiledPart, readCompiled, writeCompiled } from '../../../src/boot/code-cache.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const parts: readonly CompiledPart[] = [
  { name: './main.cjs', id: 'a', code: Buffer.from('compiled main\n{}') },
  { name: './aws.cjs', id: 'b', code: Buffer.alloc(100_000, 'aws') },
];
const file = 'requestMachines-v20-x64';

const setUp = async () => {
  const work = await temporaryFolder();
  const cache = join(work, 'cache');
  const directory = join(cache, 'code');
  const write = (what: readonly CompiledPart[]): void => writeCompiled([cache, directory], file, () => what);
  write(parts);
  return { work, directory, path: join(directory, file), write };
};
type Place = Awaited<ReturnType<typeof setUp>>;

const read = ({ directory }: Place): readonly CompiledPart[] => {
  try {
    return readCompiled(directory, file);
  } catch {
    return [];
  }
};

/** Who is not root cannot give a file away, but can pretend to be another. */
const giveAway = async (path: string): Promise<void> => {
  if (process.getuid?.() === 0) return chown(path, 12345, 12345);
  vi.spyOn(process, 'geteuid').mockReturnValue(12345);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
};

const change = async (path: string, spoil: (bytes: Buffer) => unknown): Promise<void> => {
  const bytes = await readFile(path);
  spoil(bytes);
  await writeFile(path, bytes);
};

const putLink = async (path: string, elsewhere: string): Promise<void> => {
  await rename(path, elsewhere);
  await symlink(elsewhere, path);
};

it('is read as it was written, and private', async () => {
  const place = await setUp();
  expect(read(place)).toEqual(parts);
  expect((await stat(place.path)).mode & 0o777).toBe(0o600);
  expect((await stat(place.directory)).mode & 0o777).toBe(0o700);
});

it('takes away what killed writers have left, but nothing that may be being written', async () => {
  const { directory, write } = await setUp();
  const [dead, alive] = [`${file}.1.tmp`, `${file}.2.tmp`];
  for (const name of [dead, alive]) await writeFile(join(directory, name), 'half');
  const ago = new Date(Date.now() - 120_000);
  await utimes(join(directory, dead), ago, ago);
  write(parts);
  expect((await readdir(directory)).sort()).toEqual([file, alive].sort());
});

it('is replaced as a whole, with nothing left beside', async () => {
  const place = await setUp();
  place.write(parts.slice(0, 1));
  expect(read(place)).toEqual(parts.slice(0, 1));
  expect(await readdir(place.directory)).toEqual([file]);
});

it.each<[string, (place: Place) => Promise<unknown>]>([
  ['cut short', ({ path }) => truncate(path, 5000)],
  ['empty', ({ path }) => truncate(path, 0)],
  ['something else', ({ path }) => writeFile(path, 'something else')],
  ['with one bit turned', ({ path }) => change(path, (bytes) => bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000))],
  ['with a page of zeros', ({ path }) => change(path, (bytes) => bytes.fill(0, 8192, 12_288))],
  ['a folder', ({ path }) => rename(path, `${path}.old`).then(() => mkdir(path))],
  ['somebody else’s', ({ path }) => giveAway(path)],
  ['in a folder of somebody else’s', ({ directory }) => giveAway(directory)],
  ['writable by others', ({ path }) => chmod(path, 0o622)],
  ['in a folder the group may write to', ({ directory }) => chmod(directory, 0o770)],
  ['a link', ({ path, work }) => putLink(path, join(work, 'elsewhere'))],
  ['in a folder that is a link', ({ directory, work }) => putLink(directory, join(work, 'elsewhere'))],
])('is not taken when it is %s', async (_what, spoil) => {
  const place = await setUp();
  await spoil(place);
  expect(read(place)).toEqual([]);
});
