import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as ec2 from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { autoScalingSubject, checkClient, ec2Subject } from '../../../scripts/dev/check-clients.ts';
import { schemaSource } from '../../../scripts/dev/sdk-schemas.ts';
import { createEc2 } from '../../../src/providers/aws/aws.ts';
import { createAutoScaling } from '../../../src/providers/aws/services/auto-scaling.ts';
import { type Ec2Calls, ec2Operations } from '../../../src/providers/aws/services/operations.ts';
import { createQueryClient, type QueryClientOptions } from '../../../src/providers/aws/wire/query-client.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const names = Object.keys(ec2Operations);

/** The client as the build makes it, of this source of schemas. */
const builtOf = async (source: string) => {
  const file = join(await temporaryFolder(), 'schemas.mjs');
  await writeFile(file, source);
  const schemas: Pick<typeof ec2, `${keyof Ec2Calls}$`> = await import(pathToFileURL(file).href);
  return (options: QueryClientOptions) =>
    createQueryClient<Ec2Calls>(
      {
        name: 'ec2',
        dialect: 'ec2',
        version: '2016-11-15',
        operations: ec2Operations,
        schemaOf: (name) => schemas[`${name}$`],
      },
      options,
    );
};

describe('the program speaks to AWS as the SDK would', () => {
  it('EC2, by the SDK itself', () => checkClient(ec2Subject(createEc2)));
  it('Auto Scaling, by the SDK itself', () => checkClient(autoScalingSubject(createAutoScaling)));
  it('EC2, by the schemas that are taken from it', async () =>
    checkClient(ec2Subject(await builtOf(schemaSource({ ...ec2 }, names)))));
});

describe('a build is refused', () => {
  const source = schemaSource({ ...ec2 }, names);

  it.each([
    ['writes a field under another name', '"PrivateDnsName"', '"PrivateDnsname"'],
    ['reads an element under another name', '"launchTime"', '"launchtime"'],
    ['has lost an operation', 'export const ModifyFleet$=', 'export const ModifyFleets$='],
    ['takes a list for a plain value', '[1,0,0,0,', '[0,0,0,0,'],
  ])('whose program %s', async (_what, from, to) => {
    expect(source).toContain(from);
    await expect(checkClient(ec2Subject(await builtOf(source.replace(from, to))))).rejects.toThrow(
      'cannot speak to AWS',
    );
  });

  it('whose program has no client', () =>
    expect(checkClient(ec2Subject(undefined))).rejects.toThrow('cannot speak to AWS'));

  it('that wants an operation the SDK does not have', () => {
    expect(() => schemaSource({ ...ec2 }, ['LaunchRockets'])).toThrow('the SDK has no operation LaunchRockets');
  });

  it.each([
    [[2, 'ns', 'AMap', 0, 0, 0], 'AMap: the SDK has a kind of schema that is not known here: 2'],
    ['name', 'the SDK has a reference that is not known here: name'],
  ])('that meets a kind of schema it does not know: %j', (input, text) => {
    const sdk = { DoIt$: [9, 'ns', 'DoIt', 0, input, 'unit'] };
    expect(() => schemaSource(sdk, ['DoIt'])).toThrow(text);
  });
});
