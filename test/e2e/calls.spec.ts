import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Plugin, tablesAt } from './plugin.ts';
import { testTemplates } from './templates.ts';

/** AWS calls cost time and share the account's throttling buckets: their number is part of what an operation promises. */
describe('the number of AWS calls', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    backend.emulator.reset();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  });
  afterEach(() => plugin.remove());

  const callsDuring = async (work: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> => {
    backend.emulator.forgetCalls();
    await work();
    return backend.emulator.countCalls();
  };

  it('is none for templates, also without credentials', async () => {
    await plugin.configure({ AWS_CREDENTIAL_FILE: '/nowhere' });
    expect(await callsDuring(() => plugin.call('getAvailableTemplates', {}))).toEqual({});
  });

  it('is one for a request', async () => {
    expect(await callsDuring(() => plugin.request('od', 1))).toEqual({ RunInstances: 1 });
  });

  it('is one for the status of 150 machines in three requests, and none once they have settled', async () => {
    await plugin.offer(testTemplates(backend.place).map((template) => ({ ...template, maxNumber: 150 })));
    const ids = [await plugin.request('od', 50), await plugin.request('od', 50), await plugin.request('od', 50)];
    expect(await callsDuring(() => plugin.status(...ids))).toEqual({ DescribeInstances: 1 });
    await Promise.all(ids.map((id) => plugin.settled(id)));
    expect(await callsDuring(() => plugin.status(...ids))).toEqual({});
  });

  it('is two for a return of 10', async () => {
    const { machines } = await plugin.settled(await plugin.request('od', 10));
    expect(await callsDuring(() => plugin.giveBack(machines.map(hostOf)))).toEqual({
      DescribeInstances: 1,
      TerminateInstances: 1,
    });
  });

  it('is one per 200 hosts for reclaims', async () => {
    const hosts = Array.from({ length: 401 }, (_, n) => ({ machineId: `i-${String(n).padStart(17, '0')}` }));
    await plugin.configure({ sweepIntervalMinutes: 0 });
    expect(await callsDuring(() => plugin.reclaims(hosts))).toEqual({ DescribeInstances: 3 });
    await plugin.configure({});
    // Once in an interval, after the answer is out, a sweep follows.
    const withSweep = {
      DescribeAutoScalingGroups: 1,
      DescribeFleets: 1,
      DescribeSpotFleetRequests: 1,
      DescribeLaunchTemplates: 1,
    };
    expect(await callsDuring(() => plugin.reclaims(hosts))).toEqual({ DescribeInstances: 4, ...withSweep });
    expect(await callsDuring(() => plugin.reclaims(hosts))).toEqual({ DescribeInstances: 3 });
  });

  it('ends before the sweep that follows its answer', async () => {
    await plugin.configure({ sweepIntervalMinutes: 10 });
    backend.emulator.addFault({ action: 'DescribeFleets', effect: { kind: 'delay', ms: 3000 } });
    const swept = () => backend.emulator.countCalls()['DescribeAutoScalingGroups'] ?? 0;
    backend.emulator.forgetCalls();
    const left: Promise<void>[] = [];
    expect(await plugin.reclaims([], { leftBehind: (end) => left.push(end) })).toEqual([]);
    expect(swept()).toBe(0);
    await Promise.all(left);
    expect(swept()).toBe(1);
  });

  it('is one more the first time an image is named by an alias, and its AMI is what the request keeps', async () => {
    const alias = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';
    const [template] = testTemplates(backend.place);
    await plugin.offer([
      { ...template, imageId: alias },
      { ...template, templateId: 'same', imageId: `resolve:ssm:${alias}` },
      { ...template, templateId: 'unknown', imageId: 'resolve:ssm:/nobody/knows' },
    ]);
    const requestIds: string[] = [];
    const request = async (): Promise<void> => {
      requestIds.push(await plugin.request('od', 1));
    };
    expect(await callsDuring(request)).toEqual({ GetParameter: 1, RunInstances: 1 });
    expect(await callsDuring(request)).toEqual({ RunInstances: 1 });
    expect(await callsDuring(() => plugin.request('same', 1))).toEqual({ GetParameter: 1, RunInstances: 1 });
    const image = backend.emulator.calls().at(-1)?.parameters['ImageId'];
    expect(image).toMatch(/^ami-/);
    for (const id of tablesAt === undefined ? requestIds : []) {
      const created = await readFile(join(plugin.workDir, 'requests', id, '000000000.json'), 'utf8');
      expect(created).toContain(`"imageId":"${image}"`);
    }
    const unknown = await plugin.call('requestMachines', { template: { templateId: 'unknown', machineCount: 1 } });
    expect(unknown.exitCode).toBe(1);
    expect(unknown.body['message']).toMatch(/\/nobody\/knows/);
  });

  it('is as ever with raw fields, which go over ours', async () => {
    const launchTemplateSpec = { CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 }, Monitoring: { Enabled: true } };
    await plugin.offer([{ ...testTemplates(backend.place)[0], launchTemplateSpec }]);
    expect(await callsDuring(() => plugin.request('od', 1))).toEqual({ RunInstances: 1 });
    expect(backend.emulator.calls().at(-1)?.parameters).toMatchObject({
      'CpuOptions.ThreadsPerCore': '1',
      'Monitoring.Enabled': 'true',
      'MetadataOptions.HttpTokens': 'required',
    });
  });

  it('is one more the first time a template sizes the root volume, for the name of the device', async () => {
    await plugin.offer([{ ...testTemplates(backend.place)[0], rootDeviceVolumeSize: 50, volumeType: 'gp3' }]);
    expect(await callsDuring(() => plugin.request('od', 1))).toEqual({ DescribeImages: 1, RunInstances: 1 });
    expect(await callsDuring(() => plugin.request('od', 1))).toEqual({ RunInstances: 1 });
  });
});
