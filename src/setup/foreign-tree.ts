import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ImportReport } from '../application/ports/setup.ts';
import { messageOf, PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { isObject, plain, templatesForm } from '../templates/template-entry.ts';
import type { Written } from '../templates/template-vocabulary.ts';

/** Another plug-in's files as they are found. */
export interface ForeignTree {
  readonly source: ImportReport['source'];
  readonly folder: string;
  readonly instance: string;
  readonly configFile?: string;
  readonly config: Written;
  readonly templatesFile?: string;
  readonly templates: readonly unknown[];
  readonly faults: readonly string[];
}

export type Decision = ImportReport['decisions'][number];

/** A document of ours, and what a person has to look at. */
export interface Translated {
  readonly document: Written;
  readonly decisions: readonly Decision[];
}

const suffixes = { config: 'prov_config.json', templates: 'prov_templates.json' } as const;

/** From the folder named on: IBM's `conf`, LSF's resource connector, Symphony's providers. */
const places = ['.', 'conf', 'config', 'aws/conf', 'resource_connector/aws/conf', 'conf/resource_connector/aws/conf'];
const listsOfProviders = ['providers', 'conf/providers'];

const namesIn = async (folder: string): Promise<readonly string[]> =>
  existsSync(folder) && statSync(folder).isDirectory() ? (await readdir(folder)).sort() : [];

const isBroker = (config: unknown): config is Written =>
  isObject(config) && isObject(config['provider']) && Array.isArray(config['provider']['providers']);

/** A provider of IBM's: the files of its name, or those named `awsprov_…`, which any provider of the folder falls back to. */
interface Place {
  readonly folder: string;
  readonly instance: string;
  readonly configFile?: string;
  readonly templatesFile?: string;
}

const placesIn = (folder: string, names: readonly string[], isOfList: boolean): readonly Place[] => {
  const found = Object.values(suffixes).flatMap((suffix) =>
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length)),
  );
  const instances = [...new Set(found)];
  const own = instances.filter((name) => name !== 'aws');
  return (own.length > 0 ? own : instances).map((name) => {
    const file = (suffix: string): string | undefined =>
      [`${name}${suffix}`, `aws${suffix}`].find((each) => names.includes(each));
    const [config, templates] = [file(suffixes.config), file(suffixes.templates)];
    return {
      folder,
      // IBM names the folder for the provider.
      instance: name === 'aws' && isOfList ? basename(folder) : name,
      ...(config === undefined ? {} : { configFile: join(folder, config) }),
      ...(templates === undefined ? {} : { templatesFile: join(folder, templates) }),
    };
  });
};

const lsfNames = [
  'spotprice',
  'ec2fleetconfig',
  'ondemandtargetcapacityratio',
  'userdata',
  'priority',
  'gpuextend',
  'computeunit',
];

const isOfLsf = (folder: string, templates: readonly unknown[]): boolean =>
  folder.includes('resource_connector') ||
  templates.some((each) => isObject(each) && Object.keys(each).some((name) => lsfNames.includes(plain(name))));

const attempt = async <T>(
  file: string | undefined,
  faults: string[],
  otherwise: T,
  read: (value: unknown) => T,
): Promise<T> => {
  if (file === undefined) return otherwise;
  try {
    return read(await parseJson(await readFile(file, 'utf8')));
  } catch (error) {
    faults.push(`${file} cannot be read: ${messageOf(error)}`);
    return otherwise;
  }
};

const asObject = (value: unknown): Written => {
  if (isObject(value)) return value;
  throw new Error('it must hold one JSON object');
};

const asTemplates = (value: unknown): readonly unknown[] => {
  const list = isObject(value) ? value['templates'] : value;
  if (Array.isArray(list)) return list;
  throw new Error(`it ${templatesForm}`);
};

/** The broker takes the first of these that is there. */
const brokerTemplates = (instance: string): readonly string[] => [
  `${instance}_templates.json`,
  'aws_templates.json',
  'awsprov_templates.json',
  'templates.json',
];

const brokerTree = async (folder: string, config: Written, chosen: string | undefined): Promise<ForeignTree> => {
  const faults: string[] = [];
  const provider = isObject(config['provider']) ? config['provider'] : {};
  const list: readonly unknown[] = Array.isArray(provider['providers']) ? provider['providers'] : [];
  const named = list.filter(isObject).filter(({ type = 'aws' }) => type === 'aws');
  const taken = named.find(({ name }) => name === chosen) ?? named.find(({ enabled }) => enabled !== false);
  const name = String(taken?.['name'] ?? 'aws');
  const names = await namesIn(folder);
  const found = brokerTemplates(name).find((each) => names.includes(each));
  const templatesFile = found === undefined ? undefined : join(folder, found);
  if (templatesFile === undefined) faults.push(`there is no templates file in ${folder}`);
  return {
    source: 'Open Resource Broker',
    folder,
    instance: (chosen ?? name).replaceAll(/[^A-Za-z0-9._-]/g, '-'),
    configFile: join(folder, 'config.json'),
    config,
    ...(templatesFile === undefined ? {} : { templatesFile }),
    templates: await attempt(templatesFile, faults, [], asTemplates),
    faults,
  };
};

const ibmTree = async (
  { folder, configFile, templatesFile, instance }: Place,
  chosen: string | undefined,
): Promise<ForeignTree> => {
  const faults: string[] = [];
  const config = await attempt(configFile, faults, {}, asObject);
  const templates = await attempt(templatesFile, faults, [], asTemplates);
  if (templatesFile === undefined) faults.push('there is no templates file');
  return {
    source: isOfLsf(folder, templates) ? 'IBM LSF' : 'IBM Symphony',
    folder,
    instance: chosen ?? instance,
    ...(configFile === undefined ? {} : { configFile }),
    config,
    ...(templatesFile === undefined ? {} : { templatesFile }),
    templates,
    faults,
  };
};

/**
 * The files of one provider in a folder, or beside one of them. Throws `configuration.missing` where there are none, `input.invalid`
 * where there are several providers and none is chosen.
 */
export const findTree = async (where: string, chosen: string | undefined): Promise<ForeignTree> => {
  const path = resolve(where);
  const start = existsSync(path) && statSync(path).isFile() ? dirname(path) : path;
  const providers = await Promise.all(
    [...listsOfProviders, ...(basename(start) === 'providers' ? ['.'] : [])].map(async (list) =>
      (await namesIn(join(start, list))).map((name) => join(list, name)),
    ),
  );
  const found: Place[] = [];
  for (const place of [...places, ...providers.flat()]) {
    const folder = join(start, place);
    const names = await namesIn(folder);
    if (names.includes('config.json')) {
      const config = await attempt<unknown>(join(folder, 'config.json'), [], undefined, (value) => value);
      if (isBroker(config)) return brokerTree(folder, config, chosen);
    }
    found.push(...placesIn(folder, names, providers.flat().includes(place)));
  }
  const [first, ...others] = found;
  if (first === undefined) {
    const wanted = [...Object.values(suffixes).map((suffix) => `*${suffix}`), 'config.json of Open Resource Broker'];
    throw new PluginError('configuration.missing', `${start} and its conf have no ${wanted.join(' and no ')}`);
  }
  if (others.length === 0) return ibmTree(first, chosen);
  const named = found.filter(({ instance }) => instance === chosen);
  if (named[0] !== undefined && named.length === 1) return ibmTree(named[0], chosen);
  const list = found.map(({ instance, folder }) => `\n  --instance ${instance}  in ${folder}`).join('');
  throw new PluginError('input.invalid', `there are several providers; take one after the other:${list}`);
};
