import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Template } from '../../domain/template/template.ts';
import type { Handler, Operation } from '../bus/bus.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { RejectedTemplate, TemplateCatalog } from '../ports/templates.ts';
import { arrange, checkFields, type Listing, listFields, type Paginated, paginate } from '../read-model/listing.ts';
import { matchesTemplate } from './get-templates.ts';

export interface ListTemplates extends Listing {
  readonly type: 'ListTemplates';
  /** Template fields and the values they must have, e.g. `{priceType: 'spot'}`. */
  readonly filters?: Readonly<Record<string, string>> | undefined;
}

export interface ListTemplatesAnswer extends Paginated<Template> {
  readonly file: string;
  readonly rejected: readonly RejectedTemplate[];
}

/** Templates for people: unlike Host Factory they get an empty list, with a warning, where the file cannot be read. */
export const listTemplatesHandler =
  ({
    templates,
    log,
  }: {
    readonly templates: TemplateCatalog;
    readonly log: Logger;
  }): Handler<Operation<ListTemplates, ListTemplatesAnswer>> =>
  async ({ filters = {}, ...listing }) => {
    checkFields(listFields.templates, listing.sortBy, ...Object.keys(filters));
    try {
      const { file, templates: all, rejected } = await templates.read();
      const found = arrange(
        all.filter((template) => matchesTemplate(template, filters)),
        listing,
      );
      const warnings = rejected.map(
        ({ templateId }) => `${templateId} is left out: hf-aws templates validate ${templateId}`,
      );
      return { ...paginate(found, listing), warnings, file, rejected };
    } catch (error) {
      if (!isPluginError(error)) throw error;
      log.error('list.unreadable', messageOf(error), { code: error.code });
      return { ...paginate([], listing), warnings: [], _warning: messageOf(error), file: '', rejected: [] };
    }
  };
