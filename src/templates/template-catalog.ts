import type { Logger } from '../application/ports/telemetry.ts';
import type { RejectedTemplate, TemplateCatalog } from '../application/ports/templates.ts';
import { candidates, type ProviderEnvironment } from '../config/environment.ts';
import { rereading } from '../config/json-file.ts';
import { PluginError } from '../domain/errors.ts';
import type { Template, TemplateProblem } from '../domain/template/template.ts';
import { isObject, nameOf, templatesForm } from './template-entry.ts';
import { createJudge, type JudgeFacts } from './template-judge.ts';
import type { TemplateReader } from './template-reader.ts';

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

export interface CatalogFacts extends JudgeFacts {
  readonly read: TemplateReader;
}

/** The templates of `<instance>prov_templates.json`, read anew for each call: an administrator may edit it at any time. */
export const createTemplateCatalog = (
  environment: ProviderEnvironment,
  facts: CatalogFacts,
  log: Logger,
  readFile = rereading(),
  places = candidates(environment, 'prov_templates.json'),
): TemplateCatalog => ({
  read: async (only) => {
    const found = await readFile(places);
    if (found === undefined) {
      throw new PluginError('configuration.missing', `no templates file; looked for ${places.join(', ')}`);
    }
    const { file } = found;
    const judge = createJudge(facts);
    const readEntry = async (entry: unknown, index: number): Promise<Entry> => {
      const templateId = nameOf(entry, index);
      if (!isObject(entry)) return { templateId, problems: [{ field: '', rule: 'must be an object' }] };
      const { template, problems, warnings } = await facts.read(entry);
      for (const { field, rule } of warnings)
        log.warn('template.warning', `${templateId} in ${file}: ${field} ${rule}`, { templateId });
      if (template === undefined) return { templateId, problems };
      const judgement = await judge(template);
      const outside = judgement.outside.flatMap(({ severity, field, rule }) =>
        severity === 'error' ? [{ field, rule }] : [],
      );
      return {
        templateId,
        template: judgement.template,
        problems: [...problems, ...judgement.problems, ...outside],
      };
    };
    const templates: Template[] = [];
    const rejected: RejectedTemplate[] = [];
    const seen = new Set<string>();
    const written = entriesOf(file, found.value).flatMap((entry, index) =>
      only === undefined || nameOf(entry, index) === only ? [readEntry(entry, index)] : [],
    );
    for (const { templateId, template, problems } of await Promise.all(written)) {
      const twice = seen.has(templateId) ? [{ field: 'templateId', rule: 'is used twice' }] : [];
      seen.add(templateId);
      if (template === undefined || problems.length + twice.length > 0)
        rejected.push({ templateId, problems: [...twice, ...problems] });
      else templates.push(template);
    }
    return { file, templates, rejected };
  },
});
