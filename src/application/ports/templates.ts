import type { Complaint, Finding } from '../../domain/finding.ts';
import type { Template, TemplateProblem } from '../../domain/template/template.ts';

export interface RejectedTemplate {
  /** As written, or `templates[3]` where there is none. */
  readonly templateId: string;
  readonly problems: readonly TemplateProblem[];
}

interface TemplateReading {
  readonly file: string;
  readonly templates: readonly Template[];
  readonly rejected: readonly RejectedTemplate[];
}

export interface TemplateCatalog {
  /**
   * All templates, or `only` the one of this id. Throws `configuration.missing` or `configuration.invalid` (with line and
   * column) when there is no list to serve.
   */
  read(only?: string): Promise<TemplateReading>;
}

/** Where each value of a served template comes from, by its path; for people. */
export type TemplateOrigins = (template: Template) => Promise<Readonly<Record<string, string>>>;

/** A template of a file that is being checked. */
export interface CheckedTemplate {
  readonly templateId: string;
  readonly complaints: readonly Complaint[];
  /** Where nothing keeps it from being served. */
  readonly template?: Template;
  /** The place of a field in the file, or of the object that lacks it. */
  place(field: string): Pick<Finding, 'line' | 'column'>;
}

export interface CheckedFile {
  /** What is wrong with the file as a whole. */
  readonly findings: readonly Finding[];
  readonly entries: readonly CheckedTemplate[];
}

/** Looks at templates as people edit them. */
export interface TemplateChecker {
  /** Of the configured file, unless one is named. Throws `configuration.missing` when there is none. */
  check(file?: string): Promise<CheckedFile & { readonly file: string }>;
}

/** What only AWS knows of a template. Throws `provider.*` when AWS cannot be asked at all. */
export interface TemplateInspector {
  inspect(template: Template): Promise<readonly Complaint[]>;
  /** The same of the Auto Scaling group of the administrator's alone that it names; nothing of other templates. */
  inspectGroup(template: Template): Promise<readonly Complaint[]>;
}
