import type { InstanceTypes } from '../application/ports/memory.ts';
import { messageOf } from '../domain/errors.ts';
import type { Complaint } from '../domain/finding.ts';
import { completeAttributes, type DerivationRules, missingAttributes } from '../domain/instance-type.ts';
import type { Template, TemplateProblem } from '../domain/template/template.ts';
import { templateProblems } from '../domain/template/template-rules.ts';
import { unreadableScript, userDataFault } from '../domain/user-data.ts';
import { closestName } from '../json/closest-name.ts';
import { readPlainFile } from '../json/plain-file.ts';

export interface JudgeFacts {
  readonly instanceTypes: InstanceTypes;
  readonly rules: DerivationRules;
  /** What AWS has no such field for, of those given in AWS's own words; loaded where a template has such. */
  readonly awsFields: (template: Template, closest: typeof closestName) => Promise<readonly Complaint[]>;
}

export interface Judgement {
  /** With the attributes that were left out, as far as they can be derived. */
  readonly template: Template;
  /** The rules between fields that it breaks, and attributes that cannot be derived. */
  readonly problems: readonly TemplateProblem[];
  /** What lies outside of the template: AWS's own fields, and the file of user data. */
  readonly outside: readonly Complaint[];
}

const scriptFault = (path: string): string | undefined => {
  try {
    const bytes = readPlainFile(path);
    const fault = userDataFault(bytes.length, bytes.toString('latin1'));
    return fault === undefined ? undefined : `${path} ${fault}`;
  } catch (error) {
    return `${unreadableScript(path, process.platform)}: ${messageOf(error)}`;
  }
};

/** A group of the administrator's takes neither user data nor fields in AWS's words from a template. */
export const hasGroup = ({ autoScalingGroupName }: Template): boolean => autoScalingGroupName !== undefined;

const isRaw = ({ launchTemplateSpec, providerApiSpec, abisInstanceRequirements }: Template): boolean =>
  (launchTemplateSpec ?? providerApiSpec ?? abisInstanceRequirements) !== undefined;

/**
 * Whether a template that could be read is served: the one judgement for all who ask. Templates share scripts and the table of
 * instance types, which are read once, and only where they are needed.
 */
export const createJudge = ({ instanceTypes, rules, awsFields }: JudgeFacts) => {
  const faults = new Map<string, string | undefined>();
  const userData = ({ userDataScript: path }: Template): readonly Complaint[] => {
    if (path === undefined) return [];
    if (!faults.has(path)) faults.set(path, scriptFault(path));
    const rule = faults.get(path);
    return rule === undefined ? [] : [{ severity: 'error', field: 'userDataScript', rule }];
  };
  return async (template: Template): Promise<Judgement> => {
    const table = missingAttributes(template).length === 0 ? new Map() : await instanceTypes.table();
    const { attributes, problems } = completeAttributes(template, table, rules);
    const outside = hasGroup(template)
      ? []
      : [...(isRaw(template) ? await awsFields(template, closestName) : []), ...userData(template)];
    return { template: { ...template, attributes }, problems: [...templateProblems(template), ...problems], outside };
  };
};
