import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StateHead } from '../application/ports/state-copy.ts';
import { PluginError } from '../domain/errors.ts';
import { createFile, readIfPresent, replaceFile } from './atomic-file.ts';
import { usableId } from './store-mark.ts';

const pathIn = (workDirectory: string): string => join(workDirectory, 'store-id');

/** What a host whose state is in a table remembers of it. */
const tablePathIn = (workDirectory: string): string => join(workDirectory, 'cache', 'table.json');

/**
 * Whether anything was ever kept in a work directory: the first call that speaks to AWS for Host Factory makes its id, or notes that
 * of the table.
 */
export const holdsStore = (workDirectory: string): boolean =>
  existsSync(pathIn(workDirectory)) || existsSync(tablePathIn(workDirectory));

const folderName = (workDirectory: string): string => `the work folder ${workDirectory}`;

/** The id; in a second line the mark, where there is one. */
const form = /^([0-9a-f-]{36})(?:\n(left|filling) (\d+) (.+))?$/;

/** What a work directory says of itself, where anything was ever kept in it. Throws `storage.unreadable`. */
export const readHead = async (workDirectory: string): Promise<StateHead | undefined> => {
  const path = pathIn(workDirectory);
  const known = await readIfPresent(path);
  if (known === undefined) return undefined;
  const [, id, kind, at, other = ''] = form.exec(known.trim()) ?? [];
  if (id === undefined) throw new PluginError('storage.unreadable', `${path} does not hold an id`);
  return kind === 'left' || kind === 'filling' ? { id, mark: { kind, other, at: Number(at) } } : { id };
};

/** Makes the work directory a store, or changes its mark. Throws `storage.conflict` where it is another store by now. */
export const writeHead = async (workDirectory: string, { id, mark }: StateHead): Promise<void> => {
  const path = pathIn(workDirectory);
  const text = mark === undefined ? `${id}\n` : `${id}\n${mark.kind} ${mark.at} ${mark.other}\n`;
  if (await createFile(path, text)) return;
  if ((await readHead(workDirectory))?.id !== id)
    throw new PluginError('storage.conflict', `${folderName(workDirectory)} holds the state of another store by now`);
  await replaceFile(path, text);
};

/** The id of a work directory, where it was made already. Throws `storage.unreadable`, `storage.moved`. */
export const knownStoreId = async (workDirectory: string): Promise<string | undefined> => {
  const head = await readHead(workDirectory);
  return head === undefined ? undefined : usableId(folderName(workDirectory), head);
};

/**
 * The id of a work directory, made the first time: tells what it launched from what another installation of the same name
 * launched, or this one before its directory was lost. Throws `storage.*`.
 */
export const readStoreId = async (workDirectory: string): Promise<string> => {
  const known = await knownStoreId(workDirectory);
  if (known !== undefined) return known;
  await createFile(pathIn(workDirectory), `${process.getBuiltinModule('node:crypto').randomUUID()}\n`);
  return readStoreId(workDirectory);
};
