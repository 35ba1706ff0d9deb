import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Registration, SetUpOrder } from '../application/ports.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import type { Environment } from './environment.ts';
import { isObject } from './written.ts';

type Document = Readonly<Record<string, unknown>>;

/** Host Factory's conf folder, where the environment tells of it. */
export const confFolder = ({ HF_CONFDIR: conf = '', HF_TOP: top = '' }: Environment): string | undefined => {
  if (conf !== '') return conf;
  return top === '' ? undefined : join(top, 'conf');
};

/** The files in which Host Factory looks for plug-ins and providers. */
export const registrationFiles = (conf: string) => ({
  providerplugins: join(conf, 'providerplugins', 'hostProviderPlugins.json'),
  providers: join(conf, 'providers', 'hostProviders.json'),
});

/** A path with the variables that Host Factory expands; a path through links is told from what it leads to. */
export const realScripts = (env: Environment, path: unknown): string => {
  const expanded = resolve(String(path).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? ''));
  return existsSync(expanded) ? realpathSync(expanded) : expanded;
};

/** Where the installation is known from: install.sh keeps each version in a folder of its own and a link to the one in use. */
const stableHome = async (home: string): Promise<string> => {
  const folder = dirname(home);
  const links = (await readdir(folder, { withFileTypes: true })).filter((each) => each.isSymbolicLink());
  const found = links
    .map(({ name }) => join(folder, name))
    .find((link) => existsSync(link) && realpathSync(link) === home);
  return found ?? home;
};

/** The path beneath a variable of Host Factory, so that it holds when Host Factory moves. */
const withVariables = ({ HF_TOP: top = '', HF_VERSION: version = '' }: Environment, path: string): string => {
  const beneath = (folder: string): string | undefined => {
    const way = relative(folder, path);
    return way.startsWith('..') || resolve(way) === way ? undefined : way.replaceAll('\\', '/');
  };
  if (top === '') return path;
  const versioned = version === '' ? undefined : beneath(join(top, version));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Host Factory's own notation
  if (versioned !== undefined) return `${'${HF_TOP}/${HF_VERSION}'}/${versioned}`;
  const plain = beneath(top);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
  return plain === undefined ? path : `${'${HF_TOP}'}/${plain}`;
};

const entriesFor = (
  env: Environment,
  home: string,
  plugin: string,
  { instance, directory }: SetUpOrder,
): Readonly<Record<Registration['list'], Document>> => {
  const conf = confFolder(env);
  const isUsual = conf !== undefined && resolve(directory) === resolve(conf, 'providers', instance);
  return {
    providerplugins: { name: plugin, enabled: 1, scriptPath: `${withVariables(env, join(home, 'scripts'))}/` },
    providers: {
      name: instance,
      enabled: 1,
      plugin,
      confPath: isUsual ? `\${HF_CONFDIR}/providers/${instance}/` : `${resolve(directory)}/`,
      workPath: `\${HF_WORKDIR}/providers/${instance}/`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Host Factory's own notation
      logPath: '${HF_LOGDIR}/',
    },
  };
};

/** Rewritten without what JSON has no word for: a file with comments is left to its owner. */
const readStrictly = (file: string): Document => {
  if (!existsSync(file)) return { version: 2 };
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    if (isObject(value)) return value;
    throw new Error('it must hold one JSON object');
  } catch (cause) {
    const why = `cannot merge into ${file}: ${messageOf(cause)}; add the entry by hand (init without --register prints it)`;
    throw new PluginError('configuration.invalid', why, { cause });
  }
};

export interface PlannedRegistration extends Registration {
  /** The whole file with the entry in it, where it is to be written. */
  readonly text?: string;
}

const plan = (env: Environment, file: string, list: Registration['list'], entry: Document): PlannedRegistration => {
  const document = readStrictly(file);
  const entries: unknown = document[list] ?? [];
  if (!Array.isArray(entries)) throw new PluginError('configuration.invalid', `${file}: ${list} must be an array`);
  const there: unknown = entries.find((each: unknown) => isObject(each) && each['name'] === entry['name']);
  if (there === undefined) {
    const text = `${JSON.stringify({ ...document, [list]: [...entries, entry] }, null, 2)}\n`;
    return { file, list, entry, state: 'added', text };
  }
  const found = isObject(there) ? there : {};
  const isOurs =
    list === 'providers'
      ? found['plugin'] === entry['plugin']
      : realScripts(env, found['scriptPath']) === realScripts(env, entry['scriptPath']);
  if (isOurs) return { file, list, entry: found, state: 'was there' };
  const [what, otherwise] =
    list === 'providers' ? ['provider', '--instance'] : ['plug-in with other scripts', '--plugin'];
  throw new PluginError(
    'configuration.invalid',
    `${file} has another ${what} named ${String(entry['name'])}; choose another name with ${otherwise}`,
  );
};

/** The name by which this installation is registered already: a second instance runs the same plug-in. */
const registeredName = (env: Environment, home: string): string | undefined => {
  const conf = confFolder(env);
  const list = conf === undefined ? [] : readStrictly(registrationFiles(conf).providerplugins)['providerplugins'];
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const own = entries.filter(isObject).find(({ scriptPath }) => realScripts(env, scriptPath) === join(home, 'scripts'));
  return typeof own?.['name'] === 'string' ? own['name'] : undefined;
};

/** What is to be registered where. With `register`, throws `configuration.*` where the files do not allow it; writes nothing. */
export const planRegistration = async (
  env: Environment,
  home: string,
  order: SetUpOrder,
): Promise<readonly PlannedRegistration[]> => {
  const folder = await stableHome(home);
  const entries = entriesFor(env, folder, order.plugin ?? registeredName(env, home) ?? basename(folder), order);
  const conf = confFolder(env);
  if (order.register && (conf === undefined || !existsSync(conf))) {
    const why = conf === undefined ? 'neither HF_TOP nor HF_CONFDIR is set' : `there is no folder ${conf}`;
    throw new PluginError('configuration.missing', `cannot register: ${why}`);
  }
  const files = registrationFiles(conf ?? '$HF_CONFDIR');
  return (['providerplugins', 'providers'] as const).map((list) =>
    order.register
      ? plan(env, files[list], list, entries[list])
      : { file: files[list], list, entry: entries[list], state: 'to be added by you' },
  );
};
