import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { type Server, startServer } from './entries.ts';
import { createPlugin, home, type Json, type Plugin } from './plugin.ts';

let backend: EmulatorBackend;
let plugin: Plugin;
let requestId = '';
const clients: Client[] = [];

beforeAll(async () => {
  backend = await emulatorBackend();
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, []);
  const userDataScript = join(plugin.directory, 'boot.sh');
  await writeFile(userDataScript, '#!/bin/sh\nexport DB_PASSWORD=planted-in-user-data\n');
  const instanceTags = { password: 'planted-in-a-tag', team: 'quant' };
  await plugin.offer([
    { templateId: 'od', maxNumber: 9, vmType: 'm5.large', userDataScript, instanceTags, ...backend.place },
  ]);
  requestId = await plugin.request('od', 1);
  await plugin.settled(requestId);
}, 60_000);
afterAll(async () => {
  for (const client of clients) await client.close();
  await plugin.remove();
  await backend.close();
});

const connected = async (transport: StdioClientTransport | StreamableHTTPClientTransport): Promise<Client> => {
  const client = new Client({ name: 'test', version: '1' });
  clients.push(client);
  // Its type allows `sessionId` to be undefined, which that of `connect` does not.
  await client.connect(Object.assign(transport));
  return client;
};

const byStdio = (...args: readonly string[]): Promise<Client> =>
  connected(
    new StdioClientTransport({
      command: process.execPath,
      args: [join(home, 'dist', 'hf-aws.cjs'), 'mcp', ...args],
      env: plugin.env,
      stderr: 'pipe',
    }),
  );

const byHttp = (url: string, token: string): Promise<Client> =>
  connected(
    new StreamableHTTPClientTransport(new URL('/mcp', url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );

const toolsOf = async (client: Client) => (await client.listTools()).tools;
const namesOf = async (client: Client): Promise<readonly string[]> => (await toolsOf(client)).map(({ name }) => name);

/** The client itself checks what is answered against the tool's schema. */
const use = async (client: Client, name: string, given: Json = {}): Promise<Json> => {
  const { isError, structuredContent, content } = await client.callTool({ name, arguments: { ...given } });
  expect({ name, isError, content: isError === true ? content : '' }).toEqual({
    name,
    isError: undefined,
    content: '',
  });
  return { ...Object(structuredContent) };
};

describe('an assistant on standard input and output', () => {
  let reader: Client;
  beforeAll(async () => {
    reader = await byStdio();
  });

  it('reads everything there is to read by tools that say so, and is told no secret and no user data', async () => {
    const client = reader;
    const tools = await toolsOf(client);
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([]);
    const needed: Json = { templateId: 'od', requestId, id: requestId };
    const answers = new Map<string, Json>();
    for (const { name, inputSchema } of tools) {
      const given = (inputSchema.required ?? []).map((field) => [field, needed[field]] as const);
      answers.set(name, await use(client, name, Object.fromEntries(given)));
    }
    expect(answers.get('list_requests')).toMatchObject({ items: [{ requestId, status: 'complete' }] });
    expect(answers.get('explain')).toMatchObject({ id: requestId });
    const all = JSON.stringify([...answers]);
    expect(all).toContain('quant');
    expect(all).not.toMatch(/planted|DB_PASSWORD/);
  });

  it('is told in words what is wrong with a call, and has no tool that changes anything', async () => {
    const client = reader;
    const wrong = await client.callTool({ name: 'explain', arguments: { id: 'req-none', more: 1 } });
    expect(wrong).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^input\.invalid: .*more/) }],
    });
    await expect(client.callTool({ name: 'create_request', arguments: {} })).rejects.toThrow('there is no tool');
    await expect(client.callTool({ name: 'claim_request', arguments: { requestId } })).rejects.toThrow('no tool');
  });

  it('answers each line that is no call, in words, and goes on with the next', async () => {
    const tool = (name: unknown, given: unknown) => ({ method: 'tools/call', params: { name, arguments: given } });
    const calls = [
      tool('get_overview', [1]),
      tool(3, {}),
      tool('list_machines', { role: 'viewer' }),
      { method: 'nothing/here' },
      tool('list_requests', { limit: 1 }),
      { method: 'initialize' },
      { method: 'initialize', params: { protocolVersion: 1, capabilities: {}, clientInfo: { name: 'x' } } },
      { method: 'tools/list', params: { cursor: 3 } },
    ].map((call, id) => JSON.stringify({ jsonrpc: '2.0', id, ...call }));
    const given = ['no JSON', '{"a": 1}', ...calls].map((line) => `${line}\n`).join('');
    const said = spawnSync(process.execPath, [join(home, 'dist', 'hf-aws.cjs'), 'mcp'], {
      env: plugin.env,
      input: given,
      encoding: 'utf8',
    });
    const answers = said.stdout
      .trim()
      .split('\n')
      .map((line): Json => JSON.parse(line));
    const of = (id: number | null) => answers.filter((answer) => answer['id'] === id);
    const refused = (code: number, words: string) => ({ error: { code, message: expect.stringContaining(words) } });
    expect(of(null)).toMatchObject([refused(-32700, 'no JSON'), refused(-32600, 'JSON-RPC 2.0')]);
    expect(of(0)).toMatchObject([refused(-32602, 'arguments of get_overview must be an object')]);
    expect(of(1)).toMatchObject([refused(-32602, 'name must be a text')]);
    expect(of(2)).toMatchObject([
      { result: { isError: true, content: [{ text: expect.stringContaining('role is not known') }] } },
    ]);
    expect(of(3)).toMatchObject([refused(-32601, 'nothing/here')]);
    expect(of(4)).toMatchObject([{ result: { structuredContent: { items: [{}] } } }]);
    const wrong = (what: string) => ({ error: { code: -32602, message: expect.stringMatching(`has it: ${what}$`) } });
    expect(of(5)).toMatchObject([wrong('params')]);
    expect(of(6)).toMatchObject([wrong('params.protocolVersion, params.clientInfo.version')]);
    expect(of(7)).toMatchObject([wrong('params.cursor')]);
    expect(said).toMatchObject({ status: 0, stderr: '' });
  });

  it('ends when nobody reads its answers any more', async () => {
    const child = spawn(process.execPath, [join(home, 'dist', 'hf-aws.cjs'), 'mcp'], { env: plugin.env });
    const ping = (): boolean => child.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n');
    ping();
    await once(child.stdout, 'data');
    child.stdout.destroy();
    ping();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('may change things where that is allowed; each such tool says whether it ends something', async () => {
    const client = await byStdio('--allow-changes', '--user', 'ana');
    const ends = (await toolsOf(client)).filter(({ annotations }) => annotations?.destructiveHint === true);
    expect(ends.map(({ name }) => name)).toEqual(expect.arrayContaining(['cancel_request', 'return_machines']));
    const made = await use(client, 'create_request', { templateId: 'od', maxNumber: 1 });
    const { items } = await use(client, 'list_events', { requestId: made['requestId'] });
    expect(items).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'RequestClaimed', userId: 'ana' })]));
  });

  it('finds the questions that people ask often', async () => {
    const client = reader;
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toContain('why-less-than-asked');
    const asked = await client.getPrompt({ name: 'why-less-than-asked', arguments: { request: requestId } });
    const text = JSON.stringify(asked.messages);
    expect(text).toContain(requestId);
    const names = await namesOf(client);
    for (const [, tool = ''] of text.matchAll(/\b((?:get|list)_\w+)/g)) expect(names).toContain(tool);
    await expect(client.getPrompt({ name: 'why-less-than-asked' })).rejects.toThrow('needs request');
  });
});

