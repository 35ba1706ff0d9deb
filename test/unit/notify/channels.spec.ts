import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { channelsOf } from '../../../src/boot/parts/notify.ts';
import { defaultReading } from '../../../src/config/provider-config.ts';
import { commandChannel, webhookChannel } from '../../../src/notify/channels.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const letter = { id: 'msg-1', body: '{"type":"notify.test","data":"Ä"}' };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A receiver that answers with these statuses, one after the other, the last for good. */
const receiver = async (...statuses: readonly number[]) => {
  const came: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    came.push({ headers: request.headers, body });
    const status = statuses[came.length - 1] ?? statuses.at(-1) ?? 200;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('noted');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return { url: `http://127.0.0.1:${port}/hook`, came };
};

const post = (url: string, secret = 'a-secret-of-the-tests') =>
  webhookChannel({ url, secret, clock: () => 1_767_225_600, pauses: [0, 0] })(letter);

describe('a webhook', () => {
  it.each([
    ['a secret as it is written', 'a-secret-of-the-tests', Buffer.from('a-secret-of-the-tests')],
    [
      'one in the form of Standard Webhooks',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
    ],
  ])('gets the JSON, signed with its id and the time by %s', async (_what, secret, key) => {
    const { url, came } = await receiver(204);
    await post(url, secret);
    const [{ headers, body } = { headers: {}, body: '' }] = came;
    expect(body).toBe(letter.body);
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'msg-1',
      'webhook-timestamp': '1767225600',
      'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    });
  });

  it('that fails for a moment is tried again, as the same message', async () => {
    const { url, came } = await receiver(503, 429, 200);
    await post(url);
    expect(came.map(({ headers }) => headers['webhook-id'])).toEqual(['msg-1', 'msg-1', 'msg-1']);
  });

  it.each([
    [400, 1],
    [302, 1],
    [500, 3],
  ])('that answers %i is told as not reached after %i tries, and nothing is sent elsewhere', async (status, tries) => {
    const { url, came } = await receiver(status);
    await expect(post(url)).rejects.toThrow(`it answered ${status}`);
    expect(came).toHaveLength(tries);
  });

  it('that is not there is told as not reached', async () => {
    await expect(post('http://127.0.0.1:9/hook')).rejects.toThrow(/not reached/);
  });
});

/** A proxy that takes down what is asked of it; to each it answers itself. */
const proxy = async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(204).end();
  });
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const address = server.address();
  return { asked, port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
};

describe('behind the proxy of the configuration, a webhook', () => {
  const tell = async (url: string, port: number | undefined, env: Readonly<Record<string, string>> = {}) => {
    const host = port === undefined ? {} : { AWS_PROXY_HOST: '127.0.0.1', AWS_PROXY_PORT: port };
    const webhook = { url, secret: 'a-secret-of-the-tests' };
    const { webhook: channel } = await channelsOf({ webhook }, { ...defaultReading('').config, ...host }, env);
    return channel?.(letter);
  };

  it('is reached through it, unless NO_PROXY names its host', async () => {
    const { asked, port } = await proxy();
    const { url, came } = await receiver(204);
    await tell('http://ops.example.com/hook', port);
    expect(asked).toEqual(['POST http://ops.example.com/hook']);
    await tell(url, port, { NO_PROXY: '127.0.0.1' });
    await tell(url, undefined);
    expect([asked.length, came.length]).toEqual([1, 2]);
  });

  it('with TLS is asked for by CONNECT, and what the proxy refuses is told', async () => {
    const { asked, port } = await proxy();
    await expect(tell('https://ops.example.com/hook', port)).rejects.toThrow('it answered 403');
    expect(asked).toEqual(['CONNECT ops.example.com:443']);
  });
});

describe('a command', () => {
  const env = { PATH: process.env['PATH'] };
  const node = (script: string, ...args: readonly string[]) =>
    commandChannel({ line: [process.execPath, '-e', script, ...args], env, limit: 20_000 })(letter);

  it('gets the JSON on standard input and its arguments as they are: no shell reads them', async () => {
    const file = join(await temporaryFolder(), 'got');
    const script = `fs.writeFileSync(process.argv[1], fs.readFileSync(0, 'utf8') + process.argv.slice(2).join('|') + Object.keys(process.env))`;
    await node(script, file, '$(id)', '; exit 1', '"');
    expect(await readFile(file, 'utf8')).toBe(`${letter.body}\n$(id)|; exit 1|"PATH`);
  });

  it('that does not read its input, and ends well, has been reached', async () => {
    await expect(node('process.exit(0)')).resolves.toBeUndefined();
  });

  it('that ends with another status is told by what it says', async () => {
    await expect(node('console.error("no route\\nmore"); process.exit(3)')).rejects.toThrow(/ended with 3: no route$/);
    await expect(commandChannel({ line: ['/nowhere/pager'], env })(letter)).rejects.toThrow(
      '/nowhere/pager cannot be run',
    );
  });

  it('that leaves something in the background has been reached when it ends itself', async () => {
    const sleeper = `const { pid } = require('child_process').spawn('sleep', ['60'], { stdio: 'inherit' });`;
    const file = join(await temporaryFolder(), 'pid');
    const left = `${sleeper} fs.writeFileSync(process.argv[1], String(pid));`;
    await expect(node(`${left} process.exit(0)`, file)).resolves.toBeUndefined();
    process.kill(Number(await readFile(file, 'utf8')));
    await expect(node(`${left} console.error('no route'); process.exit(3)`, file)).rejects.toThrow(/3: no route$/);
    process.kill(Number(await readFile(file, 'utf8')));
  });

  it('is not told of with the secrets that it says', async () => {
    await expect(node('console.error("no route, password=planted"); process.exit(3)')).rejects.toThrow(
      /no route, password=<removed>$/,
    );
  });

  it('that does not end is ended, with what it has started', { timeout: 20_000 }, async () => {
    const file = join(await temporaryFolder(), 'pid');
    await writeFile(file, '');
    const child = `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'])`;
    const script = `fs.writeFileSync(process.argv[1], String(${child}.pid)); setInterval(() => 0, 1000)`;
    const sent = commandChannel({ line: [process.execPath, '-e', script, file], env, limit: 3000 })(letter);
    await expect(sent).rejects.toThrow('had not ended after 3 s');
    const pid = Number(await readFile(file, 'utf8'));
    const isThere = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    // Its new parent collects it in its own time.
    const status = async (): Promise<string> => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    while (isThere() && !/\) Z/.test(await status())) await wait(10);
    expect(pid).toBeGreaterThan(1);
  });
});
