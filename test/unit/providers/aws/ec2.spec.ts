import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAwsClock } from '../../../../src/providers/aws/aws-clock.ts';
import { clientConfig } from '../../../../src/providers/aws/client-config.ts';
import { createEc2 } from '../../../../src/providers/aws/ec2.ts';
import { createRecordingLog } from '../../recording-log.ts';

interface Answer {
  readonly status?: number;
  readonly body: string;
}

const envelope = (action: string, body: string): Answer => ({
  body: `<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${body}</${action}Response>`,
});
const refusal = (status: number, code: string): Answer => ({
  status,
  body: `<Response><Errors><Error><Code>${code}</Code><Message>no</Message></Error></Errors></Response>`,
});
const instances = (ids: readonly string[], next = ''): Answer =>
  envelope(
    'DescribeInstances',
    `<reservationSet><item><instancesSet>${ids.map((id) => `<item><instanceId>${id}</instanceId></item>`).join('')}` +
      `</instancesSet></item></reservationSet>${next === '' ? '' : `<nextToken>${next}</nextToken>`}`,
  );

/** EC2 on loopback that gives these answers one after the other, and the real client against it. */
const setUp = async (answers: readonly Answer[], retries = 0) => {
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const chunks: string[] = [];
    request.setEncoding('utf8').on('data', (chunk) => chunks.push(String(chunk)));
    request.on('end', () => {
      const { status = 200, body } = answers[asked.length] ?? refusal(500, 'NothingLeftToAnswer');
      asked.push(new URLSearchParams(chunks.join('')));
      response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': 'a1-b2' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const connection = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    useFips: false,
  };
  const policy = { retries, interval: 0 };
  const ec2 = createEc2({
    client: await clientConfig(connection, createAwsClock(Date.now), async () => ({
      accessKeyId: 'AKIATEST',
      secretAccessKey: 's3cr3t',
    })),
    changes: policy,
    reads: policy,
    log: createRecordingLog(),
    signal: new AbortController().signal,
    random: () => 0,
  });
  return { ec2, asked };
};

describe('reading instances', () => {
  it('goes on to the last page, with the filter and the page size on each', async () => {
    const { ec2, asked } = await setUp([instances(['i-1', 'i-2'], 'more'), instances([], 'still'), instances(['i-3'])]);
    const found = await ec2.describeInstances([{ Name: 'instance-id', Values: ['i-1', 'i-2', 'i-3'] }]);
    expect(found.map(({ InstanceId }) => InstanceId)).toEqual(['i-1', 'i-2', 'i-3']);
    expect(
      asked.map((params) => [params.get('MaxResults'), params.get('Filter.1.Name'), params.get('NextToken')]),
    ).toEqual([
      ['1000', 'instance-id', null],
      ['1000', 'instance-id', 'more'],
      ['1000', 'instance-id', 'still'],
    ]);
  });

  it('that failed is tried again where it was, as often as the policy says', async () => {
    const { ec2, asked } = await setUp(
      [instances(['i-1'], 'more'), refusal(503, 'RequestLimitExceeded'), instances(['i-2'])],
      1,
    );
    expect(await ec2.describeInstances([{ Name: 'instance-id', Values: ['i-1'] }])).toHaveLength(2);
    expect(asked.map((params) => params.get('NextToken'))).toEqual([null, 'more', 'more']);
  });
});

describe('a fault', () => {
  it('is ours, with AWS’s code and request id', async () => {
    const { ec2 } = await setUp([refusal(400, 'UnauthorizedOperation')]);
    await expect(ec2.terminateInstances(['i-1'])).rejects.toMatchObject({
      code: 'provider.denied',
      message: 'TerminateInstances failed. Error Code: UnauthorizedOperation: no',
      aws: { code: 'UnauthorizedOperation', action: 'TerminateInstances', awsRequestId: 'a1-b2' },
    });
  });

  it.each([500, 400])(
    'for want of capacity under HTTP %i is one try: the SDK repeats nothing by itself',
    async (status) => {
      const { ec2, asked } = await setUp([refusal(status, 'InsufficientInstanceCapacity')], 5);
      await expect(ec2.runInstances({ MinCount: 1, MaxCount: 1, ClientToken: 't' })).rejects.toMatchObject({
        code: 'provider.capacity',
      });
      expect(asked).toHaveLength(1);
    },
  );

  it('repeats a launch with the same client token', async () => {
    const launched = envelope('RunInstances', '<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>');
    const { ec2, asked } = await setUp([refusal(503, 'RequestLimitExceeded'), launched], 1);
    const { Instances = [] } = await ec2.runInstances({ MinCount: 1, MaxCount: 1, ClientToken: 'req-1.0' });
    expect(Instances).toMatchObject([{ InstanceId: 'i-1' }]);
    expect(asked.map((params) => params.get('ClientToken'))).toEqual(['req-1.0', 'req-1.0']);
  });

  it('of an answer that is not EC2’s leaves the outcome of a launch open', async () => {
    const { ec2 } = await setUp([{ status: 502, body: '<html>Bad gateway</html>' }]);
    await expect(ec2.runInstances({ MinCount: 1, MaxCount: 1, ClientToken: 't' })).rejects.toMatchObject({
      code: 'provider.transient',
    });
  });

  it('never tells the secret key', async () => {
    const { ec2 } = await setUp([refusal(403, 'SignatureDoesNotMatch')]);
    const error: unknown = await ec2.rootDeviceName('ami-1').catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cr3t');
  });
});

describe('the root device of an image', () => {
  it.each([
    ['<item><imageId>ami-1</imageId><rootDeviceName>/dev/xvda</rootDeviceName></item>', '/dev/xvda'],
    ['', undefined],
  ])('in the answer %j is %s', async (item, name) => {
    const { ec2 } = await setUp([envelope('DescribeImages', `<imagesSet>${item}</imagesSet>`)]);
    expect(await ec2.rootDeviceName('ami-1')).toBe(name);
  });
});

it('tags go on all resources in one call', async () => {
  const { ec2, asked } = await setUp([envelope('CreateTags', '<return>true</return>')]);
  await ec2.createTags(['i-1', 'vol-1'], [{ Key: 'InstanceID', Value: 'i-1' }]);
  expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
    Action: 'CreateTags',
    'ResourceId.1': 'i-1',
    'ResourceId.2': 'vol-1',
    'Tag.1.Key': 'InstanceID',
    'Tag.1.Value': 'i-1',
  });
});
