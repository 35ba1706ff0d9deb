import type { Template } from '../../domain/template/template.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { count, pairs, positive, rejectedTemplate, servedTemplate, words } from '../bus/shapes.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { RejectedTemplate, TemplateCatalog } from '../ports/templates.ts';

export const getTemplates = defineOperation({
  name: 'GetTemplates',
  bus: 'query',
  role: 'viewer',
  title: 'List the templates offered to Host Factory',
  isHot: true,
  input: {
    filters: { ...pairs, description: 'Template fields and their required values' },
    limit: positive,
    offset: count,
  },
  answer: closed({
    file: words,
    templates: listOf(servedTemplate),
    rejected: { ...listOf(rejectedTemplate), description: 'Invalid templates: logged, never served' },
  }),
});

export interface GetTemplatesAnswer {
  readonly file: string;
  readonly templates: readonly Template[];
  /** Invalid templates: logged, never served. */
  readonly rejected: readonly RejectedTemplate[];
}

/** The templates as they are offered: with prices and ranks where they are asked for. */
export type Priced = (templates: readonly Template[]) => Promise<readonly Template[]>;

export interface GetTemplatesPorts {
  readonly templates: TemplateCatalog;
  readonly priced: Priced;
  readonly log: Logger;
}

export const matchesTemplate = (template: Template, filters: Readonly<Record<string, string>>): boolean => {
  const fields = new Map<string, unknown>(Object.entries(template));
  return Object.entries(filters).every(([field, value]) => String(fields.get(field) ?? '') === value);
};

/** The templates of the configured file. Throws `configuration.*` when the file cannot be read as a whole. */
export const getTemplatesHandler =
  ({ templates, priced, log }: GetTemplatesPorts): HandlerOf<typeof getTemplates, GetTemplatesAnswer> =>
  async ({ filters = {}, limit, offset = 0 }) => {
    const { file, templates: read, rejected } = await templates.read();
    const all = await priced(read);
    for (const { templateId, problems } of rejected) {
      for (const { field, rule } of problems) {
        log.error('template.rejected', `${templateId} in ${file}: ${field} ${rule}`, { templateId, field });
      }
    }
    const found = all.filter((template) => matchesTemplate(template, filters));
    const page = found.slice(offset, limit === undefined ? undefined : offset + limit);
    log.debug('templates.read', `${page.length} of ${all.length} templates`, { file });
    return { file, templates: page, rejected };
  };
