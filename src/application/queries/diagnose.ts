import { isPluginError, messageOf } from '../../domain/errors.ts';
import type { Diagnosis } from '../../domain/finding.ts';
import type { Template } from '../../domain/template.ts';
import type { Handler, Message, Operation } from '../bus.ts';
import type { TemplateCatalog, TemplateInspector } from '../ports.ts';

export interface Diagnose extends Message {
  readonly type: 'Diagnose';
  /** Whether AWS is asked too. Default true. */
  readonly aws?: boolean;
}

export interface DiagnoseAnswer {
  readonly isWell: boolean;
  readonly diagnoses: readonly Diagnosis[];
  /** The smallest IAM policy for the configured templates. */
  readonly iamPolicy: object;
  /** What that policy cannot know. */
  readonly iamPolicyNotes: readonly string[];
}

export interface DiagnosePorts {
  /** Of this host: everything but AWS. */
  readonly local: readonly (() => Promise<readonly Diagnosis[]>)[];
  readonly aws: (templates: readonly Template[]) => Promise<readonly Diagnosis[]>;
  readonly iamPolicy: (templates: readonly Template[]) => Promise<{ policy: object; notes: readonly string[] }>;
  readonly inspector: () => Promise<Pick<TemplateInspector, 'inspectGroup'>>;
  readonly unusedLaunchTemplates: () => Promise<number>;
  /** Ids of what runs at AWS and nobody will ask about. */
  readonly forgotten: () => Promise<readonly string[]>;
  readonly templates: TemplateCatalog;
}

const unlessFault = async (subject: string, look: () => Promise<readonly Diagnosis[]>): Promise<readonly Diagnosis[]> =>
  look().catch((error: unknown) => {
    if (!isPluginError(error)) throw error;
    return [{ subject, status: 'error' as const, what: messageOf(error), mend: 'mend what the message says' }];
  });

const templatesOf = async (catalog: TemplateCatalog): Promise<readonly Diagnosis[]> => {
  const { file, templates, rejected } = await catalog.read();
  const subject = 'templates';
  const served = `${templates.length} served from ${file}`;
  if (rejected.length === 0 && templates.length > 0) return [{ subject, status: 'ok', what: served }];
  return [
    {
      subject,
      status: templates.length === 0 ? 'error' : 'warning',
      what: `${served}, ${rejected.length} left out: ${rejected.map(({ templateId }) => templateId).join(', ')}`,
      why: 'Host Factory never hears of a template that is left out; with none at all it disables the provider',
      mend: 'hf-aws templates validate',
    },
  ];
};

const leftovers = async (count: number): Promise<readonly Diagnosis[]> => [
  count === 0
    ? { subject: 'leftovers', status: 'ok', what: 'no launch template of ours lies about unused' }
    : {
        subject: 'leftovers',
        status: 'warning',
        what: `${count} launch templates of ours were not used for a month`,
        why: 'an account may hold 5,000 in a Region',
        mend: 'hf-aws launch-templates gc --apply',
      },
];

const orphans = async (ids: readonly string[]): Promise<readonly Diagnosis[]> => [
  ids.length === 0
    ? { subject: 'orphans', status: 'ok', what: 'nothing of ours runs that nobody will ask about' }
    : {
        subject: 'orphans',
        status: 'warning',
        what: `${ids.length} of ours that nobody will ask about: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''}`,
        why: 'AWS is paid for them; the sweep after getReturnRequests releases them in its time',
        mend: 'hf-aws reconcile, then hf-aws reconcile --apply',
      },
];

/** The groups of the administrator's that templates name. */
const groups = async (
  templates: readonly Template[],
  inspector: DiagnosePorts['inspector'],
): Promise<readonly Diagnosis[]> => {
  const named = templates.filter(({ autoScalingGroupName }) => autoScalingGroupName !== undefined);
  if (named.length === 0) return [];
  const { inspectGroup } = await inspector();
  const subject = 'groups';
  const found: Diagnosis[] = [];
  for (const template of named) {
    for (const { severity: status, rule } of await inspectGroup(template))
      found.push({
        subject,
        status,
        what: `${template.templateId}: ${rule}`,
        why: 'Host Factory hears of no machine that the group makes or ends by itself',
        mend: 'change the group as said',
      });
  }
  return found.length > 0
    ? found
    : [{ subject, status: 'ok', what: 'the Auto Scaling groups that templates name fit' }];
};

/** Looks at everything that has to be right for Host Factory's calls to work. Changes nothing. */
export const diagnoseHandler =
  ({
    local,
    aws,
    inspector,
    unusedLaunchTemplates,
    forgotten,
    templates,
    iamPolicy,
  }: DiagnosePorts): Handler<Operation<Diagnose, DiagnoseAnswer>> =>
  async ({ aws: asksAws = true }) => {
    const diagnoses = [...(await Promise.all(local.map((look) => unlessFault('this host', look)))).flat()];
    diagnoses.push(...(await unlessFault('templates', () => templatesOf(templates))));
    const served = await templates.read().then(
      (reading) => reading.templates,
      () => [],
    );
    if (asksAws) {
      const found = await unlessFault('AWS', () => aws(served));
      diagnoses.push(...found);
      const isReached = found.every(({ status }) => status !== 'error');
      if (isReached) {
        diagnoses.push(...(await unlessFault('groups', () => groups(served, inspector))));
        diagnoses.push(...(await unlessFault('leftovers', async () => leftovers(await unusedLaunchTemplates()))));
        diagnoses.push(...(await unlessFault('orphans', async () => orphans(await forgotten()))));
      }
    }
    const isWell = diagnoses.every(({ status }) => status !== 'error');
    const { policy, notes } = await iamPolicy(served);
    return { isWell, diagnoses, iamPolicy: policy, iamPolicyNotes: notes };
  };
