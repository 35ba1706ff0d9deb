import { describe, expect, it } from 'vitest';
import { fleetTypeOf, onDemandUnits, providerApiOf } from '../../../src/domain/template/template.ts';
import { templateProblems } from '../../../src/domain/template/template-rules.ts';
import { rawFieldComplaints } from '../../../src/providers/aws/inspect/raw-field-check.ts';
import { readTemplate } from '../../../src/templates/template-document.ts';
import { type TemplateDefaults, withDefaults } from '../../../src/templates/template-vocabulary.ts';

const place = { imageId: 'ami-12345678', subnetId: 'subnet-a' };
const base = { templateId: 'a', maxNumber: 10, ...place };
const spot = { ...base, priceType: 'spot', vmTypes: { 'm5.large': 1 } };
const onDemand = { ...base, vmType: 'm5.large' };

const good = (written: object, defaults: TemplateDefaults = { all: {}, byApi: {} }) => {
  const { template, problems, warnings } = readTemplate({ ...written }, withDefaults(defaults));
  if (template === undefined) throw new Error(JSON.stringify(problems));
  expect([...problems, ...templateProblems(template)]).toEqual([]);
  return { template, warnings: warnings.map(({ field, rule }) => `${field} ${rule}`) };
};
const problemsOf = (written: object): readonly string[] => {
  const { template, problems } = readTemplate({ ...written });
  return [...problems, ...(template === undefined ? [] : templateProblems(template))].map(
    ({ field, rule }) => `${field} ${rule}`,
  );
};

describe('names of fields', () => {
  const { subnetId, ...rest } = onDemand;
  it.each([
    ['as Open Resource Broker writes them for Host Factory', { ...rest, subnetIds: [subnetId] }],
    [
      'in snake case',
      {
        template_id: 'a',
        max_instances: 10,
        image_id: place.imageId,
        subnet_ids: [subnetId],
        instance_type: 'm5.large',
        instance_types: {},
        security_group_ids: [],
        is_active: true,
        created_at: '2026-02-08T22:38:18',
        metadata: {},
      },
    ],
    ['with capitals elsewhere', { ...rest, templateId: undefined, templateID: 'a', subnetid: 'subnet-a' }],
    [
      'beside those that tools write',
      { ...onDemand, name: 'A', providerType: 'aws', createdAt: 'now', pgrpName: null },
    ],
  ])('%s are those of the schema', (_, written) => {
    const { template, warnings } = good(written);
    expect(template).toEqual(good(onDemand).template);
    expect(warnings).toEqual([]);
  });

  it('that stand beside a second spelling win when they are the schema’s, and the other is told', () => {
    const { template, warnings } = good({ ...onDemand, instance_type: 'm5.xlarge' });
    expect(template.vmType).toBe('m5.large');
    expect(warnings).toEqual(['instance_type is left out: vmType says the same']);
  });

  it.each(['maxSpotPrise', 'priceTyp', 'fleet_typ', 'provider_api_specs', 'percentOnDemnd', 'allOrNothin'])(
    'that are near one that decides about money keep the template from being served: %s',
    (field) =>
      expect(problemsOf({ ...onDemand, [field]: 1 })).toEqual([expect.stringContaining(`${field} is unknown; did`)]),
  );

  it('that are near nothing are told and ignored', () =>
    expect(good({ ...spot, colour: 'red' }).warnings).toEqual(['colour is unknown and ignored']));

  it('read raw AWS fields in snake case, and refuse what may not be given raw', () => {
    expect(good({ ...spot, provider_api_spec: { Context: 'x' } }).template.providerApiSpec).toEqual({ Context: 'x' });
    const { template } = good({ ...spot, provider_api_spec: { TargetCapacitySpecification: {} } });
    expect(rawFieldComplaints(template)).toMatchObject([
      { field: 'providerApiSpec.TargetCapacitySpecification', rule: expect.stringContaining('cannot be given raw') },
    ]);
  });

  it('that switch a template off keep it from being served', () =>
    expect(problemsOf({ ...spot, is_active: false })).toEqual(['is_active is false: the template is switched off']));
});

