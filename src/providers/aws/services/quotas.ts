import { isPluginError, messageOf } from '../../../domain/errors.ts';
import type { Diagnosis } from '../../../domain/finding.ts';
import { fieldOf } from '../wire/aws-answer.ts';
import { type JsonConnection, jsonCall } from '../wire/json-call.ts';

/** Service Quotas' names of what bounds how much EC2 runs: vCPUs of the standard families (A, C, D, H, I, M, R, T, Z). */
const quotas = [
  ['L-1216C47A', 'on demand'],
  ['L-34B43A08', 'spot'],
] as const;

const getServiceQuota = {
  service: 'servicequotas',
  target: 'ServiceQuotasV20190624.GetServiceQuota',
  version: '1.1',
} as const;

/** How many vCPUs the account may run at once. What cannot be read is told, and no error: launches do not need it. */
export const diagnoseQuotas = async (connection: JsonConnection): Promise<readonly Diagnosis[]> => {
  const read = async (QuotaCode: string): Promise<string> =>
    String(
      await jsonCall(connection, getServiceQuota, { ServiceCode: 'ec2', QuotaCode }, (answer) =>
        fieldOf(fieldOf(answer, 'Quota'), 'Value'),
      ),
    );
  const subject = 'quotas';
  try {
    const told: string[] = [];
    for (const [code, market] of quotas) told.push(`${await read(code)} vCPUs ${market}`);
    return [{ subject, status: 'ok', what: `${told.join(', ')} (standard instance families)` }];
  } catch (error) {
    if (!isPluginError(error)) throw error;
    const why = 'a request beyond the quota is refused with VcpuLimitExceeded or MaxSpotInstanceCountExceeded';
    const cure = 'allow servicequotas:GetServiceQuota, or look in the console under Service Quotas';
    const what = `cannot be read: ${messageOf(error)}`;
    return [{ subject, status: 'warning', code: 'quotas.unreadable', what, why, cure }];
  }
};
