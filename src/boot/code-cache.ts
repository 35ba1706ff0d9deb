import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** V8's compiled form of one file of the program. */
export interface CompiledPart {
  readonly name: string;
  /** Tells the file's exact content. */
  readonly id: string;
  readonly code: Buffer;
}

/** Whoever can write compiled code here can run code as us: nobody but us and root may. */
const isOurs = ({ uid, mode }: Stats): boolean => (uid === process.geteuid?.() || uid === 0) && (mode & 0o022) === 0;

/** A link is nobody's folder. */
const isOurFolder = (path: string): boolean => {
  const folder = lstatSync(path);
  return folder.isDirectory() && isOurs(folder);
};

/**
 * The file is stored twice over, so that any damage shows: V8 checks nothing but the length, and damaged code would end the
 * process. Comparing costs a tenth of what loading a checksum from Node does.
 */
const unfold = (bytes: Buffer): Buffer | undefined => {
  const half = bytes.subarray(0, bytes.length / 2);
  return half.equals(bytes.subarray(half.length)) ? half : undefined;
};

const toBytes = (parts: readonly CompiledPart[]): Buffer => {
  const index = parts.map(({ name, id, code }) => ({ name, id, length: code.length }));
  const once = [Buffer.from(`${JSON.stringify(index)}\n`), ...parts.map(({ code }) => code)];
  return Buffer.concat([...once, ...once]);
};

const fromBytes = (bytes: Buffer): readonly CompiledPart[] => {
  const start = bytes.indexOf('\n') + 1;
  const index: readonly { name: string; id: string; length: number }[] = JSON.parse(bytes.toString('latin1', 0, start));
  let at = start;
  return index.map(({ name, id, length }) => {
    at += length;
    return { name, id, code: bytes.subarray(at - length, at) };
  });
};

/** What an earlier run kept, if nobody else can have had a hand in it. Throws when there is none. */
export const readCompiled = (directory: string, file: string): readonly CompiledPart[] => {
  if (!isOurFolder(directory)) return [];
  const descriptor = openSync(join(directory, file), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(descriptor);
    const bytes = stats.isFile() && isOurs(stats) ? unfold(readFileSync(descriptor)) : undefined;
    return bytes === undefined ? [] : fromBytes(bytes);
  } finally {
    closeSync(descriptor);
  }
};

const longestWriteMs = 60_000;

const makeDirectory = (path: string): void => {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch {
    // It is there, or the file cannot be written either.
  }
};

/** What writers that were killed have left behind. */
const sweepAside = (directory: string): void => {
  for (const name of readdirSync(directory).filter((each) => each.endsWith('.tmp'))) {
    const path = join(directory, name);
    const left = lstatSync(path, { throwIfNoEntry: false });
    if (left !== undefined && Date.now() - left.mtimeMs > longestWriteMs) unlinkSync(path);
  }
};

/** Keeps compiled code for the next run; of several writers one wins. Throws when it cannot, before `parts` is asked. */
export const writeCompiled = (
  [parent, directory]: readonly [string, string],
  file: string,
  parts: () => readonly CompiledPart[],
): void => {
  makeDirectory(parent);
  makeDirectory(directory);
  if (!isOurFolder(directory)) return;
  sweepAside(directory);
  const aside = join(directory, `${file}.${process.pid}.tmp`);
  const descriptor = openSync(aside, 'wx', 0o600);
  try {
    writeFileSync(descriptor, toBytes(parts()));
    fsyncSync(descriptor);
    renameSync(aside, join(directory, file));
  } catch (error) {
    unlinkSync(aside);
    throw error;
  } finally {
    closeSync(descriptor);
  }
};
