import type { Diagnosis, Trouble } from '../../domain/finding.ts';
import { type RankBy, usesPrices } from '../../domain/template/price-use.ts';
import type { Template } from '../../domain/template/template.ts';
import { isProtected } from '../life-cycle/protection.ts';
import type { LaunchFailures, PriceMemory } from '../ports/memory.ts';
import type { Clock, Policy } from '../ports/policy.ts';
import type { TemplateCatalog, TemplateInspector } from '../ports/templates.ts';
import { findingsOf } from '../sweep/findings.ts';
import { findForgotten, type SweepLookPorts } from '../sweep/look.ts';
import { type LaunchTemplatePorts, unusedLaunchTemplates } from '../sweep/unused-launch-templates.ts';

export interface DiagnosisCheckPorts extends LaunchTemplatePorts, SweepLookPorts {
  readonly inspector: () => Promise<Pick<TemplateInspector, 'inspectGroup'>>;
  /** Of each record that cannot be read, why. */
  readonly unreadable: () => Promise<readonly string[]>;
  readonly failures: Pick<LaunchFailures, 'of'>;
  readonly policy: Pick<Policy, 'protectAfter' | 'protectFor' | 'unclaimed' | 'orphanAge'>;
  readonly prices: Pick<PriceMemory, 'read'>;
  readonly rankBy: RankBy | undefined;
  readonly clock: Clock;
}

export const checkTemplates = async (catalog: TemplateCatalog): Promise<readonly Diagnosis[]> => {
  const { file, templates, rejected } = await catalog.read();
  const subject = 'templates';
  const served = `${templates.length} served from ${file}`;
  if (rejected.length === 0 && templates.length > 0) return [{ subject, status: 'ok', what: served }];
  const what = `${served}, ${rejected.length} left out: ${rejected.map(({ templateId }) => templateId).join(', ')}`;
  const why = 'Host Factory is not offered a template that is left out; without any template it disables the provider';
  if (templates.length > 0)
    return [{ subject, status: 'warning', code: 'templates.rejected', what, why, cure: 'hf-aws templates validate' }];
  const cure = rejected.length > 0 ? 'hf-aws templates validate' : `add a template to ${file}, or hf-aws init`;
  return [{ subject, status: 'error', code: 'templates.none', what: rejected.length > 0 ? what : served, why, cure }];
};

/** Milliseconds. */
const aDay = 86_400_000;
const [aWeek, aMonth] = [7 * aDay, 30 * aDay];

/** How old the prices are, which matters where Host Factory chooses by them. */
export const checkPrices = async (
  templates: readonly Template[],
  { prices, rankBy, clock }: Pick<DiagnosisCheckPorts, 'prices' | 'rankBy' | 'clock'>,
): Promise<readonly Diagnosis[]> => {
  const subject = 'prices';
  const { refreshedAt, shippedOf } = await prices.read();
  const age = clock() - refreshedAt;
  const asked = `AWS was last asked ${Math.floor(age / aDay)} days ago`;
  const shipped = shippedOf === undefined ? 'none are known' : `list prices of ${shippedOf} that came with the program`;
  const what = refreshedAt === 0 ? `${shipped}: AWS was never asked` : asked;
  if (!usesPrices(templates, rankBy) || age < aWeek) return [{ subject, status: 'ok', what }];
  const why = 'Host Factory is told prices or ranks by them, which may no longer be right';
  const cure = 'hf-aws prices refresh; hf-aws serve does it once an hour';
  return [{ subject, status: 'warning', code: 'prices.old', what, why, cure }];
};

