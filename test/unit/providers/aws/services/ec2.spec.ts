import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEc2, createTags, instancesBy } from '../../../../../src/providers/aws/services/ec2.ts';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { clientConfig } from '../../../../../src/providers/aws/wire/client-config.ts';
import { createRecordingLog } from '../../../recording-log.ts';

interface Answer {
  readonly status?: number;
  readonly type?: string;
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
      const { status = 200, type = 'text/xml', body } = answers[asked.length] ?? refusal(500, 'NothingLeftToAnswer');
      asked.push(new URLSearchParams(chunks.join('')));
      response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': 'a1-b2' }).end(body);
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
  const log = createRecordingLog();
  const ec2 = createEc2({
    client: await clientConfig(connection, createAwsClock(Date.now), async () => ({
      accessKeyId: 'AKIATEST',
      secretAccessKey: 's3cr3t',
    })),
    changes: policy,
    reads: policy,
    log,
    signal: new AbortController().signal,
    random: () => 0,
  });
  return { ec2, asked, log };
};

describe('reading instances', () => {
  it('goes on to the last page, with the filter and the page size on each', async () => {
    const { ec2, asked } = await setUp([instances(['i-1', 'i-2'], 'more'), instances([], 'still'), instances(['i-3'])]);
    const found = await instancesBy(ec2, [{ Name: 'instance-id', Values: ['i-1', 'i-2', 'i-3'] }]);
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
    expect(await instancesBy(ec2, [{ Name: 'instance-id', Values: ['i-1'] }])).toHaveLength(2);
    expect(asked.map((params) => params.get('NextToken'))).toEqual([null, 'more', 'more']);
  });
});

describe('a fault', () => {
  it('is ours, with AWS’s code and request id', async () => {
    const { ec2 } = await setUp([refusal(400, 'UnauthorizedOperation')]);
    await expect(ec2.change('TerminateInstances', { InstanceIds: ['i-1'] })).rejects.toMatchObject({
      code: 'provider.denied',
      message: 'TerminateInstances failed. Error Code: UnauthorizedOperation: no',
      aws: { code: 'UnauthorizedOperation', action: 'TerminateInstances', awsRequestId: 'a1-b2' },
    });
  });

  it.each([500, 400])(
    'for want of capacity under HTTP %i is one try: the SDK repeats nothing by itself',
    async (status) => {
      const { ec2, asked } = await setUp([refusal(status, 'InsufficientInstanceCapacity')], 5);
      await expect(ec2.change('RunInstances', { MinCount: 1, MaxCount: 1, ClientToken: 't' })).rejects.toMatchObject({
        code: 'provider.capacity',
      });
      expect(asked).toHaveLength(1);
    },
  );

  it('repeats a launch with the same client token', async () => {
    const launched = envelope('RunInstances', '<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>');
    const { ec2, asked } = await setUp([refusal(503, 'RequestLimitExceeded'), launched], 1);
    const { Instances = [] } = await ec2.change('RunInstances', { MinCount: 1, MaxCount: 1, ClientToken: 'req-1.0' });
    expect(Instances).toMatchObject([{ InstanceId: 'i-1' }]);
    expect(asked.map((params) => params.get('ClientToken'))).toEqual(['req-1.0', 'req-1.0']);
  });

  it('of an answer that is not EC2’s leaves the outcome of a launch open', async () => {
    const { ec2 } = await setUp([{ status: 502, body: '<html>Bad gateway</html>' }]);
    await expect(ec2.change('RunInstances', { MinCount: 1, MaxCount: 1, ClientToken: 't' })).rejects.toMatchObject({
      code: 'provider.transient',
    });
  });

  it('never tells the secret key', async () => {
    const { ec2 } = await setUp([refusal(403, 'SignatureDoesNotMatch')]);
    const error: unknown = await ec2.read('DescribeImages', { ImageIds: ['ami-1'] }).catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cr3t');
  });
});

const page = '<html><head><title>Web filter</title></head><body>Please log in</body></html>';
const type = 'text/html; charset=utf-8';