describe('forms of values', () => {
  const priceCapacity = { allocationStrategy: 'priceCapacityOptimized' };
  const forms: readonly (readonly [what: string, fields: object, meant: object])[] = [
    ['tags as an object', { instanceTags: { Environment: 'dev' } }, { instanceTags: [['Environment', 'dev']] }],
    ['tags under another name', { tags: { Environment: 'dev' } }, { instanceTags: [['Environment', 'dev']] }],
    ['price-capacity-optimized', { allocationStrategy: 'price-capacity-optimized' }, priceCapacity],
    ['price_capacity_optimized', { allocationStrategy: 'price_capacity_optimized' }, priceCapacity],
    ['PriceCapacityOptimized', { allocationStrategy: 'PriceCapacityOptimized' }, priceCapacity],
    ['lowestprice', { allocationStrategy: 'lowestprice' }, { allocationStrategy: 'lowestPrice' }],
    ['lowest-price', { allocationStrategy: 'lowest-price' }, { allocationStrategy: 'lowestPrice' }],
    ['capacity-optimized', { allocationStrategy: 'capacity-optimized' }, { allocationStrategy: 'capacityOptimized' }],
    ['AutoScalingGroup', { providerApi: 'AutoScalingGroup' }, { providerApi: 'ASG' }],
    ['a market in capitals', { priceType: 'SPOT' }, { priceType: 'spot' }],
    ['a list of types', { vmTypes: ['m5.large', 'c5.large'] }, { vmTypes: { 'm5.large': 1, 'c5.large': 1 } }],
    ['weights as text', { vmTypes: { 'm5.large': '2' } }, { vmTypes: { 'm5.large': 2 } }],
    ['a fleet type in metadata', { metadata: { fleet_type: 'request' } }, { fleetType: 'request' }],
    ['a share in metadata', { metadata: { percent_on_demand: 30 } }, { percentOnDemand: 30 }],
    ['LSF’s validity', { requestValidity: '01:30' }, { spotFleetRequestExpiry: 90 }],
    ['LSF’s ratio', { onDemandTargetCapacityRatio: 0.25 }, { percentOnDemand: 25 }],
  ];
  it.each(forms)('%s is read as meant', (_, fields, meant) =>
    expect(good({ ...spot, ...fields }).template).toMatchObject(meant),
  );

  it.each([
    ['rank', 3, ['Numeric', '3']],
    ['priceInfo', 'price:0.1', ['String', 'price:0.1']],
  ])('%s outside attributes is an attribute', (name, value, attribute) =>
    expect(good({ ...spot, [name]: value }).template.attributes[name]).toEqual(attribute),
  );

  it('are told by their name where they are of no vocabulary', () =>
    expect(problemsOf({ ...spot, allocationStrategy: 'cheapest' })).toEqual([
      expect.stringContaining('allocationStrategy must be one of priceCapacityOptimized, capacityOptimized'),
    ]));

  it('that are a script where a path belongs say so', () =>
    expect(problemsOf({ ...spot, userDataScript: '#!/bin/bash\necho' })).toEqual([
      'userDataScript is a script: write it to a file and name the file here',
    ]));
});

describe('values that are nothing of the kind', () => {
  const strange = { toString: 0 };
  const cases: readonly object[] = [
    { vmTypes: [strange] },
    { spotPrice: strange },
    { requestValidity: strange },
    { onDemandTargetCapacityRatio: strange },
    { is_active: strange },
    { metadata: { fleet_type: strange } },
    { constructor: strange },
  ];
  it.each(cases)('%j break nothing', (fields) => expect(() => readTemplate({ ...spot, ...fields })).not.toThrow());
});

