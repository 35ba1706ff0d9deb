import { excerpt, PluginError } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Command, Handler, Operation } from '../bus/bus.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { TemplateChecker, TemplateInspector } from '../ports/templates.ts';

export interface ValidateTemplate extends Command {
  readonly type: 'ValidateTemplate';
  /** Only this template; default: all of the file. */
  readonly templateId?: string | undefined;
  /** Default: the configured one. */
  readonly file?: string | undefined;
  /** Whether AWS is asked too. */
  readonly aws?: boolean | undefined;
}

export interface ValidateTemplateAnswer {
  readonly file: string;
  /** Ids of the templates looked at. */
  readonly templates: readonly string[];
  /** Whether there is no error; warnings do not count. */
  readonly isValid: boolean;
  /** Both in the order of the file. */
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

export interface ValidateTemplatePorts {
  readonly checker: TemplateChecker;
  readonly inspector: () => Promise<TemplateInspector>;
  readonly log: Logger;
}

/** Every problem of one template or all, with its place in the file. Throws `template.not-found` for one that is not in it. */
export const validateTemplateHandler =
  ({ checker, inspector, log }: ValidateTemplatePorts): Handler<Operation<ValidateTemplate, ValidateTemplateAnswer>> =>
  async ({ file: named, templateId: only, aws = false }) => {
    log.info('template.validating', only ?? named ?? 'all templates');
    const { file, findings, entries } = await checker.check(named);
    const chosen = entries.filter(({ templateId }) => only === undefined || templateId === only);
    if (only !== undefined && findings.length === 0 && chosen.length === 0) {
      throw new PluginError('template.not-found', `no template "${excerpt(only)}" in ${file}`);
    }
    const found = [...findings];
    for (const { templateId, template, complaints, place } of chosen) {
      const seen = aws && template !== undefined ? await (await inspector()).inspect(template) : [];
      found.push(
        ...[...complaints, ...seen].map((complaint) => ({ templateId, ...complaint, ...place(complaint.field) })),
      );
    }
    found.sort((a, b) => a.line - b.line || a.column - b.column);
    const errors = found.filter(({ severity }) => severity === 'error');
    const warnings = found.filter(({ severity }) => severity === 'warning');
    const templates = chosen.map(({ templateId }) => templateId);
    log.info('template.validated', `${file}: ${errors.length} errors, ${warnings.length} warnings`);
    return { file, templates, isValid: errors.length === 0, errors, warnings };
  };
