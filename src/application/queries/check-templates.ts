import { PluginError } from '../../domain/errors.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Handler, Message, Operation } from '../bus.ts';
import type { TemplateChecker, TemplateInspector } from '../ports.ts';

export interface CheckTemplates extends Message {
  readonly type: 'CheckTemplates';
  /** Default: the configured one. */
  readonly file?: string;
  /** Only this template. */
  readonly templateId?: string;
  /** Whether AWS is asked too. */
  readonly aws?: boolean;
}

export interface CheckTemplatesAnswer {
  readonly file: string;
  /** Whether there is no error; warnings do not count. */
  readonly isValid: boolean;
  /** Ids of the templates looked at. */
  readonly templates: readonly string[];
  /** In the order of the file. */
  readonly findings: readonly Finding[];
}

export interface CheckTemplatesPorts {
  readonly checker: TemplateChecker;
  readonly inspector: () => Promise<TemplateInspector>;
}

/** Every problem of every template, with its place in the file. Throws `template.not-found` for one that is not in it. */
export const checkTemplatesHandler =
  ({ checker, inspector }: CheckTemplatesPorts): Handler<Operation<CheckTemplates, CheckTemplatesAnswer>> =>
  async ({ file: named, templateId: only, aws = false }) => {
    const { file, findings, entries } = await checker.check(named);
    const chosen = entries.filter(({ templateId }) => only === undefined || templateId === only);
    if (only !== undefined && findings.length === 0 && chosen.length === 0) {
      throw new PluginError('template.not-found', `no template "${only}" in ${file}`);
    }
    const found = [...findings];
    for (const { templateId, template, complaints, place } of chosen) {
      const seen = aws && template !== undefined ? await (await inspector()).inspect(template) : [];
      found.push(
        ...[...complaints, ...seen].map((complaint) => ({ templateId, ...complaint, ...place(complaint.field) })),
      );
    }
    found.sort((a, b) => a.line - b.line || a.column - b.column);
    const isValid = found.every(({ severity }) => severity === 'warning');
    return { file, isValid, templates: chosen.map(({ templateId }) => templateId), findings: found };
  };
