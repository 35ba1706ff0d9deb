import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Json, type Plugin } from './plugin.ts';

/** What proxies, gateways and portals answer in AWS's place. */
const foreign: readonly Json[] = [
  { status: 200, type: 'text/html', body: '<html><body>Please log in</body></html>' },
  { status: 200, type: 'text/xml', body: '<DescribeInstancesResponse/>' },
  { status: 407, type: 'text/html', body: '<h1>Proxy Authentication Required</h1>' },
];

/** What the emulator answers to a request. */
const passOn = async (target: string, request: IncomingMessage) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const { authorization = '', 'content-type': form = '' } = request.headers;
  const headers = { authorization, 'content-type': form };
  const answer = await fetch(target, { method: 'POST', headers, body: Buffer.concat(chunks) });
  return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() };
};

/** Before the emulator; while it answers for itself, AWS does not hear of a call, or does and its answer is lost. */
const startGateway = async (target: string) => {
  const state: { answers?: Json; passesOn: boolean } = { passesOn: false };
  const server: Server = createServer(async (request, response) => {
    const { answers, passesOn } = state;
    const heard = answers === undefined || passesOn ? await passOn(target, request) : undefined;
    const { status, type, body } = answers ?? heard ?? {};
    response.writeHead(Number(status), { 'content-type': `${type}` }).end(`${body}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { state, url: `http://127.0.0.1:${port}`, close: () => server.close().closeAllConnections() };
};

describe('a page in place of AWS’s answer', () => {
  let backend: EmulatorBackend;
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  let plugin: Plugin;
  const running = () => backend.instanceIds('pending', 'running');

  beforeAll(async () => {
    backend = await emulatorBackend();
    gateway = await startGateway(backend.url);
    const quick = {
      consistencyWindowSeconds: 1,
      AWS_REQUEST_RETRY_ATTEMPTS: 0,
      AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS: 0,
    };
    plugin = await createPlugin({ AWS_ENDPOINT_URL: gateway.url, ...quick }, []);
    await plugin.offer([
      {
        templateId: 'od',
        maxNumber: 50,
        attributes: { type: 'X86_64', ncpus: 1, nram: 4096 },
        vmType: 'm5.large',
        ...backend.place,
      },
    ]);
  });
  afterAll(async () => {
    await plugin.remove();
    gateway.close();
    await backend.close();
  });

  it('means that nothing is gone, nothing is complete and nothing was refused', async () => {
    const held = (await plugin.settled(await plugin.request('od', 2))).machines.map(hostOf);
    const leaving = (await plugin.settled(await plugin.request('od', 1))).machines.map(hostOf);
    const before = await running();
    expect(before).toHaveLength(3);

    const [first = {}] = foreign;
    gateway.state.answers = first;
    const asked = await plugin.request('od', 2);
    const returned = await plugin.giveBack(leaving);
    for (const answers of foreign) {
      gateway.state.answers = answers;
      expect(await plugin.reclaims(held)).toEqual([]);
      const told = await plugin.status(asked, returned);
      expect(told.map(({ status }) => status)).toEqual(['running', 'running']);
      // Longer, over all of them, than the time after which a machine that EC2 does not show is believed gone.
      await wait(500);
    }
    expect(await running()).toEqual(before);

    delete gateway.state.answers;
    expect(await plugin.reclaims(held)).toEqual([]);
    expect(await plugin.settled(asked)).toMatchObject({ status: 'complete' });
    expect(await plugin.settled(returned)).toMatchObject({ status: 'complete' });
    await backend.settle();
    expect(await running()).toHaveLength(4);
  });

  it('after a launch that AWS has made leads to that launch, not to another', async () => {
    const before = (await running()).length;
    Object.assign(gateway.state, { answers: foreign[2], passesOn: true });
    const asked = await plugin.request('od', 2);
    Object.assign(gateway.state, { passesOn: false });
    delete gateway.state.answers;
    const { status, machines } = await plugin.settled(asked);
    expect([status, machines.length]).toEqual(['complete', 2]);
    expect(await running()).toHaveLength(before + 2);
  });
});
