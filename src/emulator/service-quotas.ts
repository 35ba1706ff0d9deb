import { type Action, action, required } from './ec2/action.ts';
import { ServiceError } from './wire/service-error.ts';

/** The vCPUs a new account may run at once, by quota: standard families on demand and spot, then G and VT, and P, likewise. */
const vcpus: ReadonlyMap<string, number> = new Map([
  ['L-1216C47A', 1152],
  ['L-34B43A08', 640],
  ['L-DB2E81BA', 64],
  ['L-3819A6DF', 64],
  ['L-417A185B', 0],
  ['L-7212CCBC', 0],
]);

const getServiceQuota = action('ServiceCode QuotaCode', (_world, params) => {
  const QuotaCode = required(params.text('QuotaCode'), 'QuotaCode');
  const Value = vcpus.get(QuotaCode);
  if (Value === undefined) throw new ServiceError('NoSuchResourceException', `no quota ${QuotaCode}`);
  return { Quota: { ServiceCode: required(params.text('ServiceCode'), 'ServiceCode'), QuotaCode, Value } };
});

export const serviceQuotasActions: ReadonlyMap<string, Action> = new Map([['GetServiceQuota', getServiceQuota]]);
