import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { home, hostOf, type Json, type MachineEntry, type Plugin } from '../e2e/plugin.ts';
import { testTemplates } from '../e2e/templates.ts';
import type { Subject } from './measure.ts';

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: 'x node' | 'ms' | 'MB' | 'calls' | 'x' | 's' | 'requests/s' | 'requests lost' | 'faults';
  readonly target: number;
  /** What was reached where the target was not: CI watches this instead. */
  readonly reached?: number;
  /** Times are noisy, counts and sizes are not. */
  readonly isNoisy: boolean;
  readonly detail: string;
}

export const node = process.env['HF_AWS_NODE'] ?? process.execPath;

/** What everything is measured against. */
export const floorOf = (env: Subject['env']): Subject => ({ name: 'node -e 0', command: [node, '-e', '0'], env });

/** Templates enough for a bank, and one of the emulator's that needs a launch template. */
export const benchTemplates = (place: Json): readonly Json[] => {
  const [od] = testTemplates(place);
  const more = Array.from({ length: 23 }, (_, n) => ({ ...od, templateId: `od${n}` }));
  const fleet = { ...od, templateId: 'fleet', priceType: 'spot', vmType: undefined, vmTypes: { 'm5.large': 1 } };
  return [od, ...more, fleet].map((template) => ({ ...template, maxNumber: 10_000 }));
};

export const randomHosts = (count: number): readonly Json[] =>
  Array.from({ length: count }, (_, n) => ({ name: `host${n}`, machineId: `i-${String(n).padStart(17, '0')}` }));

const machinesOf = (answer: string): readonly MachineEntry[] => {
  const { requests = [] }: { requests?: readonly { machines: readonly MachineEntry[] }[] } = JSON.parse(answer);
  return requests.flatMap(({ machines }) => machines);
};

/** The life of one host: each call's input is written from the answers before it. */
export const lifeCycle = async (plugin: Plugin, prefix = ''): Promise<readonly Subject[]> => {
  const input = (name: string): string => join(plugin.directory, `${name}.json`);
  const write = (name: string, value: object): Promise<void> => writeFile(input(name), JSON.stringify(value));
  await write('getAvailableTemplates', {});
  await write('requestMachines', { template: { templateId: 'od', machineCount: 1 } });
  await write('getReturnRequests', { machines: randomHosts(100) });
  const subject = (operation: string, after?: Subject['after']): Subject => ({
    name: `${prefix}${operation}`,
    command: [join(home, 'scripts', `${operation}.sh`), '-f', input(operation)],
    env: { ...plugin.env, HF_AWS_NODE: node },
    ...(after === undefined ? {} : { after }),
  });
  return [
    subject('getAvailableTemplates'),
    subject('requestMachines', (answer) => write('getRequestStatus', { requests: [JSON.parse(answer)] })),
    subject('getRequestStatus', (answer) =>
      write('requestReturnMachines', { machines: machinesOf(answer).map(hostOf) }),
    ),
    subject('requestReturnMachines'),
    subject('getReturnRequests'),
  ];
};
