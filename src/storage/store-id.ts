import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PluginError } from '../domain/errors.ts';
import { createFile, readIfPresent } from './atomic-file.ts';

const pathIn = (workDirectory: string): string => join(workDirectory, 'store-id');

/** What a host whose state is in a table remembers of it. */
const tablePathIn = (workDirectory: string): string => join(workDirectory, 'cache', 'table.json');

/**
 * Whether anything was ever kept in a work directory: the first call that speaks to AWS for Host Factory makes its id, or notes that
 * of the table.
 */
export const holdsStore = (workDirectory: string): boolean =>
  existsSync(pathIn(workDirectory)) || existsSync(tablePathIn(workDirectory));

/** The id of a work directory, where it was made already. Throws `storage.unreadable`. */
export const knownStoreId = async (workDirectory: string): Promise<string | undefined> => {
  const path = pathIn(workDirectory);
  const known = await readIfPresent(path);
  if (known === undefined) return undefined;
  const id = known.trim();
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new PluginError('storage.unreadable', `${path} does not hold an id`);
  return id;
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
