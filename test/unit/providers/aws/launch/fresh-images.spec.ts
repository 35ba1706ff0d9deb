import { expect, it } from 'vitest';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { startLaunches } from '../launches.ts';

const alias = '/my/ami';
const [old, fresh] = ['ami-0000000a', 'ami-0000000b'];

/** The alias is remembered for the old image, which is then deregistered; the parameter names the new one. */
const startMoved = async () => {
  const launches = await startLaunches({ parameters: { [alias]: old } });
  const imageId = await launches.aws.imageOf(alias);
  launches.emulator.configure({ parameters: { [alias]: fresh }, missingImages: [old] });
  return { ...launches, byAlias: { imageId, imageAlias: alias } };
};

it.each<[string, Partial<Template>]>([
  ['RunInstances', {}],
  ['RunInstances with a root volume, whose image is asked for first', { rootDeviceVolumeSize: 50 }],
  ['EC2 Fleet', { providerApi: 'EC2Fleet' }],
])('an alias whose image is gone is resolved anew, and the launch goes out once more: %s', async (_, fields) => {
  const { launch, byAlias, aws, emulator } = await startMoved();
  const reports = await launch({ ...fields, ...byAlias });
  expect(reports.at(-1)?.machines).toHaveLength(2);
  expect(emulator.instances().map((each) => each.imageId)).toEqual([fresh, fresh]);
  expect(emulator.countCalls()).toMatchObject({ GetParameter: 2 });
  expect(await aws.imageOf(alias)).toBe(fresh);
});

it.each<[string, Partial<Template>, string]>([
  ['RunInstances', { subnetIds: ['subnet-0000000a', 'subnet-0000000b'] }, 'RunInstances'],
  ['EC2 Fleet', { providerApi: 'EC2Fleet' }, 'CreateFleet'],
])('an alias that still names the image that is gone is not launched by again: %s', async (_, fields, action) => {
  const { launch, byAlias, emulator } = await startMoved();
  emulator.configure({ parameters: { [alias]: old } });
  const reports = await launch({ ...fields, ...byAlias });
  expect(reports.map(({ refusal }) => refusal?.code)).toEqual(['InvalidAMIID.NotFound']);
  expect(emulator.countCalls()).toMatchObject({ [action]: 1 });
});

it('an image that is named itself is not tried again when it is gone', async () => {
  const { launch, emulator } = await startMoved();
  const reports = await launch({ imageId: old, subnetIds: ['subnet-0000000a', 'subnet-0000000b'] });
  expect(reports).toHaveLength(1);
  expect(emulator.countCalls()).toMatchObject({ RunInstances: 1, GetParameter: 1 });
});

it.each<[string, Partial<Template>]>([
  ['EC2 Fleet, request', { providerApi: 'EC2Fleet', fleetType: 'request' }],
  ['Spot Fleet', { priceType: 'spot', fleetRole: 'arn:aws:iam::1:role/f' }],
  ['ASG', { providerApi: 'ASG' }],
])(
  'what a fleet or group tells of an image that is gone makes the next request resolve the alias anew: %s',
  async (_, fields) => {
    const { launch, byAlias, aws, emulator } = await startMoved();
    emulator.configure({ fulfilMs: 0 });
    const [report] = await launch({ ...fields, ...byAlias });
    const resource = report?.resource;
    if (resource === undefined) throw new Error('nothing was made');
    const { keeper } = aws.provider(resource.kind);
    const held = { ...resource, createdAt: Date.now() - 60_000, clientToken: 'req-1.0', stage: 'filling' } as const;
    expect(await keeper?.explain(held)).toMatchObject({ message: expect.stringContaining(old) });
    expect(await aws.imageOf(alias)).toBe(fresh);
  },
);
