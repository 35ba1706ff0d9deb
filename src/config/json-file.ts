import { messageOf, PluginError } from '../domain/errors.ts';
import { JsonSyntaxError, parseJson } from '../json/parse-json.ts';
import { readPlainFile } from '../json/plain-file.ts';

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

interface JsonFile {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
}

/**
 * The first of the files that exists, with its content; `known` again where that has not changed. Throws `configuration.invalid` when
 * it cannot be read as JSON.
 */
export const readFirst = async (files: readonly string[], known?: JsonFile): Promise<JsonFile | undefined> => {
  for (const file of files) {
    try {
      const text = readPlainFile(file).toString('utf8');
      if (file === known?.file && text === known.text) return known;
      return { file, text, value: await parseJson(text) };
    } catch (cause) {
      if (isAbsent(cause)) continue;
      const fault =
        cause instanceof JsonSyntaxError ? `${file} is ${cause.message}` : `cannot read ${file}: ${messageOf(cause)}`;
      throw new PluginError('configuration.invalid', fault, { cause });
    }
  }
  return undefined;
};

/** Reads like `readFirst`, time and again: what has not changed is the same object. */
export const rereading = (): ((files: readonly string[]) => Promise<JsonFile | undefined>) => {
  let last: JsonFile | undefined;
  return async (files) => {
    last = await readFirst(files, last);
    return last;
  };
};
