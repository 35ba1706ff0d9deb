import { spawn } from 'node:child_process';
import { DescribeLaunchTemplatesCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Json, type Plugin, runScript } from './plugin.ts';

describe('the command line', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, []);
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
  });

  /** A command with --json. */
  const run = async (...args: readonly string[]): Promise<Json> => {
    const { exitCode, body } = await runScript('node', [`${home}/dist/hf-aws.cjs`, ...args, '--json'], plugin);
    expect(exitCode, JSON.stringify(body)).toBe(0);
    return body;
  };

  const launchTemplates = async (): Promise<readonly unknown[]> =>
    (await backend.client.send(new DescribeLaunchTemplatesCommand({}))).LaunchTemplates ?? [];

  it('removes launch templates that no request of late has used, and tells first', async () => {
    const template = { templateId: 'fleet', maxNumber: 9, priceType: 'spot', vmTypes: { 'm5.large': 1 } };
    await plugin.offer([{ ...template, ...backend.place }]);
    await plugin.settled(await plugin.request('fleet', 1));
    expect(await run('launch-templates', 'gc', '--unused-for', '1')).toMatchObject({ unused: [], kept: 1 });
    const told = await run('launch-templates', 'gc', '--unused-for', '0');
    expect(told).toMatchObject({ unused: [{ id: expect.stringMatching(/^lt-/) }], removed: [] });
    expect(await launchTemplates()).toHaveLength(1);
    expect(await run('launch-templates', 'gc', '--unused-for', '0', '--apply')).toMatchObject({ kept: 0 });
    expect(await launchTemplates()).toEqual([]);
  });

  it('shows which offerings launches keep clear of, and forgets them', async () => {
    const template = { maxNumber: 9, priceType: 'spot', ...backend.place };
    await plugin.offer([
      { ...template, templateId: 'one', vmTypes: { 'm5.large': 1 } },
      { ...template, templateId: 'two', vmTypes: { 'm5.large': 1, 'm5.xlarge': 1 } },
    ]);
    backend.emulator.configure({ capacity: { 'm5.large:*': 0 } });
    const first = await plugin.call('requestMachines', { template: { templateId: 'one', machineCount: 1 } });
    expect(first.exitCode).toBe(1);
    const refused = { market: 'spot', instanceType: 'm5.large', code: 'InsufficientInstanceCapacity' };
    expect(await run('offerings', 'list')).toMatchObject({ refused: [refused], templates: [] });

    const typesOf = async (templateId: string): Promise<readonly string[]> => {
      backend.emulator.forgetCalls();
      await plugin.call('requestMachines', { template: { templateId, machineCount: 1 } });
      const { parameters = {} } = backend.emulator.calls().find(({ action }) => action === 'CreateFleet') ?? {};
      return Object.entries(parameters).flatMap(([name, value]) =>
        /Overrides.*InstanceType/.test(name) ? [value] : [],
      );
    };
    expect(await typesOf('two')).toEqual(['m5.xlarge']);
    // Nothing else is left: EC2 is asked rather than nobody.
    expect(await typesOf('one')).toEqual(['m5.large']);
    expect(await run('offerings', 'clear')).toEqual({ offerings: 1, templates: [] });
    expect(await typesOf('two')).toEqual(['m5.large', 'm5.xlarge']);
    backend.emulator.configure({ capacity: {} });
  });

  it('launches where there was room last, without asking where there was none', async () => {
    const [full, free] = ['subnet-0aaaaaaaaaaaaaaaa', 'subnet-0bbbbbbbbbbbbbbbb'];
    const template = { templateId: 'od', maxNumber: 9, vmType: 'm5.large', ...backend.place };
    await plugin.offer([{ ...template, subnetId: [full, free] }]);
    backend.emulator.configure({
      subnets: { [full]: { zone: 'us-east-1a', vpc: 'vpc-1' }, [free]: { zone: 'us-east-1b', vpc: 'vpc-1' } },
      capacity: { 'm5.large:us-east-1a': 0 },
    });
    const launchesOf = async () => {
      backend.emulator.forgetCalls();
      await plugin.request('od', 1);
      const launches = backend.emulator.calls().filter(({ action }) => action === 'RunInstances');
      return launches.map(({ parameters }) => parameters['SubnetId']);
    };
    expect(await launchesOf()).toEqual([full, free]);
    expect(await launchesOf()).toEqual([free]);
    backend.emulator.configure({ capacity: { 'm5.large:us-east-1b': 0 } });
    expect(await launchesOf()).toEqual([free, full]);
    // Room was found in the first again, none in the second.
    expect(await launchesOf()).toEqual([full]);
    backend.emulator.configure({ capacity: {}, subnets: {} });
  });

  it('asks EC2 for the instance types of the Region, which then stand in for the shipped ones', async () => {
    const template = { templateId: 'plain', maxNumber: 9, vmType: 'r3.large', ...backend.place };
    await plugin.offer([template]);
    expect(await run('templates', 'validate', 'plain')).toMatchObject({ isValid: true });
    const { known } = await run('instance-types', 'refresh');
    expect(known).toBeGreaterThan(10);
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'plain', machineCount: 1 },
    });
    expect(exitCode).toBe(1);
    expect(body['message']).toMatch(/attributes.type.*r3.large.*instance-types refresh/);
  });

  describe('the emulator', () => {
    /** Its process, or the one around it, and its address. */
    const start = async (command: string, ...args: readonly string[]) => {
      const child = spawn(command, [...args], { env: plugin.env });
      onTestFinished(() => void child.kill('SIGKILL'));
      const url = await new Promise<string>((resolve, reject) => {
        child.once('error', reject).once('close', () => reject(new Error(`${command} ended`)));
        child.stdout.on('data', (text) => {
          const [, told] = /EC2 emulator at (\S+)/.exec(String(text)) ?? [];
          if (told !== undefined) resolve(told);
        });
      });
      const answers = () =>
        fetch(`${url}/_emulator/calls`).then(
          ({ ok }) => ok,
          () => false,
        );
      return { child, answers };
    };
    const program = `${home}/dist/hf-aws.cjs`;

    it('outlives the shell that started it with nohup, and ends by SIGTERM', async () => {
      const { child, answers } = await start('nohup', 'node', program, 'emulator', '--port', '0');
      const status = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGHUP');
      expect(await answers()).toBe(true);
      child.kill('SIGTERM');
      expect(await status).toBe(0);
    });

    it('ends with its terminal', async () => {
      const { child, answers } = await start('script', '-qec', `node ${program} emulator --port 0`, '/dev/null');
      expect(await answers()).toBe(true);
      child.kill('SIGKILL');
      await expect.poll(answers, { timeout: 30_000 }).toBe(false);
    });
  });
});