describe('the market', () => {
  it.each([
    ['a spot price of LSF', { vmType: 'm5.large', spotPrice: 0.1 }, 'EC2Fleet'],
    [
      'a spot price and a role of LSF',
      { vmType: 'm5.large', spotPrice: '0.1', fleetRole: 'arn:aws:iam::1:role/r' },
      'SpotFleet',
    ],
  ])('is spot by %s', (_, fields, api) => {
    const { template } = good({ ...base, ...fields });
    expect(template).toMatchObject({ priceType: 'spot', maxSpotPrice: '0.1' });
    expect(providerApiOf(template)).toBe(api);
  });

  it('is on demand where LSF’s spot price is 0', () =>
    expect(good({ ...onDemand, spotPrice: 0 }).template.priceType).toBe('ondemand'));

  it.each(['instant', 'request', 'maintain'])(
    'of a %s fleet with a share on demand is both in one fleet',
    (fleetType) => {
      const { template } = good({
        ...spot,
        providerApi: 'EC2Fleet',
        fleetType,
        priceType: 'heterogeneous',
        percentOnDemand: 30,
      });
      expect(fleetTypeOf(template)).toBe(fleetType);
      expect(onDemandUnits(template, 10)).toBe(3);
    },
  );

  it.each(['instant', 'maintain'])(
    'of a %s fleet without a share is IBM’s heterogeneous, and that is told',
    (fleetType) => {
      const { template, warnings } = good({ ...spot, providerApi: 'EC2Fleet', fleetType, priceType: 'heterogeneous' });
      expect([template.priceType, fleetTypeOf(template)]).toEqual(['heterogeneous', 'request']);
      expect(warnings).toEqual([expect.stringContaining(`fleetType ${fleetType} has no effect`)]);
    },
  );

  it.each(['ASG', 'SpotFleet'])('of %s with a share on demand is both', (providerApi) => {
    const { template } = good({ ...spot, providerApi, priceType: 'heterogeneous', percentOnDemand: 30 });
    expect(onDemandUnits(template, 10)).toBe(3);
  });

  it('of IBM’s heterogeneous is spot for all, then on demand', () => {
    const { template } = good({ ...spot, priceType: 'heterogeneous', percentOnDemand: 30 });
    expect(template.priceType).toBe('heterogeneous');
    expect(onDemandUnits(template, 10)).toBe(0);
  });

  it('of a spot fleet may be on demand', () => {
    const { template } = good({ ...spot, providerApi: 'SpotFleet', priceType: 'ondemand' });
    expect(providerApiOf(template)).toBe('SpotFleet');
    expect(onDemandUnits(template, 4)).toBe(4);
  });
});

describe('instance types', () => {
  it('of LSF are a list in vmType', () =>
    expect(good({ ...base, vmType: 'm5.large, m5.xlarge' }).template.vmTypes).toEqual({
      'm5.large': 1,
      'm5.xlarge': 1,
    }));

  it('may be several for RunInstances', () => {
    const { template } = good({ ...base, providerApi: 'RunInstances', vmTypes: { 't3.medium': 2, 't3.large': 1 } });
    expect(template.vmTypes).toEqual({ 't3.medium': 2, 't3.large': 1 });
  });

  it('by requirements go before those by name, and that is told', () => {
    const abisInstanceRequirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };
    const { template, warnings } = good({ ...spot, abisInstanceRequirements });
    expect(template).not.toHaveProperty('vmTypes');
    expect(warnings).toEqual(['vmTypes has no effect beside abisInstanceRequirements, which choose the types']);
  });

  it.each(['volumeType', 'iops'])('and the image of a launch template leave no room for %s, which is named', (field) =>
    expect(
      problemsOf({
        templateId: 'a',
        maxNumber: 1,
        subnetId: 'subnet-a',
        launchTemplateId: 'lt-0a',
        volumeType: 'io1',
        iops: 300,
      }),
    ).toContainEqual(expect.stringContaining(`${field} is allowed only with imageId`)),
  );
});

