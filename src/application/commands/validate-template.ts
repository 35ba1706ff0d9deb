import { PluginError } from '../../domain/errors.ts';
import { type TemplateProblem, templateProblems } from '../../domain/template.ts';
import type { Command, Handler, Operation } from '../bus.ts';
import type { Logger, TemplateCatalog } from '../ports.ts';

export interface ValidateTemplate extends Command {
  readonly type: 'ValidateTemplate';
  readonly templateId: string;
}

export interface ValidateTemplateAnswer {
  readonly templateId: string;
  readonly file: string;
  readonly isValid: boolean;
  readonly errors: readonly TemplateProblem[];
}

export interface ValidateTemplatePorts {
  readonly templates: TemplateCatalog;
  readonly log: Logger;
}

/** Checks one configured template against every rule. Throws `template.not-found`. */
export const validateTemplateHandler =
  ({ templates, log }: ValidateTemplatePorts): Handler<Operation<ValidateTemplate, ValidateTemplateAnswer>> =>
  async ({ templateId }) => {
    log.info('template.validating', templateId);
    const reading = await templates.read();
    const template = reading.templates.find((candidate) => candidate.templateId === templateId);
    const rejected = reading.rejected.find((candidate) => candidate.templateId === templateId);
    if (template === undefined && rejected === undefined) {
      throw new PluginError('template.not-found', `no template "${templateId}" in ${reading.file}`);
    }
    const errors = [...(rejected?.problems ?? []), ...(template === undefined ? [] : templateProblems(template))];
    log.info('template.validated', `${templateId}: ${errors.length} problems`);
    return { templateId, file: reading.file, isValid: errors.length === 0, errors };
  };
