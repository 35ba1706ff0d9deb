import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Registration, SetUpOrder } from '../application/ports/setup.ts';
import { type Environment, type ProviderEnvironment, readEnvironment } from '../config/environment.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { isObject } from '../templates/template-entry.ts';

type Document = Readonly<Record<string, unknown>>;

/** Host Factory's conf folder, where the environment names it. */
export const confFolder = ({ HF_CONFDIR: conf = '', HF_TOP: top = '' }: Environment): string | undefined => {
  if (conf !== '') return conf;
  return top === '' ? undefined : join(top, 'conf');
};

/** The files in which Host Factory looks for plug-ins, providers and who may use them. */
export const registrationFiles = (conf: string) => ({
  providerplugins: join(conf, 'providerplugins', 'hostProviderPlugins.json'),
  providers: join(conf, 'providers', 'hostProviders.json'),
  requestors: join(conf, 'requestors', 'hostRequestors.json'),
});

/** Host Factory's folders lie in its own where its environment does not tell others. */
const variable = (env: Environment, name: string): string | undefined => {
  const top = env['HF_TOP'] ?? '';
  const usual = { HF_CONFDIR: 'conf', HF_WORKDIR: 'work', HF_LOGDIR: 'log' };
  const folder = Object.entries(usual).find(([each]) => each === name)?.[1];
  const value = env[name] ?? '';
  return value !== '' || folder === undefined || top === '' ? value || undefined : join(top, folder);
};

const expand = (env: Environment, path: string): string =>
  path.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => variable(env, name) ?? '');

/** A path with the variables that Host Factory expands; a path through links is not the same as where it leads. */
export const realScripts = (env: Environment, path: unknown): string => {
  const expanded = resolve(expand(env, String(path)));
  return existsSync(expanded) ? realpathSync(expanded) : expanded;
};

type Entry = Readonly<Record<string, unknown>>;

/** The entries of one of Host Factory's lists. Throws what reading it or its JSON gives. */
export const entriesOf = async (file: string, list: string): Promise<readonly Entry[]> => {
  const document: unknown = await parseJson(await readFile(file, 'utf8'));
  const found: unknown = isObject(document) ? document[list] : undefined;
  return Array.isArray(found) ? found.filter(isObject) : [];
};

/** A provider as Host Factory knows it, its folders as it will tell them. */
export interface RegisteredProvider {
  readonly name: string;
  readonly enabled: boolean;
  readonly plugin: string;
  /** Whether its plug-in is this installation. */
  readonly isOurs: boolean;
  readonly confPath: string;
  readonly workPath: string;
  readonly logPath: string;
}

const missing = (text: string): PluginError => new PluginError('configuration.missing', text);

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** The providers in `hostProviders.json`. Undefined where the environment does not tell where that file is. */
export const registeredProviders = async (
  env: Environment,
  home: string,
): Promise<{ readonly file: string; readonly providers: readonly RegisteredProvider[] } | undefined> => {
  const conf = confFolder(env);
  if (conf === undefined) return undefined;
  const files = registrationFiles(conf);
  const read = (list: 'providerplugins' | 'providers') =>
    entriesOf(files[list], list).catch((cause: unknown) => {
      if (isAbsent(cause))
        throw missing(`there is no ${files[list]}: nothing is registered there; hf-aws init --register does`);
      throw new PluginError('configuration.invalid', `cannot read ${files[list]}: ${messageOf(cause)}`, { cause });
    });
  const ours = (await read('providerplugins'))
    .filter(({ scriptPath }) => realScripts(env, scriptPath) === join(home, 'scripts'))
    .map(({ name }) => name);
  const providers = (await read('providers')).map((entry): RegisteredProvider => {
    const name = String(entry['name']);
    const path = (field: string, usual: string): string =>
      expand(env, typeof entry[field] === 'string' ? entry[field] : usual);
    return {
      name,
      enabled: entry['enabled'] !== 0,
      plugin: String(entry['plugin']),
      isOurs: ours.includes(entry['plugin']),
      confPath: path('confPath', `\${HF_CONFDIR}/providers/${name}`),
      workPath: path('workPath', `\${HF_WORKDIR}/providers/${name}`),
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Host Factory's own notation
      logPath: path('logPath', '${HF_LOGDIR}'),
    };
  });
  return { file: files.providers, providers };
};

const namesOf = (providers: readonly RegisteredProvider[]): string =>
  providers.map(({ name }) => name).join(', ') || 'none';

/**
 * The provider that people mean who run a command by hand: the one they name, else the only one of this installation that Host
 * Factory knows. Asked where the environment tells no places, or a name was
 * given. Throws `configuration.*` where there is none, or more than one.
 */
