import { excerpt, PluginError } from '../../domain/errors.ts';
import type { Template } from '../../domain/template/template.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { servedTemplate, text, words } from '../bus/shapes.ts';
import type { TemplateCatalog, TemplateOrigins } from '../ports/templates.ts';

export const getTemplate = defineOperation({
  name: 'GetTemplate',
  bus: 'query',
  role: 'viewer',
  title: 'Show one template as it is served, with the source of each value',
  input: { templateId: text },
  required: ['templateId'],
  answer: closed({
    file: words,
    template: servedTemplate,
    origins: {
      type: 'object',
      additionalProperties: words,
      description: 'By the path of the value, e.g. `attributes.rank`: template, templateDefaults, instance types, …',
    },
  }),
});

export interface GetTemplateAnswer {
  readonly file: string;
  readonly template: Template;
  /** Where each value comes from, by its path in the template, e.g. `attributes.rank`. */
  readonly origins: Readonly<Record<string, string>>;
}

export interface GetTemplatePorts {
  readonly templates: TemplateCatalog;
  readonly origins: TemplateOrigins;
}

/** One template as it is served, and where its values come from. Throws `template.not-found` and `template.invalid`. */
export const getTemplateHandler =
  ({ templates: catalog, origins }: GetTemplatePorts): HandlerOf<typeof getTemplate, GetTemplateAnswer> =>
  async ({ templateId }) => {
    const { file, templates, rejected } = await catalog.read(templateId);
    const [template] = templates;
    if (template !== undefined) return { file, template, origins: await origins(template) };
    if (rejected.length > 0)
      throw new PluginError('template.invalid', `${templateId} has faults: hf-aws templates validate ${templateId}`);
    throw new PluginError('template.not-found', `no template "${excerpt(templateId)}" in ${file}`);
  };
