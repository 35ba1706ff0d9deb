import { referencesIn } from './file-fields.ts';
import { readTemplate, type TemplateResult } from './template-document.ts';
import { type TemplateDefaults, type Written, withDefaults } from './template-vocabulary.ts';

export type TemplateReader = (written: Written) => Promise<TemplateResult>;

/** Reads templates of one installation, with the files that they name and the defaults for what they leave out. */
export const createTemplateReader = (confDir: string, defaults: TemplateDefaults): TemplateReader => {
  const complete = withDefaults(defaults);
  // What is read again from an unchanged file is the same object.
  const known = new WeakMap<Written, TemplateResult>();
  return async (written) => {
    const read = known.get(written);
    if (read !== undefined) return read;
    const references = referencesIn(written);
    if (references.length === 0) {
      const result = readTemplate(written, complete);
      known.set(written, result);
      return result;
    }
    const { resolveFiles } = await import('./referenced-files.ts');
    const resolved = await resolveFiles(written, references, confDir);
    const { template, ...result } = readTemplate(resolved.written, complete);
    const names = new Map([...result.names, ...resolved.names]);
    const warnings = [...resolved.warnings, ...result.warnings];
    if (resolved.problems.length > 0)
      return { ...result, names, warnings, problems: resolved.problems, isUnread: true };
    return { ...result, names, warnings, ...(template === undefined ? {} : { template }) };
  };
};
