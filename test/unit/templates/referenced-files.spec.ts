import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fleetTypeOf, onDemandUnits, providerApiOf } from '../../../src/domain/template/template.ts';
import { createTemplateReader } from '../../../src/templates/template-reader.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const base = { templateId: 'a', maxNumber: 10 };

/** As IBM's sample for LSF, with the numbers that LSF puts in unquoted. */
const lsf = `{
  "OnDemandOptions": { "AllocationStrategy": "lowest-price" },
  "SpotOptions": { "AllocationStrategy": "price-capacity-optimized", "InstanceInterruptionBehavior": "terminate" },
  "LaunchTemplateConfigs": [{
    "LaunchTemplateSpecification": { "LaunchTemplateId": "lt-0a1b", "Version": "1" },
    "Overrides": [
      { "InstanceType": "c5.xlarge", "SubnetId": "subnet-a", "WeightedCapacity": 1, "Priority": 2 },
      { "InstanceType": "c5.2xlarge", "SubnetId": "subnet-b", "WeightedCapacity": 2, "Priority": 4 }
    ]
  }],
  "TargetCapacitySpecification": {
    "TotalTargetCapacity": $LSF_TOTAL_TARGET_CAPACITY,
    "OnDemandTargetCapacity": $LSF_ONDEMAND_TARGET_CAPACITY,
    "SpotTargetCapacity": $LSF_SPOT_TARGET_CAPACITY,
    "DefaultTargetCapacityType": "spot"
  },
  "Type": "instant"
}`;

const read = async (text: string, template: object, name = 'fleet.json') => {
  const confDir = await temporaryFolder();
  await mkdir(join(confDir, 'conf'));
  await writeFile(join(confDir, 'conf', name), text);
  const result = await createTemplateReader(confDir, { all: {}, byApi: {} })({ ...base, ...template });
  const told = (notes: typeof result.problems) =>
    notes.map(({ field, rule }) => `${field} ${rule}`.replaceAll(`${confDir}/conf/`, ''));
  return { template: result.template, problems: told(result.problems), warnings: told(result.warnings) };
};
const fleet = (fields: object, template: object = {}) =>
  read(JSON.stringify({ TargetCapacitySpecification: { DefaultTargetCapacityType: 'spot' }, ...fields }), {
    subnetId: 'subnet-a',
    imageId: 'ami-12345678',
    vmType: 'm5.large',
    ec2FleetConfig: 'fleet.json',
    ...template,
  });

