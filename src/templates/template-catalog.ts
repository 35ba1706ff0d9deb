import type { InstanceTypes } from '../application/ports/memory.ts';
import type { Logger } from '../application/ports/telemetry.ts';
import type { RejectedTemplate, TemplateCatalog } from '../application/ports/templates.ts';
import { candidates, type ProviderEnvironment } from '../config/environment.ts';
import { readFirst } from '../config/json-file.ts';
import { PluginError } from '../domain/errors.ts';
import { completeAttributes, type DerivationRules, missingAttributes } from '../domain/instance-type.ts';
import { type Template, type TemplateProblem, templateProblems } from '../domain/template/template.ts';
import { readTemplate } from './template-document.ts';
import { isObject, nameOf, templatesForm } from './template-entry.ts';
import type { TemplateDefaults } from './template-vocabulary.ts';

const entriesOf = (file: string, value: unknown): readonly unknown[] => {
  const templates = isObject(value) ? value['templates'] : undefined;
  if (Array.isArray(templates)) return templates;
  throw new PluginError('configuration.invalid', `${file} ${templatesForm}`);
};

interface Entry {
  readonly templateId: string;
  readonly template?: Template;
  readonly problems: readonly TemplateProblem[];
}

const readEntry = (
  entry: unknown,
  index: number,
  defaults: TemplateDefaults | undefined,
  warn: (templateId: string, warning: string) => void,
): Entry => {
  const templateId = nameOf(entry, index);
  if (!isObject(entry)) return { templateId, problems: [{ field: '', rule: 'must be an object' }] };
  const { template, problems, warnings } = readTemplate(entry, defaults);
  for (const { field, rule } of warnings) warn(templateId, `${field} ${rule}`);
  return { templateId, ...(template === undefined ? {} : { template }), problems };
};

export interface CatalogFacts {
  readonly instanceTypes: InstanceTypes;
  readonly rules: DerivationRules;
  /** For what templates leave out. */
  readonly defaults?: TemplateDefaults;
}

/** Fills in attributes left out, and applies the rules between fields. The table of types is read only where it is needed. */
const complete =
  ({ instanceTypes, rules }: CatalogFacts) =>
  async ({ templateId, template, problems }: Entry): Promise<Entry> => {
    if (template === undefined) return { templateId, problems };
    const table = missingAttributes(template).length === 0 ? new Map() : await instanceTypes.table();
    const completed = completeAttributes(template, table, rules);
    const all = [...problems, ...templateProblems(template), ...completed.problems];
    if (all.length > 0) return { templateId, problems: all };
    return { templateId, template: { ...template, attributes: completed.attributes }, problems: all };
  };

/** The templates of `<instance>prov_templates.json`, read anew for each call: an administrator may edit it at any time. */
export const createTemplateCatalog = (
  environment: ProviderEnvironment,
  facts: CatalogFacts,
  log: Logger,
): TemplateCatalog => ({
  read: async (only) => {
    const places = candidates(environment, 'prov_templates.json');
    const found = await readFirst(places);
    if (found === undefined) {
      throw new PluginError('configuration.missing', `no templates file; looked for ${places.join(', ')}`);
    }
    const { file } = found;
    const warn = (templateId: string, warning: string): void =>
      log.warn('template.warning', `${templateId} in ${file}: ${warning}`, { templateId });
    const templates = new Map<string, Template>();
    const rejected: RejectedTemplate[] = [];
    const written = entriesOf(file, found.value).flatMap((entry, index) =>
      only === undefined || nameOf(entry, index) === only ? [readEntry(entry, index, facts.defaults, warn)] : [],
    );
    for (const { templateId, template, problems } of await Promise.all(written.map(complete(facts)))) {
      if (template === undefined) rejected.push({ templateId, problems });
      else if (templates.has(templateId))
        rejected.push({ templateId, problems: [{ field: 'templateId', rule: 'stands twice' }] });
      else templates.set(templateId, template);
    }
    return { file, templates: [...templates.values()], rejected };
  },
});
