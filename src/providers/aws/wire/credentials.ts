import { isPluginError, messageOf, PluginError } from '../../../domain/errors.ts';
import { readPlainFile } from '../../../json/plain-file.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Credentials for a signature. `refused`: AWS does not take these (any more), so others are looked for. */
export type CredentialProvider = (refused?: AwsCredentials) => Promise<AwsCredentials>;

/** Keeps a fact between calls for as long as `lifetime` says of it (ms). */
export type Remember = (
  key: string,
  lifetime: (value: string) => number,
  find: () => Promise<string>,
) => Promise<string>;

/** Where credentials come from; neither: the SDK's own chain (environment, shared files, instance role). */
export interface CredentialSource {
  readonly file?: string;
  readonly script?: string;
  /** Milliseconds after which the script is run again. */
  readonly renewAfter: number;
  /** Keeps the script's output between calls. */
  readonly remember: Remember;
  /** Drops an output that AWS refuses. */
  readonly forget: (output: string) => Promise<void>;
  /** Hears why credentials could not be renewed while older ones still work. */
  readonly warn: (problem: string) => void;
  readonly signal: AbortSignal;
}

/** The keys of one section of an ini file: `[default]`, then `key = value` lines. */
const iniSection = (text: string, section: string): ReadonlyMap<string, string> => {
  const values = new Map<string, string>();
  let current = '';
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) current = header.trim();
    const [key = '', ...value] = line.split('=');
    if (current === section && value.length > 0) values.set(key.trim().toLowerCase(), value.join('=').trim());
  }
  return values;
};

const jsonKeys = (text: string): ReadonlyMap<string, string> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map(Object.entries(value).map(([key, each]) => [key, typeof each === 'string' ? each : '']));
  } catch {
    return undefined;
  }
};

const toCredentials = (
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): AwsCredentials | undefined => {
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
};

/** Credentials in either form IBM's plug-ins take: a credentials file's text, or JSON as of `credential_process`. */
export const parseCredentials = (text: string): AwsCredentials | undefined => {
  const json = jsonKeys(text);
  if (json !== undefined)
    return toCredentials(json.get('AccessKeyId'), json.get('SecretAccessKey'), json.get('SessionToken'));
  const ini = iniSection(text, 'default');
  return toCredentials(ini.get('aws_access_key_id'), ini.get('aws_secret_access_key'), ini.get('aws_session_token'));
};

const orRefuse = (credentials: AwsCredentials | undefined, source: string): AwsCredentials => {
  if (credentials !== undefined) return credentials;
  throw new PluginError(
    'configuration.invalid',
    `${source} gives no aws_access_key_id and aws_secret_access_key for [default]`,
  );
};

/** Milliseconds the output may be used: the configured time, less when it says that it expires earlier. */
const lifetimeOf = (text: string, renewAfter: number): number => {
  const expiration = Date.parse(jsonKeys(text)?.get('Expiration') ?? '');
  return Number.isNaN(expiration) ? renewAfter : Math.max(0, Math.min(renewAfter, expiration - Date.now() - 60_000));
};

export const areSame = (one: AwsCredentials | undefined, other: AwsCredentials): boolean =>
  one?.accessKeyId === other.accessKeyId &&
  one.secretAccessKey === other.secretAccessKey &&
  one.sessionToken === other.sessionToken;

const runScript = async (
  script: string,
  { renewAfter, remember, forget, signal }: CredentialSource,
  refused: AwsCredentials | undefined,
): Promise<AwsCredentials> => {
  const run = async (): Promise<string> => {
    try {
      const [{ execFile }, { promisify }] = await Promise.all([import('node:child_process'), import('node:util')]);
      const { stdout } = await promisify(execFile)(script, [], { signal, maxBuffer: 1_000_000 });
      orRefuse(parseCredentials(stdout), `AWS_CREDENTIAL_SCRIPT ${script}`);
      return stdout;
    } catch (cause) {
      if (isPluginError(cause)) throw cause;
      // The output may hold half a secret: only the exit status is reported.
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      throw new PluginError('configuration.invalid', `AWS_CREDENTIAL_SCRIPT ${script} failed (${code})`);
    }
  };
  const recall = (): Promise<string> => remember(script, (output) => lifetimeOf(output, renewAfter), run);
  let text = await recall();
  if (refused !== undefined && areSame(parseCredentials(text), refused)) {
    await forget(text);
    text = await recall();
    // Where the disk takes nothing, the cache still has them.
    if (areSame(parseCredentials(text), refused)) text = await run();
  }
  return orRefuse(parseCredentials(text), `AWS_CREDENTIAL_SCRIPT ${script}`);
};

const readText = (file: string): string => {
  try {
    return readPlainFile(file).toString('utf8');
  } catch (cause) {
    const message = `AWS_CREDENTIAL_FILE cannot be read: ${messageOf(cause)}`;
    throw new PluginError('configuration.invalid', message, { cause });
  }
};

/** Seconds for which credentials are not looked up again: those of one call of a script, not those of a server. */
const recent = 2;

/**
 * The configured credentials, looked up anew now and then, as others may replace them; undefined where none are configured,
 * which leaves the choice to the SDK. Throws `configuration.invalid`, never with a secret.
 */
export const configuredCredentials = (source: CredentialSource): CredentialProvider | undefined => {
  const { file, script, warn } = source;
  if (file === undefined && script === undefined) return undefined;
  let last: { readonly credentials: AwsCredentials; readonly at: number } | undefined;
  const find = async (refused: AwsCredentials | undefined): Promise<AwsCredentials> =>
    script === undefined
      ? orRefuse(parseCredentials(readText(file ?? '')), `AWS_CREDENTIAL_FILE ${file}`)
      : runScript(script, source, refused);
  return async (refused) => {
    const at = process.uptime();
    if (last !== undefined && refused === undefined && at - last.at < recent) return last.credentials;
    try {
      last = { credentials: await find(refused), at };
    } catch (error) {
      // Somebody may just be writing the file: those known before may still be good.
      if (last === undefined) throw error;
      warn(messageOf(error));
    }
    return last.credentials;
  };
};
