import { type Action, required } from './ec2/action.ts';
import { parameterTable } from './wire/parameter-table.ts';
import { ServiceError } from './wire/service-error.ts';

/** The vCPUs a new account may run at once, by quota: on demand, spot. */
const vcpus: ReadonlyMap<string, number> = new Map([
  ['L-1216C47A', 1152],
  ['L-34B43A08', 640],
]);

const getServiceQuota: Action = {
  parameters: parameterTable('ServiceCode QuotaCode'),
  answer: (_world, params) => {
    const QuotaCode = required(params.text('QuotaCode'), 'QuotaCode');
    const Value = vcpus.get(QuotaCode);
    if (Value === undefined) throw new ServiceError('NoSuchResourceException', `no quota ${QuotaCode}`);
    return { Quota: { ServiceCode: required(params.text('ServiceCode'), 'ServiceCode'), QuotaCode, Value } };
  },
};

export const serviceQuotasActions: ReadonlyMap<string, Action> = new Map([['GetServiceQuota', getServiceQuota]]);
