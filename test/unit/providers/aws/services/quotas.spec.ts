import { expect, it } from 'vitest';
import type { InstanceTypeTable } from '../../../../../src/domain/instance-type.ts';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { diagnoseQuotas } from '../../../../../src/providers/aws/services/quotas.ts';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { createRecordingLog } from '../../../recording-log.ts';

const facts = (vcpus: number) => ({ architecture: 'x86_64', vcpus, cores: vcpus / 2, memoryMiB: 1024 });
const types: InstanceTypeTable = new Map([
  ['m5.large', facts(2)],
  ['c5.4xlarge', facts(16)],
  ['g5.xlarge', facts(4)],
  ['im4gn.large', facts(2)],
  ['u-6tb1.metal', facts(448)],
]);

/** An account that may run so many vCPUs by each quota's code; what was asked for. */
const account = (allowed: Readonly<Record<string, number>>) => {
  const asked: string[] = [];
  const connection: Parameters<typeof diagnoseQuotas>[0] = {
    log: createRecordingLog(),
    signal: new AbortController().signal,
    random: Math.random,
    reads: { retries: 0, interval: 0 },
    client: {
      region: 'us-east-1',
      connectionTimeoutMs: 1000,
      requestTimeoutMs: 1000,
      useFips: false,
      credentials: async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }),
      clock: createAwsClock(Date.now),
      agents: {},
      exchange: async (_url, { body }) => {
        const { QuotaCode }: { readonly QuotaCode: string } = JSON.parse(body);
        asked.push(QuotaCode);
        return {
          status: 200,
          contentType: 'application/x-amz-json-1.1',
          requestId: 'r',
          errorType: undefined,
          date: undefined,
          at: Date.now(),
          text: JSON.stringify({ Quota: { Value: allowed[QuotaCode] ?? 1000 } }),
          isFromProxy: false,
        };
      },
    },
  };
  return { asked, connection };
};

const [standard, standardSpot, gpu] = ['L-1216C47A', 'L-34B43A08', 'L-DB2E81BA'];
const spot: Template = { ...onDemandTemplate, templateId: 'spot', priceType: 'spot' };

it.each<readonly [string, readonly Partial<Template>[], string]>([
  ['hosts of a template', [{ maxNumber: 7 }], '14 of 1000 vCPUs on demand (standard), 0 of 1000 vCPUs spot (standard)'],
  [
    'units, of which a weighted type holds several, in the type that takes most',
    [{ vmTypes: { 'm5.large': 1, 'c5.4xlarge': 4 }, maxNumber: 9 }],
    '48 of 1000 vCPUs on demand (standard), 0 of',
  ],
  [
    'spot hosts, and those beside them on demand',
    [{ ...spot, percentOnDemand: 30, maxNumber: 10 }],
    '6 of 1000 vCPUs on demand (standard), 14 of 1000 vCPUs spot (standard)',
  ],
  [
    'hosts on demand in the place of spot hosts',
    [{ priceType: 'heterogeneous', maxNumber: 10 }],
    '20 of 1000 vCPUs on demand (standard), 20 of 1000 vCPUs spot (standard)',
  ],
  [
    'each family',
    [{ vmType: 'g5.xlarge' }, { vmType: 'u-6tb1.metal', maxNumber: 1 }, { vmType: 'im4gn.large' }],
    '20 of 1000 vCPUs on demand (standard), 0 of 1000 vCPUs spot (standard), 40 of 1000 vCPUs on demand (G and VT), 448 of 1000 vCPUs on demand (High Memory)',
  ],
  [
    'nothing of a template without a limit, a Capacity Block, a group or a type that nobody knows',
    [{ maxNumber: -1 }, { marketType: 'capacity-block' }, { autoScalingGroupName: 'grid' }, { vmType: 'x9.huge' }],
    '0 of 1000 vCPUs on demand (standard), 0 of 1000 vCPUs spot (standard)',
  ],
])('quotas are compared with the vCPUs of %s', async (_what, templates, told) => {
  const all = templates.map((each, index) => ({ ...onDemandTemplate, templateId: `t${index}`, ...each }));
  const [found, ...others] = await diagnoseQuotas(account({}).connection, all, types);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ status: 'ok', what: expect.stringContaining(`templates can ask for ${told}`) });
});

it('a quota that the templates together exceed is a finding that names those with the most', async () => {
  const { connection, asked } = account({ [standard]: 30, [gpu]: 0 });
  const templates = [
    { ...onDemandTemplate, templateId: 'small', maxNumber: 2 },
    { ...onDemandTemplate, templateId: 'large', maxNumber: 14 },
    { ...spot, vmType: 'm5.large', maxNumber: 15 },
    { ...onDemandTemplate, templateId: 'gpu', vmType: 'g5.xlarge', maxNumber: 1 },
  ];
  expect(await diagnoseQuotas(connection, templates, types)).toMatchObject([
    {
      status: 'warning',
      code: 'quotas.low',
      what: 'templates could ask for 32 vCPUs on demand of standard families (large 28, small 4); the account may run 30',
      cure: expect.stringMatching(/or lower maxNumber of large$/),
    },
    { what: 'templates could ask for 4 vCPUs on demand of G and VT families (gpu 4); the account may run 0' },
  ]);
  expect(asked).toEqual([standard, standardSpot, gpu]);
});
