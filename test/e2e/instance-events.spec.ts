import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hfAwsHere } from './admin.ts';
import { type Backend, describeBackends, type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, hostOf, type Json, type MachineEntry, type Plugin } from './plugin.ts';

/** A call of SQS as any program makes it, but for the signature, which neither backend checks. */
const sqs = async (url: string, action: string, input: Json): Promise<Json> => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIATEST/20261128/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(input),
  });
  if (!answer.ok) throw new Error(`${action}: ${await answer.text()}`);
  return JSON.parse(await answer.text());
};

const isEmulator = (backend: Backend): backend is EmulatorBackend => 'emulator' in backend;

const event = (kind: string, detail: object): string =>
  JSON.stringify({ 'detail-type': kind, source: 'aws.ec2', time: new Date().toISOString(), detail });
const interruptionOf = ({ machineId }: Pick<MachineEntry, 'machineId'>): string =>
  event('EC2 Spot Instance Interruption Warning', { 'instance-id': machineId, 'instance-action': 'terminate' });

describeBackends(
  (name) => `hosts that AWS announces to take away, by a queue of ${name}`,
  ({ name, start }) => {
    let backend: Backend;
    let queue: string;
    let plugin: Plugin;
    let hosts: readonly MachineEntry[];

    beforeAll(async () => {
      backend = await start();
      queue = `${backend.url}/123456789012/grid-events`;
      if (name === 'moto') await sqs(backend.url, 'CreateQueue', { QueueName: 'grid-events' });
    });
    afterAll(() => backend.close());
    beforeEach(async () => {
      plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, eventQueue: queue, sweepIntervalMinutes: 0 }, [
        { templateId: 'od', maxNumber: 10, vmType: 'm5.large', ...backend.place },
      ]);
      if (isEmulator(backend)) backend.emulator.configure({ queues: ['grid-events'] });
      hosts = (await plugin.settled(await plugin.request('od', 2))).machines;
    });
    afterEach(async () => {
      await plugin.remove();
      await backend.clear();
    });
    const send = (body: string): Promise<unknown> =>
      sqs(backend.url, 'SendMessage', { QueueUrl: queue, MessageBody: body });
    const waiting = async (): Promise<unknown> => {
      const { Attributes } = await sqs(backend.url, 'GetQueueAttributes', {
        QueueUrl: queue,
        AttributeNames: ['All'],
      });
      return Object(Attributes)['ApproximateNumberOfMessages'];
    };
    const reclaims = (): Promise<readonly Json[]> => plugin.reclaims(hosts.map(hostOf));

    it('tells of one again at every call until it is given back; removes the message, and others', async () => {
      await reclaims();
      const [first] = hosts;
      if (first === undefined) throw new Error('no hosts');
      await send(interruptionOf(first));
      await send(interruptionOf({ machineId: 'i-0fffffffffffffff0' }));
      await send('no event at all');
      const told = [{ machine: first.name, machineId: first.machineId, gracePeriod: expect.any(Number) }];
      expect(await reclaims()).toEqual(told);
      expect(await waiting()).toBe('0');
      expect(await reclaims()).toEqual(told);
      expect(await plugin.reclaims(hosts.slice(1).map(hostOf))).toEqual([]);
    });

    it('tells nothing of messages about hosts of others', async () => {
      await send(interruptionOf({ machineId: 'i-0fffffffffffffff0' }));
      expect(await reclaims()).toEqual([]);
      expect(await waiting()).toBe('0');
    });
  },
);

