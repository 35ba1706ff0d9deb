import { expect, it } from 'vitest';
import type { Template } from '../../../../../src/domain/template/template.ts';
import { onDemandTemplate } from '../../../domain/template/template-fixture.ts';
import { emulatedAws } from '../emulated-aws.ts';

/** The mend of what diagnosis says of AWS, where GetCallerIdentity is answered with this code. */
const mendOf = async (code: string): Promise<string> => {
  const { aws, emulator } = await emulatedAws();
  emulator.addFault({ action: 'GetCallerIdentity', effect: { kind: 'error', code, httpStatus: 403 } });
  const found = await aws.diagnose([], { owner: 'hostfactory/awsinst' });
  return found.find(({ status }) => status === 'error')?.mend ?? '';
};

it.each([
  ['ExpiredToken', /renew the temporary credentials/],
  ['RequestExpired', /run NTP .* renew/],
  ['SignatureDoesNotMatch', /secret key/],
  ['InvalidClientTokenId', /put a valid key in place/],
  ['Throttling', /wait a minute/],
  ['AccessDenied', /doctor --iam-policy/],
  ['OptInRequired', /AWS support/],
  ['SomethingNew', /hf-aws config show/],
])('%s is mended by what helps against it', async (code, mend) => {
  expect(await mendOf(code)).toMatch(mend);
});

it('a connection that fails is a matter of the network, not of credentials', async () => {
  const { aws } = await emulatedAws({ endpoint: 'http://127.0.0.1:1' });
  const found = await aws.diagnose([], { owner: 'hostfactory/awsinst' });
  expect(found).toContainEqual(
    expect.objectContaining({ subject: 'AWS', status: 'error', mend: expect.stringMatching(/^check the network/) }),
  );
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
  await aws.diagnose([template], { owner: 'hostfactory/awsinst' });
  expect(emulator.calls('RequestSpotFleet').map(({ parameters }) => parameters)).toEqual([
    expect.objectContaining({ DryRun: 'true', 'SpotFleetRequestConfig.IamFleetRole': arn }),
  ]);
});
