import { readFileSync } from 'node:fs';
import { messageOf, PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';

const usage = (operation: string): string =>
  `usage: ${operation}.sh -f <file> | --data '<json>' | < <json on standard input>`;

type Source = { readonly name: string; readonly read: () => Promise<string> };

const readStandardInput = async (): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  return Buffer.concat(chunks).toString('utf8');
};

/** Where the input comes from: `-f <file>` as Host Factory calls it, `--data <json>`, else standard input. */
const sourceOf = (operation: string, args: readonly string[]): Source => {
  const [flag, value, ...rest] = args;
  if (flag === undefined) {
    if (process.stdin.isTTY) throw new PluginError('input.invalid', usage(operation));
    return { name: 'standard input', read: readStandardInput };
  }
  if (value !== undefined && rest.length === 0) {
    if (flag === '-f' || flag === '--file') return { name: value, read: async () => readFileSync(value, 'utf8') };
    if (flag === '--data') return { name: '--data', read: async () => value };
  }
  throw new PluginError('input.invalid', `unexpected arguments "${args.join(' ')}"; ${usage(operation)}`);
};

/** The JSON input of an operation. Throws `input.unreadable` or `input.invalid`, naming the source and the place. */
export const readInput = async (
  operation: string,
  args: readonly string[],
  isOptional: boolean,
): Promise<{ readonly name: string; readonly value: unknown }> => {
  const { name, read } = sourceOf(operation, args);
  const text = await read().catch((cause: unknown) => {
    throw new PluginError('input.unreadable', `cannot read the input file ${name}: ${messageOf(cause)}`, { cause });
  });
  if (isOptional && text.trim() === '') return { name, value: {} };
  try {
    return { name, value: await parseJson(text) };
  } catch (cause) {
    throw new PluginError('input.invalid', `the input ${name} is ${messageOf(cause)}`, { cause });
  }
};