describe('a queue of events', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;
  let hosts: readonly MachineEntry[];

  beforeAll(async () => {
    backend = await emulatorBackend();
    backend.emulator.configure({ queues: ['grid-events'] });
  });
  afterAll(() => backend.close());
  const withQueue = (more: Json = {}): Promise<void> =>
    plugin.configure({ eventQueue: `${backend.url}/123456789012/grid-events`, sweepIntervalMinutes: 0, ...more });
  beforeEach(async () => {
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [
      { templateId: 'spot', maxNumber: 10, priceType: 'spot', vmTypes: { 'm5.large': 1 }, ...backend.place },
    ]);
    await withQueue();
    hosts = (await plugin.settled(await plugin.request('spot', 2))).machines;
    // The first of all looks at everything.
    await plugin.reclaims(hosts.map(hostOf));
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.clear();
    backend.emulator.clearFaults();
  });
  const machineIds = (): readonly string[] => hosts.map(({ machineId }) => machineId);
  const change = (machineId: string, to: Parameters<typeof backend.emulator.setInstance>[1]): void => {
    backend.emulator.setInstance(machineId, to);
  };
  /** Who is told of, with the seconds left, and by which calls that was found. */
  const ask = async (machines: readonly Json[] = hosts.map(hostOf)) => {
    backend.emulator.forgetCalls();
    const told = await plugin.reclaims(machines);
    return {
      told: told.map(({ machineId, gracePeriod }) => [machineId, gracePeriod]),
      calls: backend.emulator.countCalls(),
    };
  };
  const quiet = { told: [], calls: { ReceiveMessage: 1 } };

  it('that is empty costs one call, and none to EC2', async () => {
    expect(await ask()).toEqual(quiet);
  });

  it('makes an interruption known with the seconds left, after one look at that host', async () => {
    const [machineId = ''] = machineIds();
    change(machineId, { spotStatus: 'marked-for-termination' });
    const { told, calls } = await ask();
    expect(told).toEqual([[machineId, expect.toSatisfy((seconds: number) => seconds > 100 && seconds <= 120)]]);
    expect(calls).toEqual({ ReceiveMessage: 1, DeleteMessageBatch: 1, DescribeInstances: 1 });
  });

  it('makes the end of a host known at once', async () => {
    const [machineId = ''] = machineIds();
    change(machineId, { state: 'terminated', reasonCode: 'Server.InternalError' });
    expect((await ask()).told).toEqual([[machineId, 0]]);
  });

  it('makes a retirement known at once', async () => {
    const [machineId = ''] = machineIds();
    const notBefore = new Date(Date.now() + 3 * 24 * 3_600_000).toISOString();
    change(machineId, { scheduledEvent: { code: 'instance-retirement', notBefore } });
    expect((await ask()).told).toEqual([[machineId, expect.toSatisfy((seconds: number) => seconds > 250_000)]]);
  });

  it('tells of a recommendation to rebalance only where that is wanted', async () => {
    const [machineId = ''] = machineIds();
    change(machineId, { rebalance: true });
    expect((await ask()).told).toEqual([]);
    await withQueue({ rebalance: 'report' });
    change(machineId, { rebalance: true });
    expect((await ask()).told).toEqual([[machineId, expect.any(Number)]]);
  });

  it('that cannot be read makes all hosts be looked at, and what is on record is still told', async () => {
    const [machineId = ''] = machineIds();
    change(machineId, { spotStatus: 'marked-for-termination' });
    await ask();
    backend.emulator.addFault({
      action: 'ReceiveMessage',
      times: 'always',
      effect: { kind: 'error', code: 'AccessDenied' },
    });
    const { told, calls } = await ask();
    expect(told.map(([id]) => id)).toEqual([machineId]);
    expect(calls).toMatchObject({ DescribeInstances: 1, DescribeSpotInstanceRequests: 1 });
  });

  it('does not replace a look at all hosts, which comes after fullLookMinutes or for a host known by name alone', async () => {
    expect(await ask()).toEqual(quiet);
    const byName = hosts.map(({ name }) => ({ name }));
    expect((await ask(byName)).calls).toMatchObject({ DescribeInstances: 1 });
    expect(await ask()).toEqual(quiet);
    const file = join(plugin.workDir, 'cache', 'housekeeping.json');
    const { fullLook: _noted, ...others } = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify(others));
    expect((await ask()).calls).toMatchObject({ DescribeInstances: 1 });
    expect(await ask()).toEqual(quiet);
  });

  it('keeps nothing of what others do to instances that nobody asks about', async () => {
    const others = (await plugin.settled(await plugin.request('spot', 1))).machines;
    for (const { machineId } of others) change(machineId, { state: 'terminated' });
    await ask();
    expect(await readdir(plugin.workDir)).not.toContain('instance-events');
  });

  it('is looked at by doctor, from the rule to the queue, and is in the policy', async () => {
    const subjects = async (): Promise<readonly string[]> => {
      const { stdout } = await hfAwsHere(plugin, ['doctor', '--json']);
      const { diagnoses }: { diagnoses: readonly Record<string, string>[] } = JSON.parse(stdout);
      return diagnoses
        .filter(({ subject }) => subject === 'event queue')
        .map(({ status, what }) => `${status} ${what}`);
    };
    const url = `${backend.url}/123456789012/grid-events`;
    expect(await subjects()).toEqual([`ok ${url}: 1 rules send to it, 0 messages wait`]);
    await withQueue({ eventQueue: `${backend.url}/123456789012/elsewhere` });
    expect(await subjects()).toEqual([expect.stringMatching(/^warning GetQueueAttributes failed.*QueueDoesNotExist/)]);
    const { stdout } = await hfAwsHere(plugin, ['doctor', '--iam-policy']);
    expect(stdout).toContain('arn:aws:sqs:us-east-1:*:elsewhere');
  });
});
