import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** IAM actions, error codes, parameters and names of calls, as AWS spells them. The names of the four APIs are values of a template's field. */
const awsWords =
  /\b(ec2|autoscaling|iam|sqs|ssm|sts|pricing):[A-Z]\w+|\b(Invalid|Insufficient|Unauthorized)[A-Z]\w+|\b(Describe|Terminate|Modify|Create)(Instances|Fleets?|Tags|AutoScaling\w+|LaunchTemplate\w*|Spot\w+)\b|\b(NetworkInterfaces|BlockDeviceMappings|TagSpecifications|CapacityReservationSpecification|MetadataOptions)\b/g;

it('the domain has none of AWS’s own words', async () => {
  const domain = join(import.meta.dirname, '..', '..', '..', 'src', 'domain');
  const files = (await readdir(domain, { recursive: true })).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(20);
  const found = await Promise.all(
    files.map(async (name) => [...(await readFile(join(domain, name), 'utf8')).matchAll(awsWords)].map(String)),
  );
  expect(found.flat()).toEqual([]);
});
