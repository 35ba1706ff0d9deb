import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { dynaliteTable } from '../tables.ts';

/** What calls of a table came to, by DynamoDB's measure: a read unit is 4 KB read consistently, a write unit 1 KB, each index apart. */
interface Spent {
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
}

export interface MeteredTable {
  readonly url: string;
  /** Milliseconds that each call takes longer from now on. */
  delay(ms: number): void;
  /** Since it was last asked. */
  spent(): Spent;
  close(): Promise<void>;
}

const isRead = /GetItem|Query/;

const unitsIn = (answer: string): number => {
  const { ConsumedCapacity }: { ConsumedCapacity?: { CapacityUnits: number } } = JSON.parse(answer);
  return ConsumedCapacity?.CapacityUnits ?? 0;
};

/** A table on dynalite behind a gate that counts what its calls consume, and lets them take as long as a network would. */
export const meteredTable = async (): Promise<MeteredTable> => {
  const table = await dynaliteTable();
  let ms = 0;
  let [calls, reads, writes] = [0, 0, 0];
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const target = String(request.headers['x-amz-target']);
      const headers = new Headers({ 'x-amz-target': target });
      for (const name of ['content-type', 'authorization', 'x-amz-date'])
        headers.set(name, String(request.headers[name]));
      const metered = JSON.stringify({ ...JSON.parse(body), ReturnConsumedCapacity: 'TOTAL' });
      const answer = await fetch(table.url, { method: 'POST', headers, body: metered });
      const answered = await answer.text();
      calls += 1;
      if (isRead.test(target)) reads += unitsIn(answered);
      // dynalite leaves the index out: what is put with its keys is there once more.
      else if (answer.ok) writes += unitsIn(answered) + (JSON.parse(body).Item?.f === undefined ? 0 : 1);
      await wait(ms);
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(answered);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    delay: (longer) => {
      ms = longer;
    },
    spent: () => {
      const spent = { calls, reads, writes };
      [calls, reads, writes] = [0, 0, 0];
      return spent;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await table.close();
    },
  };
};
