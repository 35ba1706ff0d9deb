import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEc2 } from '../../../../../src/providers/aws/services/ec2.ts';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import {
  agentFor,
  type ConnectionSettings,
  clientConfig,
} from '../../../../../src/providers/aws/wire/client-config.ts';
import { createRecordingLog } from '../../../recording-log.ts';

const portOf = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const configFor = (settings: Partial<ConnectionSettings>) =>
  clientConfig(
    { region: 'us-east-1', connectionTimeoutMs: 20_000, requestTimeoutMs: 20_000, useFips: false, ...settings },
    createAwsClock(Date.now),
    async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 's3cr3t' }),
  );
const describeWith = async (settings: Partial<ConnectionSettings>) => {
  const once = { retries: 0, interval: 0 };
  const context = { log: createRecordingLog(), signal: new AbortController().signal, random: () => 0 };
  const ec2 = createEc2({ client: await configFor(settings), changes: once, reads: once, ...context });
  return ec2.read('DescribeInstances', {}).catch((error: unknown) => error);
};

describe('a call', () => {
  it('that a proxy does not let through was never asked of AWS', async () => {
    const proxy = createServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 407 Who?\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<h1>Who?</h1>'),
      );
    });
    const port = await portOf(proxy);
    expect(await describeWith({ proxy: `http://127.0.0.1:${port}` })).toMatchObject({
      code: 'provider.unreachable',
      message: expect.stringMatching(/^DescribeInstances failed.*proxy does not let.*HTTP 407, text\/html, "Who\?"/),
    });
  });

  it.each(['http', 'https'])('by %s, whose proxy is not there, names the proxy', async (scheme) => {
    const gone = createServer();
    const port = await portOf(gone);
    await new Promise((resolve) => gone.close(resolve));
    const endpoint = `${scheme}://ec2.us-east-1.amazonaws.com`;
    for (const proxy of [
      `http://no.such.proxy.invalid:${port}`,
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}`,
    ])
      expect(await describeWith({ endpoint, proxy }), proxy).toMatchObject({
        code: 'provider.unreachable',
        message: expect.stringMatching(
          /^DescribeInstances failed\. Error Code: ProxyUnreachable: the proxy cannot be reached \(.+\): check AWS_PROXY_HOST and AWS_PROXY_PORT$/,
        ),
      });
  });

  it('waits for an encrypted connection no longer than for any', async () => {
    const silent = createServer((socket) => void onTestFinished(() => void socket.destroy()));
    const port = await portOf(silent);
    const settings = { endpoint: `https://127.0.0.1:${port}`, connectionTimeoutMs: 50 };
    expect(await describeWith(settings)).toMatchObject({
      code: 'provider.transient',
      message: expect.stringContaining('the connection took longer than 50 ms'),
    });
  });

  it('does not read an answer without end', async () => {
    const part = ' '.repeat(1024 * 1024);
    const endless = createHttpServer((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', more);
      more();
    });
    onTestFinished(() => void endless.closeAllConnections());
    const port = await portOf(endless);
    expect(await describeWith({ endpoint: `http://127.0.0.1:${port}` })).toMatchObject({
      code: 'provider.transient',
      aws: { code: 'UnexpectedAnswer' },
      message: expect.stringContaining('the answer is longer than'),
    });
  });

  it('is signed without its user agent, which a proxy may change', async () => {
    const signed: string[] = [];
    const server = createHttpServer(({ headers }, response) => {
      signed.push(`${headers.authorization} ${headers['user-agent']}`);
      response.end();
    });
    const port = await portOf(server);
    await describeWith({ endpoint: `http://127.0.0.1:${port}` });
    expect(signed[0]).toMatch(/SignedHeaders=content-type;host;x-amz-date,.* hostfactory-aws$/);
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['', true],
    ['localhost, 127.0.0.1', true],
    ['ec2.us-east-1.amazonaws.com', false],
    ['.amazonaws.com', false],
    ['*.AmazonAWS.com', false],
    ['amazonaws.com', false],
    ['azonaws.com', true],
    ['localhost amazonaws.com:443', false],
    ['amazonaws.com:80', true],
    ['*', false],
  ])('%j leaves EC2 to the proxy: %s', async (noProxy, byProxy) => {
    const client = await configFor({ proxy: 'http://proxy:3128', noProxy });
    expect(agentFor(client, new URL('https://ec2.us-east-1.amazonaws.com')) !== undefined).toBe(byProxy);
  });
});
