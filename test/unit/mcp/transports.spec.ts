import { expect, it } from 'vitest';
import { answerHttp } from '../../../src/mcp/transports.ts';

const ask = async (message: object): Promise<unknown> => {
  const context = Object({ version: '1.0.0', user: { role: 'viewer', mayChange: false }, secrets: [] });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = { jsonrpc: '2.0', id: 1, ...message };
  return (await answerHttp(context, { url: '/mcp', headers, body })).json();
};

it.each([
  [{ method: 'initialize' }, 'initialize', 'params'],
  [
    { method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {} } },
    'initialize',
    'params.clientInfo',
  ],
  [{ method: 'tools/list', params: { cursor: 3 } }, 'tools/list', 'params.cursor'],
])('%j is refused over HTTP with what is wrong in it', async (message, method, wrong) => {
  expect(await ask(message)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: { code: -32602, message: `${method}: missing, or not as the protocol has it: ${wrong}` },
  });
});

it('what is as the protocol has it is answered over HTTP', async () => {
  const clientInfo = { name: 'x', version: '1' };
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
  expect(await ask({ method: 'initialize', params })).toMatchObject({
    id: 1,
    result: { serverInfo: { version: '1.0.0' } },
  });
});
