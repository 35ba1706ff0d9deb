import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorBackend } from '../e2e/backends.ts';
import { createPlugin, home, hostOf } from '../e2e/plugin.ts';
import { figuresOf, measure } from './measure.ts';
import { benchTemplates, node, type Row } from './subjects.ts';

/** Host Factory asks twice a minute; by a queue there is a full look every five minutes. */
const [callsPerHour, fullLooksPerHour] = [120, 12];

/** What an hour of getReturnRequests costs, with the events of AWS and without. */
export const eventRows = async (backend: EmulatorBackend, rounds: number): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  for (const [count, callsPerLook] of [
    [1000, 1],
    [10_000, 10],
  ] as const) {
    // Hosts of earlier rows carry the same tag.
    backend.emulator.reset();
    backend.emulator.configure({ queues: ['bench-events'] });
    const settings = { AWS_ENDPOINT_URL: backend.url, LogLevel: 'INFO', sweepIntervalMinutes: 0 };
    const plugin = await createPlugin(settings, benchTemplates(backend.place));
    const { machines } = await plugin.settled(await plugin.request('od0', count));
    const input = { machines: machines.map(hostOf) };
    const file = join(plugin.directory, 'hosts.json');
    await writeFile(file, JSON.stringify(input));
    const look = async (): Promise<readonly [ec2: number, sqs: number]> => {
      backend.emulator.forgetCalls();
      await plugin.call('getReturnRequests', input);
      const { ReceiveMessage: sqs = 0, ...others } = backend.emulator.countCalls();
      return [Object.values(others).reduce((sum, each) => sum + each, 0), sqs];
    };
    const cpu = async (name: string): Promise<number> => {
      const command = [join(home, 'scripts', 'getReturnRequests.sh'), '-f', file];
      const figures = await measure([{ name, command, env: { ...plugin.env, HF_AWS_NODE: node } }], rounds);
      return figuresOf(figures, name).cpuMs;
    };
    const hour = `an hour of getReturnRequests of ${count} hosts`;
    await look();
    const [alone] = await look();
    const aloneMs = await cpu('alone');
    const text = (ms: number): string => `processor ${(ms / 1000).toFixed(0)} s`;
    rows.push({
      what: `${hour}, without a queue`,
      value: callsPerHour * alone,
      unit: 'calls',
      target: callsPerHour * callsPerLook,
      isNoisy: false,
      detail: `EC2; ${text(callsPerHour * aloneMs)}`,
    });
    await plugin.configure({ ...settings, eventQueue: `${backend.url}/123456789012/bench-events` });
    const [full] = await look();
    const [between, sqs] = await look();
    const eventMs = await cpu('by events');
    rows.push({
      what: `${hour}, with a queue`,
      value: fullLooksPerHour * full + (callsPerHour - fullLooksPerHour) * between,
      unit: 'calls',
      target: fullLooksPerHour * callsPerLook,
      isNoisy: false,
      detail: `EC2, and ${callsPerHour * sqs} of SQS; ${text(fullLooksPerHour * aloneMs + (callsPerHour - fullLooksPerHour) * eventMs)}`,
    });
    await plugin.remove();
  }
  return rows;
};