export const findProvider = async (
  env: Environment,
  home: string,
  name: string | undefined,
): Promise<ProviderEnvironment> => {
  const fromEnvironment = (env['HF_PROVIDER_NAME'] ?? env['PROVIDER_NAME'] ?? '').trim();
  const wanted = name ?? (fromEnvironment === '' ? undefined : fromEnvironment);
  const registered = await registeredProviders(env, home);
  if (registered === undefined) {
    if (name === undefined || name === fromEnvironment) return readEnvironment(env);
    throw missing(`nothing tells where provider ${name} is registered: set HF_TOP`);
  }
  const { file, providers } = registered;
  const ours = providers.filter(({ isOurs }) => isOurs);
  const matching = wanted === undefined ? ours : ours.filter((each) => each.name === wanted);
  const [found, another] = matching;
  if (another !== undefined)
    throw missing(
      `${file} has several providers of this installation: choose one of ${namesOf(ours)} with HF_PROVIDER_NAME, or --provider of hf-aws`,
    );
  if (found !== undefined) {
    const { confPath, workPath, logPath } = found;
    const places = { HF_PROVIDER_CONFDIR: confPath, HF_PROVIDER_WORKDIR: workPath, HF_PROVIDER_LOGDIR: logPath };
    return { ...readEnvironment({ ...env, HF_PROVIDER_NAME: found.name, ...places }), registeredIn: file };
  }
  const other = providers.find((each) => each.name === name);
  if (other !== undefined)
    throw missing(`provider ${name} in ${file} runs plug-in ${other.plugin}, not this installation`);
  if (name !== undefined) throw missing(`${file} has no provider ${name}; of this installation: ${namesOf(ours)}`);
  return readEnvironment(env);
};

/** Where the installation is known from: install.sh keeps each version in a folder of its own and a link to the one in use. */
export const stableHome = async (home: string): Promise<string> => {
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
export const readStrictly = (file: string): Document => {
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
  /** The whole file with the new entry, where there is one to write. */
  readonly text?: string;
}

interface Plan {
  readonly env: Environment;
  readonly file: string;
  readonly list: Registration['list'];
  readonly entry: Document;
  readonly force: boolean;
}

/** What `hostProviders.json` held before there were plug-ins: no version, and the scripts of each provider. */
const refuseFirstVersion = (
  { env, file, entry }: Plan,
  document: Document,
  entries: readonly unknown[],
  home: string,
) => {
  const isFirst =
    Number(document['version'] ?? 1) < 2 && entries.some((each) => isObject(each) && 'scriptPath' in each);
  if (!isFirst) return;
  const { name, enabled } = entry;
  const confPath = expand(env, String(entry['confPath']));
  const own = JSON.stringify({ name, enabled, confPath, scriptPath: `${join(home, 'scripts')}/` });
  throw new PluginError(
    'configuration.invalid',
    `${file} has the form of Symphony 7.2 and older, which init does not write; run it without --register, and add ${own}`,
  );
};

const plan = ({ env, file, list, entry, force }: Plan, home: string): PlannedRegistration => {
  const document = readStrictly(file);
  const entries: unknown = document[list] ?? [];
  if (!Array.isArray(entries)) throw new PluginError('configuration.invalid', `${file}: ${list} must be an array`);
  const textWith = (changed: readonly unknown[]) => `${JSON.stringify({ ...document, [list]: changed }, null, 2)}\n`;
  if (list === 'providers') refuseFirstVersion({ env, file, list, entry, force }, document, entries, home);
  const there: unknown = entries.find((each: unknown) => isObject(each) && each['name'] === entry['name']);
  if (there === undefined) return { file, list, entry, state: 'added', text: textWith([...entries, entry]) };
  const found = isObject(there) ? there : {};
  const isOurs =
    list === 'providers'
      ? found['plugin'] === entry['plugin']
      : realScripts(env, found['scriptPath']) === realScripts(env, entry['scriptPath']);
  if (isOurs) return { file, list, entry: found, state: 'was there' };
  const refuse = (what: string, cure: string): PluginError =>
    new PluginError('configuration.invalid', `${file} has another ${what} named ${String(entry['name'])}${cure}`);
  if (list === 'providerplugins') throw refuse('plug-in with other scripts', '; choose another name with --plugin');
  const before = String(found['plugin']);
  if (found['enabled'] !== 0 && !force)
    throw refuse('provider', `, enabled for plug-in ${before}: --force takes it over, --instance chooses another name`);
  const taken = { ...found, ...entry };
  const changed = entries.map((each: unknown) => (each === there ? taken : each));
  return { file, list, entry: taken, state: 'taken over', before, text: textWith(changed) };
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
      ? plan({ env, file: files[list], list, entry: entries[list], force: order.force }, folder)
      : { file: files[list], list, entry: entries[list], state: 'to be added by you' },
  );
};
