import type { Template } from '../../domain/template/template.ts';
import type { Handler, Message, Operation } from '../bus/bus.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { RejectedTemplate, TemplateCatalog } from '../ports/templates.ts';

export interface GetTemplates extends Message {
  readonly type: 'GetTemplates';
  /** Template fields and the values they must have, e.g. `{priceType: 'spot'}`. */
  readonly filters?: Readonly<Record<string, string>>;
  readonly limit?: number;
  readonly offset?: number;
}

export interface GetTemplatesAnswer {
  readonly file: string;
  readonly templates: readonly Template[];
  /** Templates with faults: never served, always logged. */
  readonly rejected: readonly RejectedTemplate[];
}

export interface GetTemplatesPorts {
  readonly templates: TemplateCatalog;
  readonly log: Logger;
}

export const matchesTemplate = (template: Template, filters: Readonly<Record<string, string>>): boolean => {
  const fields = new Map<string, unknown>(Object.entries(template));
  return Object.entries(filters).every(([field, value]) => String(fields.get(field) ?? '') === value);
};

/** The templates of the configured file. Throws `configuration.*` when the file cannot be read as a whole. */
export const getTemplatesHandler =
  ({ templates, log }: GetTemplatesPorts): Handler<Operation<GetTemplates, GetTemplatesAnswer>> =>
  async ({ filters = {}, limit, offset = 0 }) => {
    const { file, templates: all, rejected } = await templates.read();
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