export const checkLaunchTemplates = async (
  ports: LaunchTemplatePorts & Pick<DiagnosisCheckPorts, 'clock'>,
): Promise<readonly Diagnosis[]> => {
  const subject = 'leftovers';
  const { unused } = await unusedLaunchTemplates(ports, ports.clock() - aMonth);
  if (unused.length === 0) return [{ subject, status: 'ok', what: 'no unused launch templates of ours' }];
  return [
    {
      subject,
      status: 'warning',
      code: 'launch-templates.unused',
      what: `${unused.length} of our launch templates were not used for a month`,
      why: 'an account may have 5,000 in a Region',
      cure: 'hf-aws launch-templates gc --apply',
    },
  ];
};

/** What runs at AWS and nobody will ask about. */
export const checkOrphans = async (
  ports: SweepLookPorts & Pick<DiagnosisCheckPorts, 'policy'>,
): Promise<readonly Diagnosis[]> => {
  // Its steps are not the steps of the whole.
  const found = await findForgotten({ ...ports, progress: undefined });
  const { findings } = findingsOf(found, [], ports.policy);
  const subject = 'orphans';
  const ids = findings.filter(({ verdict }) => verdict !== 'leave').map(({ id }) => id);
  const unseen = found.warnings.map(
    (what): Trouble => ({
      subject,
      status: 'warning',
      code: 'orphans.unseen',
      what: `not everything could be checked: ${what}`,
      why: 'what could not be checked stays as it is, and costs money if it is leaked',
      cure: 'correct what is named here, then check again: hf-aws reconcile',
    }),
  );
  if (ids.length === 0 && unseen.length > 0) return unseen;
  if (ids.length === 0) return [{ subject, status: 'ok', what: 'no leaked machines, fleets or groups' }];
  return [
    {
      subject,
      status: 'warning',
      code: 'orphans.found',
      what: `${ids.length} leaked (our tag, no live request): ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''}`,
      why: 'they cost money; the sweep after getReturnRequests releases them when they are due',
      cure: 'hf-aws reconcile, then hf-aws reconcile --apply',
    },
    ...unseen,
  ];
};

export const checkRecords = async ({
  unreadable,
}: Pick<DiagnosisCheckPorts, 'unreadable'>): Promise<readonly Diagnosis[]> => {
  const found = await unreadable();
  const [first] = found;
  if (first === undefined) return [];
  return [
    {
      subject: 'records',
      status: 'error',
      code: 'storage.unreadable',
      what: `${found.length} of the requests cannot be read: ${first}`,
      why: 'until they can be read, Host Factory is told that they are running, and their machines are left alone',
      cure: 'give the file back to the user that runs Host Factory, or restore it from a backup',
    },
  ];
};

/** Templates out of use, since their last machines all failed. */
export const checkProtection = async (
  templates: readonly Template[],
  { failures, policy }: Pick<DiagnosisCheckPorts, 'failures' | 'policy'>,
): Promise<readonly Diagnosis[]> => {
  const found: Diagnosis[] = [];
  for (const { templateId } of templates) {
    const noted = await failures.of(templateId);
    if (!isProtected(policy, noted)) continue;
    const minutes = Math.ceil((policy.protectFor - noted.age) / 60_000);
    found.push({
      subject: 'protection',
      status: 'warning',
      code: 'template.protected',
      what: `template ${templateId} launches nothing for ${minutes} min`,
      why: `its last ${noted.machineIds.length} machines died or never became usable: more of them would only cost money`,
      cure: `hf-aws events list shows what happened to them; once the cause is fixed: hf-aws offerings clear --template ${templateId}`,
    });
  }
  return found;
};

/** The groups of the administrator's that templates name. */
export const checkGroups = async (
  templates: readonly Template[],
  { inspector }: Pick<DiagnosisCheckPorts, 'inspector'>,
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
        code: 'group.unfit',
        what: `${template.templateId}: ${rule}`,
        why: 'Host Factory does not hear of machines that the group starts or ends by itself',
        cure: `change the Auto Scaling group ${template.autoScalingGroupName} as the message says`,
      });
  }
  return found.length > 0
    ? found
    : [{ subject, status: 'ok', what: 'the Auto Scaling groups named by templates are suitable' }];
};