describe('a file with a request of CreateFleet', () => {
  it('of LSF is the template: launch template, types, subnets, strategies, market', async () => {
    const { template, problems, warnings } = await read(lsf, { ec2FleetConfig: 'fleet.json' });
    expect(problems).toEqual([]);
    expect(template).toMatchObject({
      providerApi: 'EC2Fleet',
      fleetType: 'instant',
      priceType: 'spot',
      launchTemplateId: 'lt-0a1b',
      launchTemplateVersion: '1',
      vmTypes: { 'c5.xlarge': 1, 'c5.2xlarge': 2 },
      vmTypesPriority: { 'c5.xlarge': 2, 'c5.2xlarge': 4 },
      subnetIds: ['subnet-a', 'subnet-b'],
      allocationStrategy: 'priceCapacityOptimized',
      allocationStrategyOnDemand: 'lowestPrice',
    });
    expect(warnings).toEqual([
      'ec2FleetConfig fleet.json: Overrides pairs types with subnets; here every type may be launched in every subnet',
    ]);
  });

  it.each([
    ['spot', 0.25, 3],
    ['on-demand', 0.25, 3],
    ['on-demand', undefined, 10],
    ['spot', undefined, 0],
  ])('of default market %s with a ratio of %s buys %i of 10 on demand', async (market, ratio, units) => {
    const text = lsf.replace('"spot"', `"${market}"`);
    const ratios = ratio === undefined ? {} : { onDemandTargetCapacityRatio: ratio };
    const { template } = await read(text, { ec2FleetConfig: 'fleet.json', ...ratios });
    expect(template === undefined ? undefined : onDemandUnits(template, 10)).toBe(units);
  });

  it('goes before the template, whose own words for the same are told', async () => {
    const { template, warnings } = await fleet(
      { LaunchTemplateConfigs: [{ Overrides: [{ InstanceType: 'c5.large', SubnetId: 'subnet-b' }] }], Type: 'request' },
      { fleetRole: 'grid' },
    );
    if (template === undefined) throw new Error('not read');
    expect([providerApiOf(template), fleetTypeOf(template)]).toEqual(['EC2Fleet', 'request']);
    expect(template).toMatchObject({ vmTypes: { 'c5.large': 1 }, subnetIds: ['subnet-b'], imageId: 'ami-12345678' });
    expect(template).not.toHaveProperty('vmType');
    expect(warnings).toEqual([
      'subnetId is left out: the file of ec2FleetConfig says it',
      'vmType is left out: the file of ec2FleetConfig says it',
    ]);
  });

  it('keeps what templates have no word for, and may spell names small', async () => {
    const { template } = await fleet({ spotOptions: { maxTotalPrice: '1', allocationStrategy: 'diversified' } });
    expect(template).toMatchObject({
      allocationStrategy: 'diversified',
      providerApiSpec: { SpotOptions: { MaxTotalPrice: '1' } },
    });
  });

  it('of Open Resource Broker leaves out what the broker puts in', async () => {
    const text = `{"Type": "instant", "TargetCapacitySpecification": {"TotalTargetCapacity": "{{ requested_count }}",
      "DefaultTargetCapacityType": "on-demand"}, "LaunchTemplateConfigs": [{"LaunchTemplateSpecification":
      {"LaunchTemplateId": "{{ launch_template_id }}", "Version": "{{ launch_template_version }}"}}], "TagSpecifications":
      [{"ResourceType": "fleet", "Tags": [{"Key": "Name", "Value": "fleet-{{ request_id }}"}]}]}`;
    const place = { subnet_ids: ['subnet-a'], image_id: 'ami-12345678', instance_type: 'm5.large' };
    const { template, problems, warnings } = await read(text, { ...place, provider_api_spec_file: 'fleet.json' });
    expect([problems, warnings]).toEqual([[], []]);
    expect(template).toMatchObject({ vmType: 'm5.large', priceType: 'ondemand', fleetType: 'instant' });
    expect(template).not.toHaveProperty('launchTemplateId');
  });

  const overrides = (...list: readonly object[]) => ({ LaunchTemplateConfigs: [{ Overrides: list }] });
  const m5 = { InstanceType: 'm5.large' };
  it.each<[string, object, RegExp]>([
    ['no market', { TargetCapacitySpecification: {} }, /DefaultTargetCapacityType must be spot or on-demand/],
    [
      'a fixed number on demand',
      { TargetCapacitySpecification: { DefaultTargetCapacityType: 'spot', OnDemandTargetCapacity: 4 } },
      /OnDemandTargetCapacity is a fixed number .* write onDemandTargetCapacityRatio/,
    ],
    [
      'capacity in vCPUs',
      { TargetCapacitySpecification: { DefaultTargetCapacityType: 'spot', TargetCapacityUnitType: 'vcpu' } },
      /TargetCapacityUnitType must be units/,
    ],
    [
      'two launch templates',
      {
        LaunchTemplateConfigs: ['lt-0a', 'lt-0b'].map((LaunchTemplateId) => ({
          LaunchTemplateSpecification: { LaunchTemplateId },
        })),
      },
      /LaunchTemplateConfigs name several launch templates/,
    ],
    [
      'a launch template by name',
      { LaunchTemplateConfigs: [{ LaunchTemplateSpecification: { LaunchTemplateName: 'grid' } }] },
      /LaunchTemplateName cannot be looked up here: write LaunchTemplateId/,
    ],
    ['a zone', overrides({ ...m5, AvailabilityZone: 'us-east-1a' }), /Overrides\.AvailabilityZone has no place/],
    [
      'prices by type',
      overrides({ ...m5, MaxPrice: '1' }, { InstanceType: 'c5.large', MaxPrice: '2' }),
      /MaxPrice differs/,
    ],
    [
      'weights by subnet',
      overrides({ ...m5, SubnetId: 'subnet-a' }, { ...m5, SubnetId: 'subnet-b', WeightedCapacity: 2 }),
      /WeightedCapacity of m5\.large differs between subnets/,
    ],
    [
      'hosts that stop',
      { SpotOptions: { InstanceInterruptionBehavior: 'stop' } },
      /SpotOptions\.InstanceInterruptionBehavior must be terminate/,
    ],
    ['a field of no fleet', { Sauce: 'hot' }, /Sauce is not a field of CreateFleet/],
  ])('with %s keeps the template from being served, and says why', async (_what, fields, rule) => {
    const { template, problems } = await fleet(fields);
    expect(template).toBeUndefined();
    expect(problems).toEqual([expect.stringMatching(rule)]);
  });

  it.each([
    ['is not there', '', 'other.json', /other\.json cannot be served: .*no such file/],
    ['is no JSON', '{', 'fleet.json', /not JSON/],
    ['is a list', '[]', 'fleet.json', /must hold one JSON object/],
    ['is a program', '{ {% if spot %} "Type": "instant" {% endif %} }', 'fleet.json', /program of Jinja/],
  ])('that %s is told', async (_what, text, ec2FleetConfig, rule) =>
    expect((await read(text, { ...base, ec2FleetConfig })).problems).toEqual([expect.stringMatching(rule)]),
  );

  it('is for EC2Fleet alone', async () =>
    expect((await fleet({}, { providerApi: 'SpotFleet' })).problems).toEqual([
      expect.stringMatching(/is read for EC2Fleet alone/),
    ]));
});

it('a file with data of a launch template is in the template’s words, the rest in AWS’s', async () => {
  const data = { ImageId: 'ami-87654321', InstanceType: '{{ instance_type }}', Monitoring: { Enabled: true } };
  const { template, problems } = await read(
    JSON.stringify({ LaunchTemplateName: 'lt-{{ request_id }}', LaunchTemplateData: data }),
    { subnetId: 'subnet-a', vmType: 'm5.large', launch_template_spec_file: 'data.json' },
    'data.json',
  );
  expect(problems).toEqual([]);
  expect(template).toMatchObject({
    imageId: 'ami-87654321',
    vmType: 'm5.large',
    launchTemplateSpec: { Monitoring: { Enabled: true } },
  });
});
