import type { Adapter } from 'lowdb';
import { messageOf, PluginError } from '../domain/errors.ts';
import { type CreateOptions, createFile, readIfPresent, replaceFile } from './atomic-file.ts';

const readJson = async <T>(path: string, isValid: (value: unknown) => value is T): Promise<T | null> => {
  const text = await readIfPresent(path);
  if (text === undefined) return null;
  const value = parse(path, text);
  if (isValid(value)) return value;
  throw new PluginError('storage.unreadable', `${path} does not hold what this program writes there`);
};

const parse = (path: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PluginError('storage.unreadable', `${path} is not JSON (${messageOf(cause)})`, { cause });
  }
};

/**
 * lowdb over a document that is written once. `write` throws `storage.conflict` when another process has written it first;
 * that is how two processes never append the same version of a stream, without a lock that a killed one could leave behind.
 */
export const writeOnceDocument = <T>(
  path: string,
  isValid: (value: unknown) => value is T,
  options?: CreateOptions,
): Adapter<T> => ({
  read: () => readJson(path, isValid),
  write: async (data) => {
    const created = await createFile(path, `${JSON.stringify(data)}\n`, options);
    if (!created) throw new PluginError('storage.conflict', `${path} was written by another process`);
  },
});

/** lowdb over a document that is replaced as a whole; of two writers the later wins. For what can be had again. */
export const replaceableDocument = <T>(path: string, isValid: (value: unknown) => value is T): Adapter<T> => ({
  read: () => readJson(path, isValid),
  write: (data) => replaceFile(path, `${JSON.stringify(data)}\n`),
});
