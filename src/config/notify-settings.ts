import { access, constants, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { messageOf, PluginError } from '../domain/errors.ts';
import { problemsOf } from '../json/problems.ts';
import type { Environment } from './environment.ts';
import { notifySchema } from './notify.schema.ts';
import { validateNotify } from './notify.validator.ts';

export interface NotifySettings {
  readonly command?: readonly [string, ...string[]];
  readonly webhook?: { readonly url: string; readonly secret: string };
  readonly silentMinutes: number;
  readonly refusedMinutes: number;
  readonly unreachableMinutes: number;
  readonly repeatMinutes: number;
}

export interface NotifySource {
  /** The parameter as it is written. */
  readonly written: Readonly<Record<string, unknown>>;
  /** The file it is written in, for messages. */
  readonly file: string;
  /** Paths are relative to it. */
  readonly confDir: string;
  readonly env: Environment;
}

type Invalid = (field: string, rule: string) => PluginError;

const leastSecret = 16;

const isLoopback = ({ hostname }: URL): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);

const urlOf = (text: string, invalid: Invalid): string => {
  if (!URL.canParse(text)) throw invalid('webhook', 'must be a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw invalid('webhook', 'must hold no user and no password: what is written here is no secret');
  if (url.protocol !== 'https:' && !isLoopback(url))
    throw invalid('webhook', 'must begin with https://, unless it is on this machine');
  return url.href;
};

const secretIn = async (file: string, invalid: Invalid): Promise<string> => {
  try {
    const [text, { mode }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    if ((mode & 0o077) !== 0) throw invalid('secretFile', `must be private to its owner: chmod 600 ${file}`);
    return text.trim();
  } catch (error) {
    if (error instanceof PluginError) throw error;
    throw invalid('secretFile', `cannot be read: ${messageOf(error)}`);
  }
};

const secretOf = async ({ written, confDir, env }: NotifySource, invalid: Invalid): Promise<string> => {
  const { secretFile: file, secretVariable: variable } = written;
  const isFile = typeof file === 'string';
  if (isFile === (typeof variable === 'string'))
    throw invalid('webhook', 'needs either secretFile or secretVariable, with the secret that signs');
  const field = isFile ? 'secretFile' : 'secretVariable';
  const secret = isFile
    ? await secretIn(isAbsolute(file) ? file : join(confDir, file), invalid)
    : (env[String(variable)] ?? '').trim();
  if (secret.length < leastSecret) throw invalid(field, `must give at least ${leastSecret} characters`);
  if (secret.startsWith('whsec_') && !/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(secret))
    throw invalid(field, 'begins with whsec_, so the rest must be base64');
  return secret;
};

const commandOf = async (written: unknown, invalid: Invalid): Promise<readonly [string, ...string[]] | undefined> => {
  const [program, ...rest] = Array.isArray(written) ? written.map(String) : [];
  if (program === undefined) return undefined;
  if (!isAbsolute(program)) throw invalid('command.0', 'must be the full path of a program');
  await access(program, constants.X_OK).catch((error: unknown) => {
    throw invalid('command.0', `cannot be run: ${messageOf(error)}`);
  });
  return [program, ...rest];
};

const minutesIn = (written: NotifySource['written'], name: Minutes): number => {
  const value = written[name];
  return typeof value === 'number' ? value : notifySchema.properties[name].default;
};
type Minutes = 'silentMinutes' | 'refusedMinutes' | 'unreachableMinutes' | 'repeatMinutes';

/**
 * Who is to be notified, and when; undefined where nobody is. Throws `configuration.invalid`, naming file, field and rule, for
 * what cannot be used.
 */
export const readNotifySettings = async (source: NotifySource): Promise<NotifySettings | undefined> => {
  const { written, file } = source;
  const invalid: Invalid = (field, rule) =>
    new PluginError('configuration.invalid', `${file}: notify${field === '' ? '' : `.${field}`} ${rule}`);
  if (Object.keys(written).length === 0) return undefined;
  if (!validateNotify(written)) {
    const [problem] = problemsOf(validateNotify.errors);
    throw invalid(problem?.field ?? '', problem?.rule ?? 'is not valid');
  }
  const command = await commandOf(written['command'], invalid);
  const url = typeof written['webhook'] === 'string' ? urlOf(written['webhook'], invalid) : undefined;
  if (command === undefined && url === undefined) throw invalid('', 'needs a command or a webhook');
  for (const name of ['secretFile', 'secretVariable'])
    if (url === undefined && written[name] !== undefined) throw invalid(name, 'needs a webhook');
  return {
    ...(command === undefined ? {} : { command }),
    ...(url === undefined ? {} : { webhook: { url, secret: await secretOf(source, invalid) } }),
    silentMinutes: minutesIn(written, 'silentMinutes'),
    refusedMinutes: minutesIn(written, 'refusedMinutes'),
    unreachableMinutes: minutesIn(written, 'unreachableMinutes'),
    repeatMinutes: minutesIn(written, 'repeatMinutes'),
  };
};
