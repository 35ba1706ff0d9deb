import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Template } from '../../domain/template/template.ts';
import { listOf, named } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { pageOf, paging, pairs, rejectedTemplate, servedTemplate, words } from '../bus/shapes.ts';
import type { RejectedTemplate } from '../ports/templates.ts';
import { arrange, checkFields, listFields, type Paginated, paginate } from '../read-model/listing.ts';
import { type GetTemplatesPorts, matchesTemplate } from './get-templates.ts';

export const listTemplates = defineOperation({
  name: 'ListTemplates',
  bus: 'query',
  role: 'viewer',
  title: 'List the templates offered to Host Factory',
  input: { ...paging, filters: { ...pairs, description: 'Template fields and their required values' } },
  answer: named('TemplatePage', pageOf(servedTemplate, { file: words, rejected: listOf(rejectedTemplate) })),
});

export interface ListTemplatesAnswer extends Paginated<Template> {
  readonly file: string;
  readonly rejected: readonly RejectedTemplate[];
}

/** Templates for people: unlike Host Factory they get an empty list, with a warning, where the file cannot be read. */
export const listTemplatesHandler =
  ({ templates, priced, log }: GetTemplatesPorts): HandlerOf<typeof listTemplates, ListTemplatesAnswer> =>
  async ({ filters = {}, ...asked }) => {
    checkFields(listFields.templates, asked.sortBy, ...Object.keys(filters));
    try {
      const { file, templates: read, rejected } = await templates.read();
      const all = await priced(read);
      const found = arrange(
        all.filter((template) => matchesTemplate(template, filters)),
        asked,
      );
      const warnings = rejected.map(
        ({ templateId }) => `${templateId} is left out: hf-aws templates validate ${templateId}`,
      );
      return { ...paginate(found, asked), warnings, file, rejected };
    } catch (error) {
      if (!isPluginError(error)) throw error;
      log.error('list.unreadable', messageOf(error), { code: error.code });
      return { ...paginate([], asked), warnings: [], _warning: messageOf(error), file: '', rejected: [] };
    }
  };
