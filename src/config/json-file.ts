import { messageOf, PluginError } from '../domain/errors.ts';
import { JsonSyntaxError, parseJson } from '../json/parse-json.ts';
import { readPlainFile } from '../json/plain-file.ts';

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

/** The first of the files that exists, with its content. Throws `configuration.invalid` when it cannot be read as JSON. */
export const readFirst = async (
  files: readonly string[],
): Promise<{ readonly file: string; readonly value: unknown } | undefined> => {
  for (const file of files) {
    try {
      return { file, value: await parseJson(readPlainFile(file).toString('utf8')) };
    } catch (cause) {
      if (isAbsent(cause)) continue;
      const fault =
        cause instanceof JsonSyntaxError ? `${file} is ${cause.message}` : `cannot read ${file}: ${messageOf(cause)}`;
      throw new PluginError('configuration.invalid', fault, { cause });
    }
  }
  return undefined;
};
