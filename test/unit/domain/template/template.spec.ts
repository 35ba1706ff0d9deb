import { describe, expect, it } from 'vitest';
import {
  offeringOf,
  onDemandRest,
  providerApiOf,
  type Template,
  weightedTypes,
  weightsOf,
} from '../../../../src/domain/template/template.ts';
import { templateProblems } from '../../../../src/domain/template/template-rules.ts';
import { onDemandTemplate } from './template-fixture.ts';

const without = (...fields: readonly (keyof Template)[]): Template => {
  const left = { ...onDemandTemplate };
  for (const field of fields) Reflect.deleteProperty(left, field);
  return left;
};

const fieldsOf = (template: Template): readonly string[] => templateProblems(template).map(({ field }) => field);

const abisInstanceRequirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 4096 } };

describe('the rules between the fields of a template', () => {
  it('are met by the least on-demand template', () => expect(templateProblems(onDemandTemplate)).toEqual([]));

  it.each<[string, Template, string[]]>([
    ['an image', without('imageId'), ['imageId']],
    ['a type for on demand', without('vmType'), ['vmType']],
    ['types for spot', { ...without('vmType'), priceType: 'spot' }, ['vmTypes']],
    ['types for heterogeneous', { ...without('vmType'), priceType: 'heterogeneous' }, ['vmTypes']],
    ['iops for io1', { ...onDemandTemplate, volumeType: 'io1' }, ['iops']],
    ['iops for io2', { ...onDemandTemplate, volumeType: 'io2' }, ['iops']],
    ['no iops for gp2', { ...onDemandTemplate, volumeType: 'gp2', iops: 500 }, ['iops']],
    ['no iops without a volume type', { ...onDemandTemplate, iops: 500 }, ['iops']],
    ['no efaCount without efa', { ...onDemandTemplate, efaCount: 2 }, ['efaCount']],
    [
      'no efaCount for plain interfaces',
      { ...onDemandTemplate, interfaceType: 'interface', efaCount: 2 },
      ['efaCount'],
    ],
    [
      'no root volume without an image',
      { ...without('imageId'), launchTemplateId: 'lt-1', rootDeviceVolumeSize: 20 },
      ['rootDeviceVolumeSize'],
    ],
    [
      'no version without a launch template',
      { ...onDemandTemplate, launchTemplateVersion: '3' },
      ['launchTemplateVersion'],
    ],
    [
      'no weights on demand after requirements',
      {
        ...without('vmType'),
        priceType: 'heterogeneous',
        vmTypesOnDemand: { 'm5.xlarge': 2 },
        abisInstanceRequirements,
      },
      ['vmTypesOnDemand'],
    ],
  ])('ask for %s', (_, template, fields) => expect(fieldsOf(template)).toEqual(fields));

  it.each<[string, Template]>([
    [
      'a group of the administrator’s in place of an image',
      { ...without('imageId'), priceType: 'spot', providerApi: 'ASG', autoScalingGroupName: 'grid' },
    ],
    ['a launch template in place of image and type', { ...without('imageId', 'vmType'), launchTemplateId: 'lt-1' }],
    ['spot with types', { ...onDemandTemplate, priceType: 'spot', vmTypes: { 'm5.large': 1 } }],
    ['gp3 with iops', { ...onDemandTemplate, volumeType: 'gp3', iops: 4000 }],
    ['io2 with iops', { ...onDemandTemplate, volumeType: 'io2', iops: 4000 }],
    ['efa with a count', { ...onDemandTemplate, interfaceType: 'efa', efaCount: 4 }],
    [
      'a launch template with its version',
      { ...onDemandTemplate, launchTemplateId: 'lt-1', launchTemplateVersion: '3' },
    ],
    [
      'types on demand after requirements',
      {
        ...without('vmType'),
        priceType: 'heterogeneous',
        vmTypesOnDemand: { 'm5.xlarge': 1 },
        abisInstanceRequirements,
      },
    ],
  ])('allow %s', (_, template) => expect(templateProblems(template)).toEqual([]));
});

it.each<[Partial<Template>, string]>([
  [{ priceType: 'ondemand' }, 'RunInstances'],
  [{ priceType: 'ondemand', fleetRole: 'arn:aws:iam::1:role/fleet' }, 'RunInstances'],
  [{ priceType: 'spot' }, 'EC2Fleet'],
  [{ priceType: 'spot', fleetRole: 'arn:aws:iam::1:role/fleet' }, 'SpotFleet'],
  [{ priceType: 'heterogeneous', fleetRole: 'arn:aws:iam::1:role/fleet' }, 'SpotFleet'],
])('%o is served by %s', (fields, api) => expect(providerApiOf({ ...onDemandTemplate, ...fields })).toBe(api));

it.each<[Template, string]>([
  [onDemandTemplate, 'm5.large'],
  [{ ...without('vmType'), launchTemplateId: 'lt-1' }, 'lt-1'],
])('messages name what is launched', (template, name) => expect(offeringOf(template)).toBe(name));

describe('the on-demand rest of a heterogeneous template', () => {
  const spot: Template = { ...without('vmType'), priceType: 'heterogeneous', fleetRole: 'arn:aws:iam::1:role/fleet' };

  it.each<[string, Partial<Template>, (readonly [string, number])[]]>([
    ['the one type of spot', { vmType: 'm5.large' }, [['m5.large', 1]]],
    [
      'the types of spot',
      { vmTypes: { 'm5.large': 1, 'm5.xlarge': 2 } },
      Object.entries({ 'm5.large': 1, 'm5.xlarge': 2 }),
    ],
    ['types of its own', { vmType: 'm5.large', vmTypesOnDemand: { 'm5.xlarge': 2 } }, [['m5.xlarge', 2]]],
    [
      'a shared type with its weight for spot',
      { vmTypes: { 'm5.large': 3 }, vmTypesOnDemand: { 'm5.large': 1 } },
      [['m5.large', 3]],
    ],
    [
      'a shared type with its weight for spot, which is one',
      { vmType: 'm5.large', vmTypesOnDemand: { 'm5.large': 3 } },
      [['m5.large', 1]],
    ],
  ])('goes by %s', (_, fields, types) => {
    const rest = onDemandRest({ ...spot, ...fields });
    expect(weightedTypes(rest)).toEqual(types);
    expect(templateProblems(rest)).toEqual([]);
    for (const [type, weight] of types) expect(weightsOf({ ...spot, ...fields })[type]).toBe(weight);
  });

  it('goes by the requirements of spot, unless it has types of its own', () => {
    expect(onDemandRest({ ...spot, abisInstanceRequirements })).toMatchObject({ abisInstanceRequirements });
    const named = onDemandRest({ ...spot, abisInstanceRequirements, vmTypesOnDemand: { 'm5.xlarge': 1 } });
    expect(named).not.toHaveProperty('abisInstanceRequirements');
    expect(templateProblems(named)).toEqual([]);
  });

  it("takes over raw fields of EC2 Fleet's call, not of Spot Fleet's", () => {
    const { fleetRole: _role, ...byEc2Fleet } = { ...spot, vmType: 'm5.large' };
    expect(onDemandRest({ ...byEc2Fleet, providerApiSpec: { Context: 'c' } })).toHaveProperty('providerApiSpec');
    expect(onDemandRest({ ...spot, providerApiSpec: { Context: 'c' } })).not.toHaveProperty('providerApiSpec');
  });
});
