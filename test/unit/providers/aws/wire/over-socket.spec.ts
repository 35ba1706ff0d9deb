import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, createServer as createSecureServer, rootCertificates } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { clientConfig } from '../../../../../src/providers/aws/wire/client-config.ts';
import { connectAhead, connectTo } from '../../../../../src/providers/aws/wire/connections.ts';
import { overSocket } from '../../../../../src/providers/aws/wire/over-socket.ts';
import { createTrust, inTurn } from '../../../../../src/providers/aws/wire/trust.ts';

const portOf = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port }: Pick<AddressInfo, 'port'> = Object(server.address());
  return port;
};

/** Answers the n-th request of all in its own way; the sockets that came. */
const serve = async (...ways: readonly ((socket: Socket) => void)[]) => {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    onTestFinished(() => void socket.destroy());
    socket.on('data', (bytes) => {
      requests.push(bytes.toString('latin1'));
      ways[requests.length - 1]?.(socket);
    });
  });
  return { url: new URL(`http://127.0.0.1:${await portOf(server)}/`), sockets, requests };
};

const headers = { host: 'aws', 'content-type': 'application/x-www-form-urlencoded' };
const ask = async (
  url: URL,
  { fields = {}, signal = new AbortController().signal, connectionTimeoutMs = 20_000 } = {},
) => {
  const settings = { region: 'us-east-1', connectionTimeoutMs, requestTimeoutMs: 20_000, useFips: false };
  const client = await clientConfig(settings, createAwsClock(Date.now), undefined);
  return overSocket(client, url, { headers: { ...headers, ...fields }, body: 'Action=Änderung' }, signal);
};

const answered =
  (text: string) =>
  (socket: Socket): void =>
    void socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);

