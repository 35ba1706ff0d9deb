import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closed, listOf } from '../../../src/application/bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../../../src/application/bus/operation.ts';
import { words } from '../../../src/application/bus/shapes.ts';
import type { CommandPorts, QueryPorts } from '../../../src/application/handlers.ts';
import { operations } from '../../../src/application/operations.ts';
import { messageProblems } from '../../../src/json/message-problems.ts';
import { startWorld } from '../provider-world.ts';

const draw = defineOperation({
  name: 'Draw',
  bus: 'query',
  role: 'viewer',
  title: 'Draw a card',
  input: { of: words, kind: { enum: ['red', 'black'] } },
  required: ['of'],
  answer: closed({ cards: listOf(words), left: { type: 'integer' } }, ['left']),
});

describe('an operation', () => {
  it('whose handler takes or answers what is not declared does not compile', async () => {
    const right: HandlerOf<typeof draw> = async ({ of, kind = 'red' }) => ({ cards: [`${kind} ${of}`] });
    // @ts-expect-error it answers with a number where a list of texts is declared
    const number: HandlerOf<typeof draw> = async () => ({ cards: 3 });
    // @ts-expect-error it takes a field that is not declared
    const field: HandlerOf<typeof draw> = async ({ from }) => ({ cards: [from] });
    // @ts-expect-error a Map is not JSON
    const map: HandlerOf<typeof draw, { cards: string[]; by: Map<string, string> }> = async () => ({ cards: [] });
    expect([number, field, map]).toHaveLength(3);
    expect(await right({ type: 'Draw', of: 'hearts' }, { correlationId: 'c' })).toEqual({ cards: ['red hearts'] });
  });

  it('that only reads cannot be given what writes', () => {
    const read = ({ streams }: QueryPorts) => streams.load('req-1');
    const write = ({ streams }: CommandPorts) => streams.archive('req-1');
    const query: (ports: QueryPorts) => unknown = read;
    // @ts-expect-error what a query works with appends and archives nothing
    const command: (ports: QueryPorts) => unknown = write;
    expect([query, command]).toEqual([read, write]);
  });
});

const filesIn = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder, { recursive: true });
  const kept = names.filter((name) => !name.startsWith('projections')).sort();
  const texts = kept.map(async (name) => {
    const path = join(folder, name);
    return (await stat(path)).isFile() ? `${name}: ${await readFile(path, 'utf8')}` : name;
  });
  return Promise.all(texts);
};

/** A message of each query. */
const queries = (requestId: string): Readonly<Record<string, object>> => ({
  Diagnose: {},
  DiffTemplates: {},
  Explain: { id: requestId },
  GetConfiguration: {},
  GetTemplate: { templateId: 'od-a' },
  GetTemplates: {},
  GetRequestStatus: { requestId, includeMachines: true },
  GetReturnRequests: { machines: [{ name: 'nobody-knows-it', machineId: '' }] },
  ListRequests: {},
  ListOfferings: {},
  ListPrices: {},
  GetUsage: {},
  GetOverview: {},
  ListAlerts: {},
  ListMachines: {},
  ListTemplates: {},
  ListEvents: {},
  GetProjections: {},
  GetMetrics: {},
  VerifyState: {},
});

describe('the table of operations', () => {
  const names: readonly string[] = Object.keys(operations);

  it('has one row for each that the buses handle, and the service a method for each', async () => {
    const { service } = await startWorld();
    const { commands, queries: read } = service.handlers;
    const rows = Object.values(operations).map(({ name, bus }) => `${bus} ${name}`);
    expect(rows.sort()).toEqual(
      [...commands.map((each) => `command ${each}`), ...read.map((each) => `query ${each}`)].sort(),
    );
    expect(Object.keys(service)).toEqual(
      expect.arrayContaining(names.map((name) => name.charAt(0).toLowerCase() + name.slice(1))),
    );
  });

  it.each(Object.keys(operations))('checks messages of the type %s', (type) => {
    expect(messageProblems(Object.assign({ type }, { nonsense: 1 }))).toContain('nonsense is not known here');
  });

  it('is of queries that leave the work folder as it is, but for the projections', async () => {
    const world = await startWorld();
    const { requestId } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    await world.service.listRequests();
    const before = await filesIn(world.workDir);
    const messages = queries(requestId);
    const all = Object.values(operations).flatMap(({ name, bus }) => (bus === 'query' ? name : []));
    expect(Object.keys(messages).sort()).toEqual([...all].sort());
    for (const type of all) {
      await world.service.dispatch('query', { type, ...messages[type] });
      expect([type, await filesIn(world.workDir)]).toEqual([type, before]);
    }
  });
});
