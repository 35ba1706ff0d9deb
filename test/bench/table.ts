import type { EmulatorBackend } from '../e2e/backends.ts';
import { createPlugin, hostOf, type Plugin } from '../e2e/plugin.ts';
import { tableName } from '../tables.ts';
import { figuresOf, measure } from './measure.ts';
import { type MeteredTable, meteredTable } from './metered-table.ts';
import { benchTemplates, floorOf, lifeCycle, type Row } from './subjects.ts';

/** Milliseconds that a call of the table takes longer: none, as in an Availability Zone of DynamoDB's, and as in another Region. */
const latencies = [0, 5, 20];

const timeRows = async (plugin: Plugin, table: MeteredTable, rounds: number): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  for (const latency of latencies) {
    table.delay(latency);
    const floor = floorOf(plugin.env);
    const subjects = await lifeCycle(plugin, `table ${latency} ms: `);
    const figures = await measure([floor, ...subjects.map((each) => ({ ...each, isInspected: false }))], rounds);
    const base = figuresOf(figures, floor.name);
    for (const { name: what } of subjects) {
      const { ms, spread } = figuresOf(figures, what);
      const detail = `${ms.toFixed(1)} ms (${spread.map((each) => each.toFixed(1)).join('-')})`;
      // Its calls one after the other, and what a second service costs a process.
      const target = 3.2 + (4 * latency) / 25;
      rows.push({ what, value: ms / base.ms, unit: 'x node', target, isNoisy: true, detail });
    }
  }
  table.delay(0);
  return rows;
};

/** What each operation takes of the table, where nothing is asked for the first time. */
const spentRows = async (plugin: Plugin, table: MeteredTable): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const spentBy = async <A>(operation: string, target: number, work: () => Promise<A>): Promise<A> => {
    table.spent();
    const done = await work();
    const { calls, reads, writes } = table.spent();
    const detail = `${reads} read units, ${writes} write units`;
    rows.push({ what: `table calls: ${operation}`, value: calls, unit: 'calls', target, isNoisy: false, detail });
    return done;
  };
  for (const size of [1, 100]) {
    const of = (operation: string): string => `${operation} of ${size}`;
    const requestId = await spentBy(of('requestMachines'), 4, () => plugin.request('od', size));
    await spentBy(of('getRequestStatus, running'), 2, () => plugin.status(requestId));
    const { machines } = await plugin.settled(requestId);
    await spentBy(of('getRequestStatus, settled'), 1, () => plugin.status(requestId));
    await plugin.reclaims(machines.map(hostOf));
    await spentBy(of('getReturnRequests'), 0, () => plugin.reclaims(machines.map(hostOf)));
    const returnId = await spentBy(of('requestReturnMachines'), 4, () => plugin.giveBack(machines.map(hostOf)));
    await spentBy(of('getRequestStatus of a return, running'), 4, () => plugin.status(returnId));
    await plugin.settled(returnId);
    await spentBy(of('getRequestStatus of a return, settled'), 1, () => plugin.status(returnId));
  }
  return rows;
};

/** What the five operations cost with the state in a table, by its latency, and what they take of it. */
export const tableRows = async (backend: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  const table = await meteredTable();
  const settings = { LogLevel: 'INFO', sweepIntervalMinutes: 0, stateTable: tableName, stateEndpoint: table.url };
  const plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, ...settings }, benchTemplates(backend.place));
  try {
    return [...(await timeRows(plugin, table, rounds)), ...(await spentRows(plugin, table))];
  } finally {
    await plugin.remove();
    await table.close();
  }
};
