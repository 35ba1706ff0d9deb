import { closeSync, createReadStream, fstatSync, readFileSync } from 'node:fs';
import { excerpt, isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { openForReading } from '../json/plain-file.ts';

const usage = (operation: string): string =>
  `usage: ${operation}.sh -f <file> | --data '<json>' | < <json on standard input>`;

type Source = { readonly name: string; readonly read: () => Promise<string> };

/** Bytes; all hosts of the largest cluster take a tenth of it. */
export const mostInput = 16 * 1_048_576;

const tooLarge = (name: string): PluginError =>
  new PluginError('input.invalid', `the input ${name} is larger than ${mostInput} bytes`);

/** Reads a stream to its end, and no more than memory can bear. */
const readAll = async (name: string, stream: AsyncIterable<unknown>): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > mostInput) throw tooLarge(name);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** A plain file is read at once; of a pipe nobody knows the end, nor whether anybody will write to it. */
const readFile = async (path: string): Promise<string> => {
  const descriptor = openForReading(path);
  const stats = fstatSync(descriptor);
  if (stats.isFIFO()) {
    const { Socket } = await import('node:net');
    return readAll(path, new Socket({ fd: descriptor, readable: true, writable: false }));
  }
  if (!stats.isFile()) return readAll(path, createReadStream(path, { fd: descriptor }));
  try {
    if (stats.size > mostInput) throw tooLarge(path);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
};

/** Where the input comes from: `-f <file>` as Host Factory calls it, `--data <json>`, else standard input. */
const sourceOf = (operation: string, args: readonly string[]): Source => {
  const [flag, value, ...rest] = args;
  if (flag === undefined) {
    if (process.stdin.isTTY) throw new PluginError('input.invalid', usage(operation));
    return { name: 'standard input', read: () => readAll('on standard input', process.stdin) };
  }
  if (value !== undefined && rest.length === 0) {
    if (flag === '-f' || flag === '--file') return { name: value, read: () => readFile(value) };
    if (flag === '--data') return { name: '--data', read: async () => value };
  }
  throw new PluginError('input.invalid', `unexpected arguments "${excerpt(args.join(' '))}"; ${usage(operation)}`);
};

/** An input's JSON. Throws `input.invalid`, naming the source and the place. */
export const parseInput = async (name: string, text: string, isOptional: boolean): Promise<unknown> => {
  if (isOptional && text.trim() === '') return {};
  try {
    return await parseJson(text);
  } catch (cause) {
    throw new PluginError('input.invalid', `the input ${name} is ${messageOf(cause)}`, { cause });
  }
};

/** The JSON input of an operation. Throws `input.unreadable` or `input.invalid`, naming the source and the place. */
export const readInput = async (
  operation: string,
  args: readonly string[],
  isOptional: boolean,
): Promise<{ readonly name: string; readonly value: unknown }> => {
  const { name, read } = sourceOf(operation, args);
  const text = await read().catch((cause: unknown) => {
    if (isPluginError(cause)) throw cause;
    throw new PluginError('input.unreadable', `cannot read the input file ${name}: ${messageOf(cause)}`, { cause });
  });
  return { name, value: await parseInput(name, text, isOptional) };
};