describe('a request', () => {
  it('goes out whole, with its length in bytes', async () => {
    const { url, requests } = await serve(answered('yes'));
    expect(await ask(url)).toMatchObject({ status: 200, text: 'yes', isFromProxy: false });
    expect(requests).toEqual([
      `POST / HTTP/1.1\r\nhost: aws\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 16\r\n\r\n${Buffer.from('Action=Änderung').toString('latin1')}`,
    ]);
  });

  it('is not sent with a field that would end its line', async () => {
    const { url, requests } = await serve();
    await expect(ask(url, { fields: { 'x-amz-security-token': 'a\r\nhost: b' } })).rejects.toThrow(
      /the field x-amz-security-token holds a character/,
    );
    expect(requests).toEqual([]);
  });

  it('takes the connection of the one before', async () => {
    const { url, sockets } = await serve(answered('1'), answered('2'), answered('3'));
    for (const text of ['1', '2', '3']) expect((await ask(url)).text).toBe(text);
    expect(sockets).toHaveLength(1);
  });

  it('has a connection of its own while another waits for its answer', async () => {
    const { url, sockets } = await serve(
      () => undefined,
      (socket) => {
        answered('2')(socket);
        for (const each of sockets) if (each !== socket) answered('1')(each);
      },
    );
    const both = await Promise.all([ask(url), ask(url)]);
    expect(both.map(({ text }) => text).toSorted()).toEqual(['1', '2']);
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ['says that it closes', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n1'],
    ['sends more than was asked for', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1HTTP/1.1 200 OK\r\n'],
  ])('takes no connection of a server that %s', async (_, text) => {
    const { url, sockets } = await serve((socket) => void socket.write(text), answered('2'));
    expect((await ask(url)).text).toBe('1');
    expect((await ask(url)).text).toBe('2');
    expect(sockets).toHaveLength(2);
  });

  it('takes no connection that was closed meanwhile', async () => {
    const { url, sockets } = await serve(answered('1'), answered('2'));
    await ask(url);
    const [first] = sockets;
    const isClosed = new Promise((resolve) => first?.once('close', resolve));
    first?.end();
    await isClosed;
    expect((await ask(url)).text).toBe('2');
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ['before an answer', (socket: Socket) => socket.end(), 'closed before an answer'],
    ['within the head', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nconte'), 'the answer broke off'],
    [
      'within the body',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'),
      'the answer broke off',
    ],
    [
      'within a chunk',
      (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf'),
      'the answer broke off',
    ],
  ])('whose connection ends %s has no answer', async (_, way, why) => {
    const { url } = await serve(way);
    await expect(ask(url)).rejects.toMatchObject({ code: 'ECONNRESET', message: expect.stringContaining(why) });
  });

  it('whose connection is reset within the answer has none', async () => {
    const { url } = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', () => socket.resetAndDestroy());
    });
    await expect(ask(url)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('ends with the call, also over a connection that was kept', async () => {
    const { url } = await serve(answered('1'), () => undefined);
    await ask(url);
    const call = new AbortController();
    const asked = ask(url, { signal: call.signal });
    call.abort(new Error('the call is over'));
    await expect(asked).rejects.toMatchObject({ name: 'AbortError', message: 'the call is over' });
    await expect(ask(url, { signal: call.signal })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a connection that is begun before it is needed', () => {
  /** Takes connections and never says a word. */
  const silentServer = async () => {
    const server = createServer();
    const next = () => new Promise<Socket>((resolve) => server.once('connection', resolve));
    return { port: await portOf(server), next };
  };

  it('is taken by the first request, which finds it made', async () => {
    const { url, sockets, requests } = await serve(answered('1'), answered('2'));
    connectAhead(url);
    connectAhead(url);
    await expect.poll(() => sockets.length).toBe(1);
    expect(requests).toEqual([]);
    for (const text of ['1', '2']) expect((await ask(url)).text).toBe(text);
    expect(sockets).toHaveLength(1);
  });

  it('is taken on its way, by one request alone', async () => {
    const { url, sockets } = await serve(answered('1'), answered('1'));
    connectAhead(url);
    await Promise.all([ask(url), ask(url)]);
    expect(sockets).toHaveLength(2);
  });

  it('that fails is nobody’s error, and the request tries by itself', async () => {
    const server = createServer();
    const url = new URL(`http://127.0.0.1:${await portOf(server)}/`);
    await new Promise((resolve) => server.close(resolve));
    connectAhead(url);
    await expect(ask(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    connectAhead(url);
    // Refused after it, if not before.
    await expect(connectTo(url, (socket) => socket)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await new Promise<void>((resolve) => server.listen(Number(url.port), '127.0.0.1', resolve));
    server.on('connection', (socket) => socket.once('data', () => answered('1')(socket)));
    expect((await ask(url)).text).toBe('1');
  });

  it('ends with the request that has taken it, by its time', async () => {
    const { port, next } = await silentServer();
    const url = new URL(`https://127.0.0.1:${port}/`);
    connectAhead(url);
    const socket = await next();
    const isClosed = new Promise((resolve) => socket.resume().once('close', resolve));
    await expect(ask(url, { connectionTimeoutMs: 20 })).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'the connection took longer than 20 ms',
    });
    await isClosed;
  });

  it('keeps the process from nothing while nobody has taken it', async () => {
    const { port, next } = await silentServer();
    const module = JSON.stringify(join(process.cwd(), 'src/providers/aws/wire/connections.ts'));
    const code = `import(${module}).then(({ connectAhead }) => connectAhead(new URL('https://127.0.0.1:${port}/')))`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--eval', code], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    // It is never answered.
    await next();
    expect(await ended).toEqual([0, null]);
  });
});

describe('an encrypted connection', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-aws-trust-'));
  const certificate = (name: string) => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
    execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { cert: readFileSync(cert), key: readFileSync(key) };
  };
  const known = certificate('localhost');
  const other = certificate('localhost');
  const stranger = certificate('elsewhere.example');
  rmSync(folder, { recursive: true });

  const secureServer = async ({ cert, key }: typeof known) => {
    const said: string[] = [];
    const server = createSecureServer({ cert, key }, (socket) => {
      socket.on('error', () => undefined).on('data', (bytes) => said.push(bytes.toString()));
    });
    server.on('tlsClientError', () => undefined);
    return { url: new URL(`https://localhost:${await portOf(server)}`), said };
  };
  const contexts = (...all: readonly (typeof known)[]) =>
    all.map(({ cert }) => vi.fn(() => createSecureContext({ ca: cert })));
  const connect = async (url: URL, trust: ReturnType<typeof inTurn>) => {
    const socket = await connectTo(url, (each) => each, trust);
    socket.destroy();
    return socket;
  };

  it('is made with whoever knows the certificate, the others not asked again', async () => {
    const { url } = await secureServer(known);
    const [first, second, third] = contexts(other, known, other);
    const trust = inTurn([first, second, third].flatMap((each) => each ?? []));
    await connect(url, trust);
    await connect(url, trust);
    expect([first, second, third].map((each) => each?.mock.calls.length)).toEqual([1, 1, 0]);
  });

  it('is refused where nobody knows the certificate', async () => {
    const { url, said } = await secureServer(known);
    await expect(connect(url, inTurn(contexts(other, stranger)))).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    expect(said).toEqual([]);
  });

  it('is refused where the certificate is of another name, whoever knows it', async () => {
    const { url } = await secureServer(stranger);
    const [first, second] = contexts(stranger, stranger);
    const trust = inTurn([first, second].flatMap((each) => each ?? []));
    await expect(connect(url, trust)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(second).not.toHaveBeenCalled();
  });

  it.each([
    ['by the launcher alone', ['--use-openssl-ca'], 'amazon', 2],
    ['by nobody', [], 'amazon', 0],
    ['by its user', ['--use-openssl-ca'], '', 0],
    ['also by its user', ['--use-system-ca', '--use-openssl-ca'], 'amazon', 0],
  ])('believes Amazon first where Node was told %s to read no certificates', (_, options, roots, count) => {
    const { execArgv } = process;
    onTestFinished(() => {
      process.execArgv = execArgv;
      vi.unstubAllEnvs();
    });
    process.execArgv = options;
    vi.stubEnv('HF_AWS_ROOTS', roots);
    const asked: unknown[] = [];
    const trust = createTrust({
      createSecureContext: (about) => {
        asked.push(about?.ca);
        return createSecureContext();
      },
      rootCertificates,
    });
    while (trust.after(trust.current()));
    expect(asked).toHaveLength(count);
    if (count > 0) {
      const few = String(asked[0]).match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
      // Nobody is believed here whom Node does not believe.
      expect(few).toHaveLength(5);
      expect(few.filter((each) => !rootCertificates.some((root) => root.trim() === each))).toEqual([]);
      expect(asked[1]).toEqual([...rootCertificates]);
    }
  });
});