describe('defaults for what templates leave out', () => {
  const all = { ...place, instanceTags: 'team=quant;env=prod', vmTypes: { 'm5.large': 1 }, attributes: { rank: 1 } };
  const defaults = { all, byApi: { SpotFleet: { fleetRole: 'grid', subnet_ids: ['subnet-b'] } } };

  it('give way to the template’s own, join tags and attributes, and go by the API', () => {
    const { template } = good(
      {
        templateId: 'a',
        maxNumber: 1,
        providerApi: 'spot_fleet',
        priceType: 'spot',
        tags: { env: 'dev' },
        attributes: { type: 'X' },
      },
      defaults,
    );
    expect(template).toMatchObject({
      imageId: place.imageId,
      subnetIds: ['subnet-b'],
      fleetRole: 'grid',
      instanceTags: [
        ['team', 'quant'],
        ['env', 'dev'],
      ],
      attributes: { type: ['String', 'X'], rank: ['Numeric', '1'] },
    });
  });

  it('choose no types beside those that the template chooses', () => {
    const { template } = good({ templateId: 'a', maxNumber: 1, vmType: 'c5.large' }, defaults);
    expect(template.vmType).toBe('c5.large');
    expect(template).not.toHaveProperty('vmTypes');
  });
});

/** The twenty kinds of template that Open Resource Broker writes for a new installation. */
const brokerKinds = [
  ...['instant', 'request', 'maintain'].flatMap((fleet) =>
    ['ondemand', 'spot', 'heterogeneous'].map((market) => ['EC2Fleet', fleet, market] as const),
  ),
  ...['request', 'maintain'].flatMap((fleet) =>
    ['lowest_price', 'diversified', 'capacity_optimized'].map((strategy) => ['SpotFleet', fleet, strategy] as const),
  ),
  ...['ondemand', 'spot', 'heterogeneous'].map((market) => ['AutoScalingGroup', undefined, market] as const),
  ...['ondemand', 'spot'].map((market) => ['RunInstances', undefined, market] as const),
];

describe('the templates Open Resource Broker generates', () => {
  it('are twenty kinds', () => expect(brokerKinds).toHaveLength(20));

  const typesOf = (isSeveral: boolean): object =>
    isSeveral ? { instance_types: { 't3.medium': 1, 't3.large': 2 } } : { instance_type: 't3.medium' };
  const metadataOf = (fleet_type: string | undefined, isMixed: boolean): object =>
    fleet_type === undefined ? {} : { fleet_type, ...(isMixed ? { percent_on_demand: 40 } : {}) };

  it.each(brokerKinds)('of %s %s %s are served, given a place to launch', (provider_api, fleet_type, what) => {
    const isSpotFleet = provider_api === 'SpotFleet';
    const isMixed = what === 'heterogeneous';
    const written = {
      template_id: `${provider_api}-${fleet_type}-${what}`.replaceAll('_', '-'),
      name: 'generated',
      description: 'generated',
      max_instances: 10,
      subnet_ids: [],
      security_group_ids: [],
      price_type: isSpotFleet ? 'spot' : what,
      allocation_strategy: isSpotFleet ? what : 'price_capacity_optimized',
      ...typesOf(isSpotFleet || isMixed),
      tags: { Environment: 'dev' },
      metadata: metadataOf(fleet_type, isMixed),
      provider_type: 'aws',
      provider_api,
      created_at: '2026-02-08T22:38:18.537494',
      is_active: true,
      vm_types: {},
      max_price: 0.05,
    };
    const { template } = good(written, { all: { ...place, security_group_ids: ['sg-1'] }, byApi: {} });
    expect(providerApiOf(template)).toBe(provider_api === 'AutoScalingGroup' ? 'ASG' : provider_api);
    if (fleet_type !== undefined) expect(fleetTypeOf(template)).toBe(fleet_type);
    // Without a share, spot is asked for all and the rest is on demand.
    const shares = new Map([
      ['ondemand', 10],
      ['heterogeneous', fleet_type === undefined ? 0 : 4],
    ]);
    expect(onDemandUnits(template, 10)).toBe(shares.get(what) ?? 0);
    expect(template.securityGroupIds).toEqual(['sg-1']);
  });
});
