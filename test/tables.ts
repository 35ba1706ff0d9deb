import { setMaxListeners } from 'node:events';
import dynalite from 'dynalite';
import { performCall } from '../src/emulator/api-call.ts';
import { createCore } from '../src/emulator/core.ts';
import { tableCaller } from '../src/providers/aws/services/state-table.ts';
import { createAwsClock } from '../src/providers/aws/wire/aws-clock.ts';
import { createTable, type TableCall, textIn } from '../src/storage/dynamodb/table.ts';
import { makeTable } from './make-table.ts';

export const tableName = 'hf-state';

const noLimit = new AbortController().signal;
// Each of the hosts of a test has its calls under way.
setMaxListeners(0, noLimit);
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The way the program calls a table at this address. */
const callsTo = (endpoint: string): TableCall =>
  tableCaller(
    {
      client: {
        region: 'us-east-1',
        endpoint,
        connectionTimeoutMs: 10_000,
        requestTimeoutMs: 30_000,
        useFips: false,
        agents: {},
        clock: createAwsClock(
          Date.now,
          () => undefined,
          () => undefined,
        ),
        credentials: async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'planted-secret' }),
      },
      reads: { retries: 0, interval: 0 },
      log: silent,
      signal: noLimit,
      random: Math.random,
    },
    undefined,
  );

/** The sort keys in a partition of a table at this address. */
export const sortKeysIn = async (endpoint: string, table: string, pk: string): Promise<readonly string[]> =>
  (await createTable(table, callsTo(endpoint)).list({ pk })).map((item) => textIn(item, 'sk') ?? '');

export interface TestTable {
  readonly url: string;
  readonly call: TableCall;
  readonly close: () => Promise<void>;
}

/** A table on dynalite, which somebody else wrote, over HTTP. */
export const dynaliteTable = async (): Promise<TestTable> => {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const call = callsTo(url);
  await makeTable(url, tableName);
  return { url, call, close: () => new Promise((resolve) => server.close(() => resolve())) };
};

export interface EmulatedTable {
  readonly call: TableCall;
  /** The actions it was asked for. */
  readonly asked: readonly string[];
}

/** moto looks and then puts, under no lock: of two at once both may win. */
const oneAtATime = (call: TableCall): TableCall => {
  let last: Promise<unknown> = Promise.resolve();
  return (action, input) => {
    const answer = last.then(() => call(action, input));
    last = answer.catch(() => undefined);
    return answer;
  };
};

/** A table on moto, which somebody else wrote as well, one call at a time. */
export const motoTable = async (): Promise<TestTable> => {
  // It looks for moto.
  const { startMoto } = await import('./moto.ts');
  const { url, close } = await startMoto();
  await makeTable(url, tableName);
  return { url, call: oneAtATime(callsTo(url)), close: async () => close() };
};

/** The emulator's table, in this process. */
export const emulatedTable = (): EmulatedTable => {
  const { calls } = createCore({ settings: { tables: [tableName] } }, () => undefined);
  const asked: string[] = [];
  return {
    asked,
    call: async (action, input) => {
      asked.push(action);
      const reply = await performCall(calls, JSON.stringify(input), {
        authorization: 'Credential=AKIATEST/20261128',
        date: undefined,
        target: `DynamoDB_20120810.${action}`,
        token: undefined,
      });
      if (reply.kind !== 'answer') throw new Error('the emulator gave no answer');
      const answer: unknown = JSON.parse(reply.answer.body);
      const { errorCode } = reply.answer;
      if (errorCode !== undefined && errorCode !== 'ConditionalCheckFailedException')
        throw new Error(reply.answer.body);
      return answer;
    },
  };
};