describe('what is not EC2’s answer', () => {
  it.each<[string, Answer]>([
    ['a page', { body: page, type }],
    ['a page that says it is XML', { body: page }],
    ['a page refused with 403', { status: 403, body: page, type }],
    ['a page refused with 407', { status: 407, body: page, type }],
    ['a redirection with a page', { status: 307, body: page, type }],
    ['a redirection with nothing', { status: 301, body: '' }],
    ['nothing', { body: '' }],
    ['nothing, as an error of the server', { status: 503, body: '' }],
    ['JSON', { body: '{"Reservations":[]}', type: 'application/json' }],
    ['another element', { body: '<a/>' }],
    ['another action’s answer', envelope('DescribeImages', '<requestId>r</requestId><imagesSet/>')],
    ['an answer with nothing in it', { body: '<DescribeInstancesResponse/>' }],
    ['an answer without its list', envelope('DescribeInstances', '<requestId>r</requestId>')],
    ['an answer with an error’s status', { ...instances([]), status: 404 }],
    ['an error without a code', { status: 400, body: '<Response><Errors/></Response>' }],
    ['an answer that is broken off', { body: instances(['i-1']).body.slice(0, 200) }],
    ['a document type', { body: `<!DOCTYPE x>${instances([]).body}` }],
    ['elements without end', { body: `<DescribeInstancesResponse>${'<a>'.repeat(50_000)}` }],
  ])('says nothing of machines: %s', async (_what, answer) => {
    const { ec2 } = await setUp([answer]);
    await expect(instancesBy(ec2, [])).rejects.toMatchObject({
      code: 'provider.transient',
      aws: { code: 'UnexpectedAnswer', action: 'DescribeInstances' },
    });
  });

  it.each<[string, Answer]>([
    ['a page', { body: page, type }],
    ['a page refused with 403', { status: 403, body: page, type }],
    ['a page refused with 407', { status: 407, body: page, type }],
    ['another action’s answer', instances(['i-1'])],
  ])('leaves open what became of a launch: %s', async (_what, answer) => {
    const { ec2 } = await setUp([answer]);
    const launched = ec2.change('RunInstances', { MinCount: 1, MaxCount: 1, ClientToken: 't' });
    await expect(launched).rejects.toMatchObject({ code: 'provider.transient', aws: { code: 'UnexpectedAnswer' } });
  });

  it('is told by status, type and first words, without what may be a secret', async () => {
    const text = `<h1>Denied\u0007</h1>\n<p>for AKIAIOSFODNN7EXAMPLE?token=abc, Signature=0123abc; ${'so '.repeat(99)}</p>`;
    const { ec2 } = await setUp([{ status: 403, body: text, type }]);
    const error: unknown = await instancesBy(ec2, []).catch((thrown: unknown) => thrown);
    const told = error instanceof Error ? error.message : '';
    expect(told).toMatch(
      /^DescribeInstances failed\. Error Code: UnexpectedAnswer: the answer is not AWS's \(HTTP 403, text\/html; charset=utf-8, "Denied for …/,
    );
    expect(told).toMatch(/…"\); is there a proxy or gateway in between\?$/);
    expect(told).not.toMatch(/AKIA|token=|0123abc|\p{Cc}/u);
    expect(told.length).toBeLessThan(300);
  });
});

describe('an error of EC2’s', () => {
  it.each([200, 400, 500])('is one with HTTP %i', async (status) => {
    const { ec2 } = await setUp([refusal(status, 'InsufficientInstanceCapacity')]);
    const launched = ec2.change('RunInstances', { MinCount: 1, MaxCount: 1, ClientToken: 't' });
    await expect(launched).rejects.toMatchObject({ code: 'provider.capacity' });
  });

  it.each([
    ['with attributes', '<Error><Code a="b">VcpuLimitExceeded</Code><Message a="b">no</Message></Error>'],
    [
      'the first of two',
      `<Error><Code>VcpuLimitExceeded</Code><Message>no</Message></Error><Error><Code>X</Code></Error>`,
    ],
  ])('is read %s', async (_how, errors) => {
    const { ec2 } = await setUp([{ status: 400, body: `<Response><Errors>${errors}</Errors></Response>` }]);
    await expect(ec2.change('TerminateInstances', { InstanceIds: ['i-1'] })).rejects.toMatchObject({
      code: 'provider.quota',
      message: 'TerminateInstances failed. Error Code: VcpuLimitExceeded: no',
    });
  });
});

it('a call that cannot be written is never sent, and no fault of AWS’s', async () => {
  const { ec2, asked } = await setUp([]);
  const half = [{ Name: 'private-dns-name', Values: ['\ud800'] }];
  await expect(instancesBy(ec2, half)).rejects.toMatchObject({ code: 'provider.misconfigured' });
  await expect(
    ec2.read('DescribeFleetHistory', { FleetId: 'fleet-1', StartTime: new Date(Number.NaN) }),
  ).rejects.toMatchObject({
    code: 'provider.misconfigured',
  });
  expect(asked).toEqual([]);
});

it('a launch without its client token is never sent: repeated, it would launch twice', async () => {
  const { ec2, asked } = await setUp([]);
  const told = { code: 'provider.misconfigured', message: 'RunInstances cannot be written: it has no ClientToken' };
  await expect(ec2.change('RunInstances', { MinCount: 1, MaxCount: 1 })).rejects.toMatchObject(told);
  const config = { IamFleetRole: 'r', TargetCapacity: 1 };
  await expect(ec2.change('RequestSpotFleet', { SpotFleetRequestConfig: config })).rejects.toThrow('ClientToken');
  expect(asked).toEqual([]);
});

describe('a dry run', () => {
  const launch = { MinCount: 1, MaxCount: 1 };

  it('of what is permitted says nothing, and asks for no more than a dry run', async () => {
    const { ec2, asked } = await setUp([refusal(412, 'DryRunOperation')]);
    await ec2.dryRun('RunInstances', launch);
    expect(asked.map((params) => params.get('DryRun'))).toEqual(['true']);
  });

  it.each([
    ['UnauthorizedOperation', 'provider.denied'],
    ['InvalidAMIID.NotFound', 'provider.misconfigured'],
  ])('of what is refused with %s throws that, and warns of nothing', async (code, kind) => {
    const { ec2, log } = await setUp([refusal(400, code)]);
    await expect(ec2.dryRun('RunInstances', launch)).rejects.toMatchObject({ code: kind });
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});

it('tags go on all resources in one call', async () => {
  const { ec2, asked } = await setUp([envelope('CreateTags', '<return>true</return>')]);
  await createTags(ec2, ['i-1', 'vol-1'], [{ Key: 'InstanceID', Value: 'i-1' }]);
  expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
    Action: 'CreateTags',
    'ResourceId.1': 'i-1',
    'ResourceId.2': 'vol-1',
    'Tag.1.Key': 'InstanceID',
    'Tag.1.Value': 'i-1',
  });
});