describe('an assistant over HTTP', () => {
  const [viewer, operator] = ['viewer-token-0123456789', 'operator-token-0123456789'];
  let tokens = '';
  let server: Server | undefined;

  beforeAll(async () => {
    tokens = join(plugin.directory, 'mcp-tokens.json');
    const entries = [
      { token: viewer, user: 'vera', role: 'viewer' },
      { token: operator, user: 'otto', role: 'operator' },
    ];
    await writeFile(tokens, JSON.stringify(entries), { mode: 0o600 });
  });
  afterEach(async () => {
    await server?.stop();
  });

  it('needs a token, and changes nothing unless the server allows it', async () => {
    server = await startServer(plugin, '--tokens', tokens);
    await expect(byHttp(server.url, 'nobody-has-this-token')).rejects.toThrow(/401|unauthenticated/i);
    const client = await byHttp(server.url, operator);
    expect(await use(client, 'list_requests')).toMatchObject({ items: [{}, { requestId }] });
    expect(await namesOf(client)).not.toContain('create_request');
    const foreign = { origin: 'https://elsewhere.example', authorization: `Bearer ${operator}` };
    expect((await server.call('POST', '/mcp', { body: {}, headers: foreign })).status).toBe(403);
    const two = [{}, {}];
    expect(
      (await server.call('POST', '/mcp', { body: two, headers: { authorization: `Bearer ${operator}` } })).status,
    ).toBe(400);
    expect((await server.get('/mcp')).status).toBe(405);
  });

  it('may then do what the role of its token allows, and is known by the name of its user', async () => {
    server = await startServer(plugin, '--tokens', tokens, '--mcp-changes');
    expect(await namesOf(await byHttp(server.url, viewer))).not.toContain('create_request');
    const client = await byHttp(server.url, operator);
    const made = await use(client, 'create_request', { templateId: 'od', maxNumber: 1 });
    const { items } = await use(client, 'list_events', { requestId: made['requestId'] });
    expect(items).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'RequestClaimed', userId: 'otto' })]),
    );
  });
});
