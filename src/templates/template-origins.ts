import type { TemplateOrigins } from '../application/ports/templates.ts';
import { candidates, type ProviderEnvironment } from '../config/environment.ts';
import { readFirst } from '../config/json-file.ts';
import type { Template } from '../domain/template/template.ts';
import { isObject, nameOf } from './template-entry.ts';
import type { TemplateReader } from './template-reader.ts';
import { layersOf, type TemplateDefaults, tagsOf, type Written } from './template-vocabulary.ts';

interface OriginFacts {
  readonly read: TemplateReader;
  readonly defaults: TemplateDefaults;
}

/** The schema's name, where a template as it is served has another. */
const writtenAs = (field: string): string => (field === 'subnetIds' ? 'subnetId' : field);

/** Attributes that follow from the instance types, where nobody writes them. */
const derived: readonly string[] = ['type', 'ncpus', 'nram'];

const entryOf = async (environment: ProviderEnvironment, templateId: string): Promise<Written> => {
  const found = await readFirst(candidates(environment, 'prov_templates.json'));
  const templates = isObject(found?.value) ? found.value['templates'] : undefined;
  const entries: readonly unknown[] = Array.isArray(templates) ? templates : [];
  const entry = entries.find((each, index) => nameOf(each, index) === templateId);
  return isObject(entry) ? entry : {};
};

/** Where each value of a template comes from. Attributes and tags are listed one by one, since defaults are merged with them. */
export const createTemplateOrigins =
  (environment: ProviderEnvironment, { read, defaults }: OriginFacts): TemplateOrigins =>
  async (template) => {
    const { document, names } = await read(await entryOf(environment, template.templateId));
    const layers = layersOf(defaults)(document);
    const written = (field: string): string => {
      const name = names.get(field);
      return name === undefined ? 'template' : `template (${name})`;
    };
    const originOf = (field: string, isIn: (layer: Written) => boolean): string | undefined => {
      const layer = layers.find(({ fields }) => isIn(fields));
      return layer?.name === 'template' ? written(field) : layer?.name;
    };
    const inside = (
      field: 'attributes' | 'instanceTags',
      key: string,
      otherwise: string,
    ): readonly [string, string] => {
      const isIn = (layer: Written): boolean => {
        const value = layer[field];
        return Object.hasOwn(field === 'attributes' ? (isObject(value) ? value : {}) : tagsOf(value), key);
      };
      return [`${field}.${key}`, originOf(field, isIn) ?? otherwise];
    };
    const { attributes, instanceTags, ...rest } = template;
    const isEmpty = (value: Template[keyof typeof rest]): boolean => Array.isArray(value) && value.length === 0;
    return Object.fromEntries([
      ...Object.entries(rest)
        .filter(([, value]) => !isEmpty(value))
        .map(([name]): readonly [string, string] => {
          const field = writtenAs(name);
          return [name, originOf(field, (layer) => layer[field] !== undefined) ?? 'program default'];
        }),
      ...Object.keys(attributes).map((key) =>
        inside('attributes', key, derived.includes(key) ? 'instance types' : 'program default'),
      ),
      ...instanceTags.map(([key]) => inside('instanceTags', key, 'program default')),
    ]);
  };
