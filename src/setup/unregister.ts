import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UnregisterOrder, Unregistration } from '../application/ports/setup.ts';
import type { Environment } from '../config/environment.ts';
import { PluginError } from '../domain/errors.ts';
import { isObject } from '../templates/template-entry.ts';
import { confFolder, readStrictly, realScripts, registrationFiles } from './registration.ts';
import { writeFiles } from './written-files.ts';

const missing = (text: string): PluginError => new PluginError('configuration.missing', text);

const entriesIn = (document: Readonly<Record<string, unknown>>, list: string): readonly unknown[] => {
  const entries: unknown = document[list];
  return Array.isArray(entries) ? entries : [];
};

const fieldOf = (entry: unknown, name: string): unknown => (isObject(entry) ? entry[name] : undefined);

const namesText = (providers: Readonly<Record<string, unknown>>): string =>
  entriesIn(providers, 'providers')
    .map((each) => String(fieldOf(each, 'name')))
    .join(', ') || 'none at all';

const leftText = (plugin: unknown): string =>
  plugin === undefined
    ? ''
    : `; no provider runs plug-in ${fieldOf(plugin, 'name')}: without --instance it is taken out`;

/**
 * Takes a provider, and the plug-in where no other provider runs it, out of Host Factory's files; copies stay beside. `apply: false`
 * only reports. Without a name, a plug-in that an earlier run has left without a provider. Throws `configuration.*` where the
 * provider is not registered, or runs another plug-in.
 */
export const unregister = async (
  env: Environment,
  home: string,
  { instance, isNamed, apply }: UnregisterOrder,
): Promise<Unregistration> => {
  const conf = confFolder(env);
  if (conf === undefined) throw missing('nothing tells where providers are registered: set HF_TOP or HF_CONFDIR');
  const files = registrationFiles(conf);
  const [plugins, providers] = [readStrictly(files.providerplugins), readStrictly(files.providers)];
  const provider = entriesIn(providers, 'providers').find((each) => fieldOf(each, 'name') === instance);
  const isOurs = (each: unknown): boolean =>
    realScripts(env, fieldOf(each, 'scriptPath')) === realScripts(env, join(home, 'scripts'));
  const isUsed = (each: unknown): boolean =>
    entriesIn(providers, 'providers').some((other) => fieldOf(other, 'plugin') === fieldOf(each, 'name'));
  const plugin = entriesIn(plugins, 'providerplugins').find((each) =>
    provider === undefined
      ? // Left over where an earlier run was ended between the two files.
        isOurs(each) && !isUsed(each)
      : fieldOf(each, 'name') === fieldOf(provider, 'plugin'),
  );
  if (provider === undefined && (isNamed || plugin === undefined))
    throw missing(`${files.providers} has no provider ${instance}, but ${namesText(providers)}${leftText(plugin)}`);
  if (plugin === undefined || !isOurs(plugin)) {
    const other = String(fieldOf(provider, 'plugin'));
    throw new PluginError('configuration.invalid', `provider ${instance} runs plug-in ${other}, not this installation`);
  }
  const others = entriesIn(providers, 'providers').filter((each) => each !== provider);
  const isLast = others.every((each) => fieldOf(each, 'plugin') !== fieldOf(plugin, 'name'));
  const rest = (document: object, list: string, left: readonly unknown[]): string =>
    `${JSON.stringify({ ...document, [list]: left }, null, 2)}\n`;
  const texts = [
    // First: a provider without its plug-in is an error to Host Factory, a plug-in without a provider is none.
    ...(provider === undefined ? [] : [{ file: files.providers, text: rest(providers, 'providers', others) }]),
    ...(isLast
      ? [
          {
            file: files.providerplugins,
            text: rest(
              plugins,
              'providerplugins',
              entriesIn(plugins, 'providerplugins').filter((each) => each !== plugin),
            ),
          },
        ]
      : []),
  ];
  const requestors =
    provider !== undefined && existsSync(files.requestors)
      ? entriesIn(readStrictly(files.requestors), 'requestors')
      : [];
  const users = requestors.filter((each) => {
    const named = fieldOf(each, 'providers');
    return Array.isArray(named) && named.includes(instance);
  });
  return {
    ...(provider === undefined ? {} : { instance }),
    files: texts.map(({ file }) => file),
    ...(isLast ? { plugin: String(fieldOf(plugin, 'name')) } : {}),
    requestors: users.map((each) => String(fieldOf(each, 'name'))),
    requestorsFile: files.requestors,
    backups: apply ? await writeFiles(texts) : [],
  };
};
