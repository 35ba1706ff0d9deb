import { excerpt, PluginError } from '../../domain/errors.ts';
import { closed, type FromSchema, listOf, named } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, text, texts, words } from '../bus/shapes.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { TemplateChecker, TemplateInspector } from '../ports/templates.ts';

const finding = closed(
  {
    templateId: words,
    severity: { enum: ['error', 'warning'] },
    field: { ...words, description: 'Its path; empty for the whole template' },
    rule: words,
    hint: words,
    line: number,
    column: number,
  },
  ['hint'],
);

export const validateTemplate = defineOperation({
  name: 'ValidateTemplate',
  bus: 'command',
  role: 'viewer',
  title: 'Check one template, or a whole file, and report every problem',
  input: {
    templateId: { ...text, description: 'Only this template' },
    file: { ...text, description: 'A file to check instead of the configured one' },
    aws: { ...flag, description: 'Also ask AWS: images, networks, permissions' },
  },
  answer: named(
    'Validation',
    closed({
      file: words,
      templates: { ...texts, description: 'Ids of the templates looked at' },
      isValid: { ...flag, description: 'Whether there is no error; warnings do not count' },
      errors: listOf(finding),
      warnings: listOf(finding),
    }),
  ),
});

export type ValidateTemplateAnswer = FromSchema<typeof validateTemplate.answer>;

export interface ValidateTemplatePorts {
  readonly checker: () => Promise<TemplateChecker>;
  readonly inspector: () => Promise<TemplateInspector>;
  readonly log: Logger;
}

/** Every problem of one template or all, with its place in the file. Throws `template.not-found` for one that is not in it. */
export const validateTemplateHandler =
  ({ checker, inspector, log }: ValidateTemplatePorts): HandlerOf<typeof validateTemplate> =>
  async ({ file: named, templateId: only, aws = false }) => {
    log.info('template.validating', only ?? named ?? 'all templates');
    const { file, findings, entries } = await (await checker()).check(named);
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
