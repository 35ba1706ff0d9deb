import { expect, it } from 'vitest';
import type { Diagnosis } from '../../../../../src/domain/finding.ts';
import type { Template } from '../../../../../src/domain/template/template.ts';
import type { Aws } from '../../../../../src/providers/aws/aws.ts';
import { cureOfAws } from '../../../../../src/providers/aws/inspect/cures.ts';
import { codesByKind } from '../../../../../src/providers/aws/wire/error-codes.ts';
import { toPluginError } from '../../../../../src/providers/aws/wire/fault.ts';
import { onDemandTemplate as anyTemplate } from '../../../domain/template/template-fixture.ts';
import { emulatedAws } from '../emulated-aws.ts';

const onDemandTemplate: Template = { ...anyTemplate, subnetIds: ['subnet-0000000a', 'subnet-0000000b'] };
const scope = { owner: 'hostfactory/awsinst' };

/** What all checks of these templates say. A fault is thrown. */
const look = async (aws: Aws, ...templates: readonly Template[]): Promise<readonly Diagnosis[]> => {
  const { reach, others } = await aws.checks(templates, scope, async () => new Map());
  const found = [...(await reach.look())];
  for (const check of others) found.push(...(await check.look()));
  return found;
};

const troubles = (found: readonly Diagnosis[]) =>
  found.flatMap((each) => (each.status === 'ok' ? [] : [[each.code, each.what, each.cure]]));

const faultOf = (code: string, message = 'refused') =>
  toPluginError(
    'GetCallerIdentity',
    Object.assign(new Error(message), { name: code, code, $metadata: { httpStatusCode: 400 } }),
  );

it.each([
  ['ExpiredToken', /^renew the temporary credentials/],
  ['ExpiredTokenException', /^renew the temporary credentials/],
  ['RequestExpired', /^set the clock of this host: .* renew/],
  ['SignatureDoesNotMatch', /secret key/],
  ['InvalidClientTokenId', /^put a valid key in place/],
  ['CredentialsProviderError', /^configure credentials/],
  ['Throttling', /^wait a minute/],
  ['AccessDenied', /doctor --iam-policy/],
  ['OptInRequired', /AWS support/],
  ['VcpuLimitExceeded', /^ask for a higher quota/],
  ['InsufficientInstanceCapacity', /offerings list/],
  ['QueueDoesNotExist', /event-queue\.cloudformation/],
  ['ECONNREFUSED', /^check the network and the proxy/],
  ['ENOTFOUND', /^check AWS_REGION.* DNS/],
  ['ProxyUnreachable', /^check AWS_PROXY_HOST/],
  ['CERT_HAS_EXPIRED', /NODE_EXTRA_CA_CERTS/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /NODE_EXTRA_CA_CERTS/],
  ['SomethingNew', /hf-aws config show/],
])('%s is met by what helps against it', (code, cure) => {
  expect(cureOfAws(faultOf(code))).toMatch(cure);
});

it('every code that is known has a next step, and those of one kind need not share it', () => {
  const cures = codesByKind.flatMap(([, codes]) => codes.map((code) => cureOfAws(faultOf(code))));
  expect(cures.filter((cure) => cure.length < 15)).toEqual([]);
  expect(new Set(cures).size).toBeGreaterThan(15);
});

it.each([
  ['is not authorized to perform: ec2:CreateFleet on resource: *', 'allow ec2:CreateFleet: attach the policy'],
  ['is not authorized to perform: sts:AssumeRole on resource: x', 'allow sts:AssumeRole to the caller'],
])('a denial that %s is met by that very action', (message, cure) => {
  expect(cureOfAws(faultOf('UnauthorizedOperation', message))).toContain(cure);
});

it('a permission that is missing is told as its action', async () => {
  const { aws, emulator } = await emulatedAws();
  emulator.configure({ deniedActions: ['RunInstances'] });
  expect(troubles(await look(aws, onDemandTemplate))).toEqual([
    ['provider.denied', 'ec2:RunInstances is denied', expect.stringMatching(/^allow ec2:RunInstances: attach/)],
  ]);
});

it('an image or a subnet that is missing is told with the template that names it', async () => {
  const { aws, emulator } = await emulatedAws();
  const { imageId = '', subnetIds } = onDemandTemplate;
  const alias: Template = { ...onDemandTemplate, templateId: 'alias', imageId: '/grid/none' };
  emulator.configure({ missingImages: [imageId], missingSubnets: subnetIds.slice(0, 1) });
  const found = troubles(await look(aws, onDemandTemplate, alias));
  expect(found).toEqual([
    ['image.missing', expect.stringContaining('/grid/none names no image'), expect.stringContaining('validate --aws')],
    ['image.missing', expect.stringContaining(`${imageId} does not exist`), expect.stringContaining('imageId of od-a')],
    [
      'subnet.missing',
      expect.stringContaining(`${subnetIds[0]} does not`),
      expect.stringContaining('subnetId of od-a'),
    ],
  ]);
});

it('a subnet without a free address is told before launches are refused', async () => {
  const { aws, emulator } = await emulatedAws();
  const [subnet = ''] = onDemandTemplate.subnetIds;
  emulator.configure({ freeAddresses: { [subnet]: 0 } });
  expect(troubles(await look(aws, onDemandTemplate))).toEqual([
    ['subnet.full', expect.stringContaining(subnet), expect.stringContaining('add another subnet')],
  ]);
});

it('a connection that fails is a matter of the network, not of credentials', async () => {
  const { aws } = await emulatedAws({ endpoint: 'http://127.0.0.1:1' });
  const fault: unknown = await look(aws).catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: 'provider.unreachable' });
});

it.each([
  ['grid', 'arn:aws:iam::123456789012:role/grid'],
  [undefined, 'arn:aws:iam::123456789012:role/aws-service-role/spotfleet.amazonaws.com/AWSServiceRoleForEC2SpotFleet'],
])('Spot Fleet is tried with the role that launches have: fleetRole %s', async (role, arn) => {
  const { aws, emulator } = await emulatedAws();
  const template: Template = {
    ...onDemandTemplate,
    priceType: 'spot',
    providerApi: 'SpotFleet',
    ...(role === undefined ? {} : { fleetRole: role }),
  };
  await look(aws, template);
  expect(emulator.calls('RequestSpotFleet').map(({ parameters }) => parameters)).toEqual([
    expect.objectContaining({ DryRun: 'true', 'SpotFleetRequestConfig.IamFleetRole': arn }),
  ]);
});
