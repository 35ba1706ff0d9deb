import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Backend, describeBackends } from '../e2e/backends.ts';
import { createPlugin, hostOf, type Plugin } from '../e2e/plugin.ts';
import { count } from './tally.ts';

/** Stands before an EC2 endpoint and drops the answer to the first call of each of these actions, once it has acted. */
const startProxy = async (target: string, actions: readonly string[]) => {
  const dropped = new Set<string>();
  const server: Server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const action = new URLSearchParams(body).get('Action') ?? '';
      const headers = { ...request.headers };
      const answer = await fetch(`${target}${request.url}`, {
        method: 'POST',
        body,
        headers: {
          'content-type': String(headers['content-type']),
          authorization: String(headers.authorization),
        },
      });
      const answered = await answer.text();
      if (actions.includes(action) && !dropped.has(action)) {
        dropped.add(action);
        count({ 'faults injected': 1 });
        request.socket.destroy();
      } else response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answered);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    dropped,
    close: () => new Promise((resolve) => server.closeAllConnections() ?? server.close(resolve)),
  };
};

const attributes = { type: 'X86_64', ncpus: 1, nram: 4096 };
const templates = {
  RunInstances: { vmType: 'm5.large', priceType: 'ondemand', allOrNothing: true },
  CreateFleet: { providerApi: 'EC2Fleet', priceType: 'ondemand', vmTypes: { 'm5.large': 1 } },
};

describeBackends(
  (name) => `answers dropped in front of ${name}`,
  ({ start, name }) => {
    let backend: Backend;
    let proxy: Awaited<ReturnType<typeof startProxy>>;
    let plugin: Plugin;

    beforeAll(async () => {
      backend = await start();
    });
    afterAll(() => backend.close());
    beforeEach(async () => {
      proxy = await startProxy(backend.url, Object.keys(templates));
      plugin = await createPlugin(
        { AWS_ENDPOINT_URL: proxy.url, consistencyWindowSeconds: 0 },
        Object.entries(templates).map(([templateId, fields]) => ({
          templateId,
          maxNumber: 50,
          attributes,
          ...backend.place,
          ...fields,
        })),
      );
    });
    afterEach(async () => {
      await proxy.close();
      await plugin.remove();
    });

    it.each(
      Object.keys(templates).flatMap((action) => [
        // moto knows no client tokens: the same call again would launch again.
        ...(name === 'moto' ? [] : [[action, 'at once', 2] as const]),
        [action, 'by the next status', 0] as const,
      ]),
    )('%s: %s the whole of the first launch is found, and no more', async (action, _how, retries) => {
      await plugin.configure({ AWS_REQUEST_RETRY_ATTEMPTS: retries });
      const { machines } = await plugin.settled(await plugin.request(action, 2));
      expect([...proxy.dropped]).toEqual([action]);
      expect(machines.map(({ result }) => result)).toEqual(['succeed', 'succeed']);
      const known = machines.map(({ machineId }) => machineId).sort();
      expect([...(await backend.instanceIds('pending', 'running'))].sort()).toEqual(known);
      await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
      expect(await backend.instanceIds('pending', 'running')).toEqual([]);
    });
  },
);
