import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Emulator, startEmulator } from '../../../../../src/emulator/server.ts';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { clientConfig } from '../../../../../src/providers/aws/wire/client-config.ts';
import type { AwsCredentials, CredentialProvider } from '../../../../../src/providers/aws/wire/credentials.ts';
import { postSigned } from '../../../../../src/providers/aws/wire/post-signed.ts';

const message = {
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'Action=DescribeInstances&Version=2016-11-15',
};
const keys = (accessKeyId: string): AwsCredentials => ({ accessKeyId, secretAccessKey: 's3cr3t' });

/** AWS's clock is so many ms behind this host's; it takes signatures that are five minutes off. */
const startAws = async (behind = 0): Promise<Emulator> => {
  const emulator = await startEmulator({ now: () => Date.now() - behind, settings: { signatureMinutes: 5 } });
  onTestFinished(() => emulator.close());
  return emulator;
};

const connect = async (
  endpoint: string,
  credentials: CredentialProvider = async () => keys('AKIA1'),
  requestTimeoutMs = 10_000,
) => {
  const clock = createAwsClock(Date.now);
  const connection = {
    region: 'us-east-1',
    endpoint,
    connectionTimeoutMs: 10_000,
    requestTimeoutMs,
    useFips: false,
  };
  const client = await clientConfig(connection, clock, credentials);
  return { clock, call: () => postSigned('ec2', client, message, new AbortController().signal) };
};

describe('a call signed by a clock that is wrong', () => {
  it.each([
    ['ahead of', 20 * 60_000],
    ['behind', -5 * 3_600_000],
  ])('%s AWS is signed again by its clock, and those after it at once', async (_, behind) => {
    const aws = await startAws(behind);
    const { clock, call } = await connect(aws.url);
    expect((await call()).status).toBe(200);
    expect(Math.abs((clock.ahead() ?? 0) - behind)).toBeLessThan(60_000);
    expect(aws.calls()).toHaveLength(2);
    expect((await call()).status).toBe(200);
    expect(aws.calls()).toHaveLength(3);
  });

  it('is sent once where AWS takes it', async () => {
    const aws = await startAws(200_000);
    const { call } = await connect(aws.url);
    expect((await call()).status).toBe(200);
    expect(aws.calls()).toHaveLength(1);
  });
});

describe('a call whose credentials AWS refuses', () => {
  const renewable = (...all: readonly string[]) => {
    const refused: string[] = [];
    const credentials: CredentialProvider = async (bad) => {
      if (bad !== undefined) refused.push(bad.accessKeyId);
      return keys(all[Math.min(refused.length, all.length - 1)] ?? '');
    };
    return { credentials, refused };
  };

  it('is sent again with those that replaced them', async () => {
    const aws = await startAws();
    aws.configure({ deniedAccessKeys: ['AKIA1'] });
    const { credentials, refused } = renewable('AKIA1', 'AKIA2');
    expect((await (await connect(aws.url, credentials)).call()).status).toBe(200);
    expect(refused).toEqual(['AKIA1']);
  });

  it('is not sent again where there are no others, nor more than once', async () => {
    const aws = await startAws();
    aws.configure({ deniedAccessKeys: ['AKIA1', 'AKIA2'] });
    expect((await (await connect(aws.url, renewable('AKIA1').credentials)).call()).status).toBe(401);
    expect(aws.calls()).toHaveLength(1);
    expect((await (await connect(aws.url, renewable('AKIA1', 'AKIA2').credentials)).call()).status).toBe(401);
    expect(aws.calls()).toHaveLength(3);
  });

  it.each([
    ['UnauthorizedOperation', 403],
    ['AuthFailure', 401],
    ['InternalError', 500],
  ])('is told from one that is refused with %s', async (code, httpStatus) => {
    const aws = await startAws();
    aws.addFault({ effect: { kind: 'error', code, httpStatus, message: 'Not authorized for images: [ami-1]' } });
    const { credentials, refused } = renewable('AKIA1', 'AKIA2');
    expect((await (await connect(aws.url, credentials)).call()).status).toBe(httpStatus);
    expect(refused).toEqual([]);
  });
});

describe('the time of an answer', () => {
  it('is not taken from what does not come from AWS', async () => {
    const portal = createServer((_, response) => {
      response.writeHead(200, { date: 'Thu, 01 Jan 1970 00:00:00 GMT' }).end('<html/>');
    });
    await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      portal.close();
      portal.closeAllConnections();
    });
    const address: AddressInfo | string | null = portal.address();
    const { clock, call } = await connect(
      `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    );
    await call();
    expect(clock.ahead()).toBeUndefined();
  });
});

it('a call whose answer does not come is given up', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    silent.close();
    silent.closeAllConnections();
  });
  const address: AddressInfo | string | null = silent.address();
  const { call } = await connect(
    `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    undefined,
    100,
  );
  await expect(call()).rejects.toMatchObject({ name: 'TimeoutError' });
});

describe('STS, asked for credentials by the SDK', () => {
  it('is that of the configured Region, by the configured proxy', async () => {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      proxy.close();
      vi.unstubAllEnvs();
    });
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
    const token = new URL('../../../../../package.json', import.meta.url).pathname;
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', token);
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws-cn:iam::123456789012:role/grid');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials');
    // What the SDK found is kept for the life of the process: this is a fresh one.
    vi.resetModules();
    const fresh = await import('../../../../../src/providers/aws/wire/client-config.ts');
    const address: AddressInfo | string | null = proxy.address();
    const client = await fresh.clientConfig(
      {
        region: 'cn-north-1',
        proxy: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
        connectionTimeoutMs: 10_000,
        requestTimeoutMs: 10_000,
        useFips: false,
      },
      createAwsClock(Date.now),
      undefined,
    );
    await expect(client.credentials()).rejects.toThrow();
    expect(new Set(asked)).toEqual(new Set(['sts.cn-north-1.amazonaws.com.cn:443']));
  });
});
