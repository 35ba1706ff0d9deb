import { isPluginError, messageOf } from '../../../domain/errors.ts';
import type { Diagnosis } from '../../../domain/finding.ts';
import type { InstanceTypeTable } from '../../../domain/instance-type.ts';
import { type Template, weightedTypes } from '../../../domain/template/template.ts';
import { fieldOf } from '../wire/aws-answer.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';

type Market = 'on demand' | 'spot';

/** What bounds the vCPUs that run at once of some instance families in one market (EC2 user guide, "Instance type quotas"). */
interface Quota {
  readonly code: string;
  readonly market: Market;
  readonly families: string;
}

const standard = ['a', 'c', 'd', 'h', 'i', 'im', 'is', 'm', 'r', 't', 'z'];

/** Letters that types of a family begin with, and Service Quotas' codes: on demand, spot. */
const quotas: readonly (readonly [families: string, letters: readonly string[], onDemand: string, spot?: string])[] = [
  ['standard', standard, 'L-1216C47A', 'L-34B43A08'],
  ['F', ['f'], 'L-74FC7D96', 'L-88CF9481'],
  ['G and VT', ['g', 'gr', 'vt'], 'L-DB2E81BA', 'L-3819A6DF'],
  ['Inf', ['inf'], 'L-1945791B', 'L-B5D1601B'],
  ['Trn', ['trn'], 'L-2C3B7624', 'L-6B0D517C'],
  ['P', ['p'], 'L-417A185B', 'L-7212CCBC'],
  ['X', ['x'], 'L-7295265B', 'L-E3A00192'],
  ['DL', ['dl'], 'L-6E869C2A', 'L-85EED4F7'],
  ['High Memory', ['u'], 'L-43DA4232'],
  ['HPC', ['hpc'], 'L-F7808C92'],
];

const quotaOf = (type: string, market: Market): Quota | undefined => {
  const [letters = ''] = /^[a-z]+/.exec(type) ?? [];
  const [families = '', , onDemand = '', spot = ''] = quotas.find(([, each]) => each.includes(letters)) ?? [];
  const code = market === 'spot' ? spot : onDemand;
  return code === '' ? undefined : { code, market, families };
};

/** How many of its units a template may have in each market. */
const unitsOf = ({ maxNumber, priceType, percentOnDemand = 0 }: Template): Readonly<Record<Market, number>> => {
  if (priceType === 'ondemand') return { 'on demand': maxNumber, spot: 0 };
  // On demand comes what spot has refused.
  if (priceType === 'heterogeneous') return { 'on demand': maxNumber, spot: maxNumber };
  const onDemand = Math.ceil((maxNumber * percentOnDemand) / 100);
  return { 'on demand': onDemand, spot: maxNumber - onDemand };
};

/** Of a quota, the vCPUs that each template could take with all its units in its largest type. */
interface Need extends Quota {
  readonly vcpus: Map<string, number>;
}

const needsOf = (templates: readonly Template[], types: InstanceTypeTable): readonly Need[] => {
  const usual: readonly Need[] = (['on demand', 'spot'] as const).flatMap((market) => {
    const quota = quotaOf('m', market);
    return quota === undefined ? [] : [{ ...quota, vcpus: new Map() }];
  });
  const needs = new Map(usual.map((need) => [need.code, need]));
  const note = (type: string, market: Market, templateId: string, amount: number): void => {
    const quota = quotaOf(type, market);
    if (quota === undefined || amount === 0) return;
    const need = needs.get(quota.code) ?? { ...quota, vcpus: new Map<string, number>() };
    need.vcpus.set(templateId, Math.max(amount, need.vcpus.get(templateId) ?? 0));
    needs.set(quota.code, need);
  };
  for (const template of templates) {
    const { templateId, maxNumber, marketType, autoScalingGroupName } = template;
    // Capacity Blocks have quotas of their own; a group says itself what it launches; without a limit there is nothing to compare.
    if (maxNumber < 0 || marketType !== undefined || autoScalingGroupName !== undefined) continue;
    const units = unitsOf(template);
    for (const [type, weight] of weightedTypes(template))
      for (const market of ['on demand', 'spot'] as const)
        note(type, market, templateId, Math.ceil(units[market] / weight) * (types.get(type)?.vcpus ?? 0));
  }
  return [...needs.values()];
};

const sumOf = ({ vcpus }: Need): number => [...vcpus.values()].reduce((sum, each) => sum + each, 0);

const getServiceQuota = {
  service: 'servicequotas',
  target: 'ServiceQuotasV20190624.GetServiceQuota',
  version: '1.1',
} as const;

const subject = 'quotas';
const refusals: Readonly<Record<Market, string>> = {
  'on demand': 'VcpuLimitExceeded',
  spot: 'MaxSpotInstanceCountExceeded',
};

const tooLow = (need: Need, allowed: number): Diagnosis => {
  const { code, market, families, vcpus } = need;
  const byNeed = [...vcpus].toSorted(([, a], [, b]) => b - a);
  const most = byNeed.slice(0, 3).map(([templateId, each]) => `${templateId} ${each}`);
  const others = byNeed.length > most.length ? ', ...' : '';
  return {
    subject,
    status: 'warning',
    code: 'quotas.low',
    what: `templates could ask for ${sumOf(need)} vCPUs ${market} of ${families} families (${most.join(', ')}${others}); the account may run ${allowed}`,
    why: `what goes beyond the quota is refused with ${refusals[market]}`,
    cure: `ask for a higher quota ${code} in the console under Service Quotas, or lower maxNumber of ${byNeed[0]?.[0] ?? ''}`,
  };
};

/**
 * Whether the account may run as many vCPUs at once as the templates' `maxNumber` could come to, of the families in them. What cannot
 * be read becomes a warning, not an error: launches do not need it.
 */
export const diagnoseQuotas = async (
  connection: JsonConnection,
  templates: readonly Template[],
  types: InstanceTypeTable,
): Promise<readonly Diagnosis[]> => {
  const allowedBy = async (QuotaCode: string): Promise<number> =>
    Number(
      await jsonCall(connection, getServiceQuota, { ServiceCode: 'ec2', QuotaCode }, (answer) =>
        fieldOf(fieldOf(answer, 'Quota'), 'Value'),
      ),
    );
  try {
    const met: string[] = [];
    const low: Diagnosis[] = [];
    for (const need of needsOf(templates, types)) {
      const allowed = await allowedBy(need.code);
      if (sumOf(need) > allowed) low.push(tooLow(need, allowed));
      else met.push(`${sumOf(need)} of ${allowed} vCPUs ${need.market} (${need.families})`);
    }
    return low.length > 0 ? low : [{ subject, status: 'ok', what: `templates can ask for ${met.join(', ')}` }];
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const why = 'a request beyond the quota is refused with VcpuLimitExceeded or MaxSpotInstanceCountExceeded';
    const cure = 'allow servicequotas:GetServiceQuota, or look in the console under Service Quotas';
    const what = `cannot be read: ${messageOf(error)}`;
    return [{ subject, status: 'warning', code: 'quotas.unreadable', what, why, cure }];
  }
};
