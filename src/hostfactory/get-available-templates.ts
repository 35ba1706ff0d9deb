import { PluginError } from '../domain/errors.ts';
import type { Template } from '../domain/template/template.ts';
import { asObject } from './fields.ts';
import type { Operation } from './operation.ts';

const row = ({ templateId, maxNumber, attributes, vmTypes, instanceTags }: Template) => ({
  templateId,
  maxNumber,
  attributes,
  ...(vmTypes === undefined ? {} : { vmTypes }),
  instanceTags: instanceTags.map(([key, value]) => `${key}=${value}`).join(';'),
});

/**
 * Serves the templates. An empty answer would make Host Factory drop the provider until it restarts, so a file without a single
 * good template is an error, which Host Factory tries again.
 */
export const getAvailableTemplates: Operation = async ({ service }, input) => {
  asObject(input, 'the input');
  const { file, templates, rejected } = await service.getTemplates();
  if (templates.length === 0) {
    const [first] = rejected;
    const why =
      first === undefined
        ? 'it lists none'
        : `${first.templateId}: ${first.problems.map(({ field, rule }) => `${field} ${rule}`).join('; ')}`;
    throw new PluginError('configuration.invalid', `${file} has no valid template (${why})`);
  }
  const left = rejected.length === 0 ? '' : ` ${rejected.length} invalid and left out: see the log.`;
  return { body: { message: `${templates.length} templates.${left}`, templates: templates.map(row) } };
};
