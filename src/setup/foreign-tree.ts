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

const isOurs = (name: string): boolean => Object.values(suffixes).some((suffix) => name.endsWith(suffix));

const isBroker = (config: unknown): config is Written =>
  isObject(config) && isObject(config['provider']) && Array.isArray(config['provider']['providers']);

/** The first file with such a name that is not IBM's `awsprov_…`, else that one. */
const search = (folder: string, names: readonly string[], suffix: string): string | undefined => {
  const found = names.filter((name) => name.endsWith(suffix));
  const name = found.find((each) => each !== `aws${suffix}`) ?? found[0];
  return name === undefined ? undefined : join(folder, name);
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

const ibmTree = async (folder: string, names: readonly string[], chosen: string | undefined): Promise<ForeignTree> => {
  const faults: string[] = [];
  const configFile = search(folder, names, suffixes.config);
  const templatesFile = search(folder, names, suffixes.templates);
  const config = await attempt(configFile, faults, {}, asObject);
  const templates = await attempt(templatesFile, faults, [], asTemplates);
  if (templatesFile === undefined) faults.push('there is no templates file');
  const [suffix, file = ''] =
    configFile === undefined ? [suffixes.templates, templatesFile] : [suffixes.config, configFile];
  return {
    source: isOfLsf(folder, templates) ? 'IBM LSF' : 'IBM Symphony',
    folder,
    instance: chosen ?? basename(file).slice(0, -suffix.length),
    ...(configFile === undefined ? {} : { configFile }),
    config,
    ...(templatesFile === undefined ? {} : { templatesFile }),
    templates,
    faults,
  };
};

/** The files of one provider in a folder, or beside one of them. Throws `configuration.missing` where there are none, or several providers. */
export const findTree = async (named: string, chosen: string | undefined): Promise<ForeignTree> => {
  const path = resolve(named);
  const start = existsSync(path) && statSync(path).isFile() ? dirname(path) : path;
  const providers = await Promise.all(
    listsOfProviders.map(async (list) => (await namesIn(join(start, list))).map((name) => join(list, name))),
  );
  const folders = [...places, ...providers.flat()].map((place) => join(start, place));
  const found: { readonly folder: string; readonly names: readonly string[] }[] = [];
  for (const folder of folders) {
    const names = await namesIn(folder);
    if (names.includes('config.json')) {
      const config = await attempt<unknown>(join(folder, 'config.json'), [], undefined, (value) => value);
      if (isBroker(config)) return brokerTree(folder, config, chosen);
    }
    if (names.some(isOurs)) found.push({ folder, names });
  }
  const [first, ...others] = found;
  if (first === undefined) {
    const wanted = [...Object.values(suffixes).map((suffix) => `*${suffix}`), 'config.json of Open Resource Broker'];
    throw new PluginError('configuration.missing', `${start} and its conf have no ${wanted.join(' and no ')}`);
  }
  if (others.length > 0) {
    const list = found.map(({ folder }) => `\n  ${folder}`).join('');
    throw new PluginError('input.invalid', `there are several providers; name the folder of one:${list}`);
  }
  return ibmTree(first.folder, first.names, chosen);
};
