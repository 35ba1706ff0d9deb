import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Role, roles } from '../application/bus/origin.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';

export interface Caller {
  readonly user?: string;
  readonly role: Role;
}

/** Who a token belongs to; undefined for a token nobody has. */
export type Tokens = (token: string) => Caller | undefined;

interface Entry {
  readonly token: string;
  readonly user: string;
  readonly role: Role;
}

const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' &&
  value !== null &&
  'token' in value &&
  typeof value.token === 'string' &&
  value.token.length >= 16 &&
  'user' in value &&
  typeof value.user === 'string' &&
  value.user !== '' &&
  'role' in value &&
  roles.some((role) => role === value.role);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Reads `[{"token": "...", "user": "...", "role": "viewer | operator | admin"}]`. Throws `configuration.invalid` where others
 * can read the file, or a token is short or has no owner.
 */
export const readTokens = async (file: string): Promise<Tokens> => {
  const invalid = (rule: string): PluginError => new PluginError('configuration.invalid', `${file} ${rule}`);
  const [text, { mode }] = await Promise.all([readFile(file, 'utf8'), stat(file)]).catch((cause: unknown) => {
    throw new PluginError('configuration.invalid', `cannot read ${file}: ${messageOf(cause)}`, { cause });
  });
  if ((mode & 0o077) !== 0) throw invalid('must be private to its owner: chmod 600');
  const entries = await parseJson(text).catch((cause: unknown) => {
    throw new PluginError('configuration.invalid', `${file} is ${messageOf(cause)}`, { cause });
  });
  if (!Array.isArray(entries) || entries.length === 0) throw invalid('must hold a list of tokens');
  const known = entries.map((entry: unknown, index) => {
    if (isEntry(entry)) return { ...entry, digest: digest(entry.token) };
    throw invalid(`[${index}] must have a token of at least 16 characters, a user, and a role: ${roles.join(', ')}`);
  });
  return (token) => {
    const asked = digest(token);
    const found = known.filter((entry) => timingSafeEqual(entry.digest, asked))[0];
    return found === undefined ? undefined : { user: found.user, role: found.role };
  };
};
