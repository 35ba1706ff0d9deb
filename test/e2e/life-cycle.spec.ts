import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Backend, describeBackends } from './backends.ts';
import { createPlugin, hostOf, type MachineEntry, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

const idsOf = (machines: readonly MachineEntry[]): readonly string[] => machines.map(({ machineId }) => machineId);

describeBackends(
  (name) => `the five scripts against ${name}`,
  ({ start }) => {
    let backend: Backend;
    let plugin: Plugin;

    beforeAll(async () => {
      backend = await start();
    });
    afterAll(() => backend.close());
    beforeEach(async () => {
      plugin = await createPlugin(
        { AWS_ENDPOINT_URL: backend.url, consistencyWindowSeconds: 0 },
        testTemplates(backend.place),
      );
    });
    afterEach(async () => {
      const left = await backend.instanceIds('pending', 'running', 'stopping', 'stopped');
      if (left.length > 0) await backend.terminate(...left);
      await expect
        .poll(() => backend.instanceIds('pending', 'running', 'shutting-down'), { timeout: 10_000 })
        .toEqual([]);
      await plugin.remove();
    });

    it('offers the templates with attributes in array form', async () => {
      const { exitCode, body } = await plugin.call('getAvailableTemplates', {});
      expect(exitCode).toBe(0);
      expect(body['templates']).toContainEqual({
        templateId: 'od',
        maxNumber: 100,
        attributes: {
          type: ['String', 'X86_64'],
          ncpus: ['Numeric', '1'],
          nram: ['Numeric', '4096'],
          ncores: ['Numeric', '1'],
        },
        instanceTags: 'team=quant;env=prod',
      });
    });

    it('carries machines from request to return', async () => {
      const requestId = await plugin.request('all', 3);
      const ready = await plugin.settled(requestId);

      expect(ready.status).toBe('complete');
      expect(ready.machines).toHaveLength(3);
      for (const machine of ready.machines) {
        expect(machine).toMatchObject({
          result: 'succeed',
          status: 'running',
          message: '',
          priceType: 'ondemand',
          instanceType: 'm5.large',
          instanceTags: 'team=quant;env=prod',
          cloudHostId: null,
        });
        expect(machine.name).toMatch(/^ip-.*\.internal$/);
        expect(machine.privateIpAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        expect(Number.isInteger(machine.launchtime)).toBe(true);
      }
      expect(new Set(ready.machines.map(({ name }) => name)).size).toBe(3);
      expect(await plugin.reclaims(ready.machines.map(hostOf))).toEqual([]);

      const returnId = await plugin.giveBack(ready.machines.map(hostOf));
      expect(returnId).toMatch(/^ret-/);
      const gone = await plugin.settled(returnId);

      expect(gone.status).toBe('complete');
      expect(gone.machines.map(({ result, status }) => [result, status])).toEqual(
        Array(3).fill(['succeed', 'terminated']),
      );
      expect(gone.machines.map(({ name }) => name)).toEqual(ready.machines.map(({ name }) => name));
      expect(await backend.instanceIds('pending', 'running')).toEqual([]);
      expect(await plugin.reclaims(ready.machines.map(hostOf))).toEqual([]);
    });

    it('gives the same answer about a settled request for ever, whatever becomes of its machines and its template', async () => {
      const requestId = await plugin.request('all', 2);
      const ready = await plugin.settled(requestId);
      await plugin.settled(await plugin.giveBack(ready.machines.map(hostOf)));
      await plugin.offer(testTemplates(backend.place).slice(0, 1));
      expect(await plugin.status(requestId)).toEqual([ready]);
    });

    it('launches 25 machines with one request', async () => {
      const ready = await plugin.settled(await plugin.request('all', 25));
      expect(ready.machines.filter(({ result }) => result === 'succeed')).toHaveLength(25);
      expect(await backend.instanceIds('running')).toHaveLength(25);
    });

    it('reports machines that somebody else ended, and only those', async () => {
      const { machines } = await plugin.settled(await plugin.request('all', 3));
      const [first, second, third] = machines;
      if (first === undefined || second === undefined || third === undefined)
        throw new Error('three machines expected');
      await backend.terminate(first.machineId);
      await backend.stop(second.machineId);

      await expect
        .poll(() => plugin.reclaims(machines.map(hostOf)))
        .toEqual([
          { machine: first.name, machineId: first.machineId, gracePeriod: 0 },
          { machine: second.name, machineId: second.machineId, gracePeriod: 0 },
        ]);
      expect(await plugin.reclaims([third.name])).toEqual([]);
    });

    it('names a reclaimed host as Host Factory named it', async () => {
      const { machines } = await plugin.settled(await plugin.request('all', 1));
      await backend.terminate(...idsOf(machines));
      const given = machines.map(({ machineId }) => ({ name: 'HOST1.Grid.Example', machineId }));
      await expect
        .poll(async () => (await plugin.reclaims(given)).map(({ machine }) => machine))
        .toEqual(['HOST1.Grid.Example']);
    });

    it('reports hosts that neither EC2 nor our records know as gone, by two looks', async () => {
      const unknown = { name: 'ip-10-9-9-9.ec2.internal', machineId: 'i-0fedcba9876543210' };
      expect(await plugin.reclaims([unknown, 'ip-10-8-8-8.ec2.internal'])).toEqual([]);
      expect(await plugin.reclaims([unknown, 'ip-10-8-8-8.ec2.internal'])).toEqual([
        { machine: unknown.name, machineId: unknown.machineId, gracePeriod: 0 },
        { machine: 'ip-10-8-8-8.ec2.internal', gracePeriod: 0 },
      ]);
    });

    it('returns a machine by its name alone', async () => {
      const { machines } = await plugin.settled(await plugin.request('all', 2));
      const [first, second] = machines;
      const gone = await plugin.settled(await plugin.giveBack([{ name: first?.name }]));
      expect(gone).toMatchObject({
        status: 'complete',
        machines: [{ machineId: first?.machineId, result: 'succeed' }],
      });
      expect(await backend.instanceIds('pending', 'running')).toEqual([second?.machineId]);
    });

    it('answers a return of what is gone with an id that is complete at once', async () => {
      const { machines } = await plugin.settled(await plugin.request('all', 1));
      await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
      const again = await plugin.giveBack([...machines, ...machines].map(hostOf));
      const [entry] = await plugin.status(again);
      expect(entry).toMatchObject({
        status: 'complete',
        machines: [{ machineId: machines[0]?.machineId, result: 'succeed' }],
      });
    });

    it('takes a malformed id out and returns the rest', async () => {
      const { machines } = await plugin.settled(await plugin.request('all', 2));
      const returnId = await plugin.giveBack([{ machineId: 'i-nonsense; rm -rf /' }, ...machines.map(hostOf)]);
      const gone = await plugin.settled(returnId);
      expect(gone.machines.map(({ result }) => result)).toEqual(['succeed', 'succeed', 'succeed']);
      expect(await backend.instanceIds('pending', 'running')).toEqual([]);
    });

    it('never terminates an instance without its own tag, and says so', async () => {
      const other = await createPlugin(
        { AWS_ENDPOINT_URL: backend.url, clusterName: 'other' },
        testTemplates(backend.place),
      );
      const { machines } = await other.settled(await other.request('all', 1));
      const refused = await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
      expect(refused.status).toBe('complete_with_error');
      expect(refused.machines[0]).toMatchObject({ result: 'fail', status: 'running' });
      expect(refused.machines[0]?.message).toContain('ownership tag');
      expect(await backend.instanceIds('running')).toEqual(idsOf(machines));
      await other.remove();
    });

    it('accepts an empty return', async () => {
      const [entry] = await plugin.status(await plugin.giveBack([]));
      expect(entry).toMatchObject({ status: 'complete', machines: [] });
    });

    it('keeps a partial grant and says how much of it there is', async () => {
      if ('emulator' in backend) await configureCapacity(backend, { 'm5.large:*': 1 });
      const ready = await plugin.settled(await plugin.request('od', 3));
      expect(ready.status).toBe('complete');
      expect(ready.machines).toHaveLength(1);
      expect(ready.message).toContain('1 of 3 machines granted');
      expect(ready.message).toContain('m5.large in subnet-');
      if ('emulator' in backend) await configureCapacity(backend, {});
    });

    it('answers for every id it is asked about, known or not, in order', async () => {
      const requestId = await plugin.request('all', 1);
      await plugin.settled(requestId);
      const ids = ['r-0a1b2c3d4e5f60718', requestId, 'ret-5f1c0000-0000-4000-8000-000000000000', '../../etc/passwd'];
      const entries = await plugin.status(...ids);
      expect(entries.map((entry) => entry.requestId)).toEqual(ids);
      expect(entries.map(({ status }) => status)).toEqual([
        'complete_with_error',
        'complete',
        'complete',
        'complete_with_error',
      ]);
      expect(entries[0]?.machines).toEqual([]);
    });

    it('enforces maxNumber over all requests of a template, and makes room when machines are gone', async () => {
      const first = await plugin.settled(await plugin.request('few', 2));
      const refused = await plugin.call('requestMachines', { template: { templateId: 'few', machineCount: 2 } });
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(refused.body['message']).toContain('maxNumber 3');
      await backend.terminate(...idsOf(first.machines));
      await expect
        .poll(
          async () =>
            (await plugin.call('requestMachines', { template: { templateId: 'few', machineCount: 3 } })).exitCode,
        )
        .toBe(0);
      const none = await plugin.call('requestMachines', { template: { templateId: 'none', machineCount: 1 } });
      expect(none.exitCode).toBe(1);
      expect((await plugin.settled(await plugin.request('endless', 4))).machines).toHaveLength(4);
    });

    it.each([
      ['an unknown template', { template: { templateId: 'nowhere', machineCount: 1 } }, 'no template "nowhere"'],
      ['no template', {}, 'template must be a JSON object: it is missing'],
      ['no template id', { template: { machineCount: 1 } }, 'template.templateId must be a non-empty string'],
      ['no count', { template: { templateId: 'all' } }, 'template.machineCount must be a whole number'],
      ['a count of 0', { template: { templateId: 'all', machineCount: 0 } }, 'template.machineCount'],
      ['a negative count', { template: { templateId: 'all', machineCount: -1 } }, 'template.machineCount'],
      ['half a machine', { template: { templateId: 'all', machineCount: 1.5 } }, 'template.machineCount'],
      ['a count in words', { template: { templateId: 'all', machineCount: 'three' } }, 'template.machineCount'],
      ['a huge count', { template: { templateId: 'endless', machineCount: 1_000_000 } }, 'at most 10000'],
      ['more than maxNumber', { template: { templateId: 'few', machineCount: 4 } }, 'above maxNumber 3'],
      ['a template that may have none', { template: { templateId: 'none', machineCount: 1 } }, 'maxNumber 0'],
      ['a list', [], 'the input must be a JSON object: it is an array'],
    ])('refuses %s: exit 1, a message, nothing launched, nothing written', async (_what, input, message) => {
      const { exitCode, body } = await plugin.call('requestMachines', input);
      expect(exitCode).toBe(1);
      expect(body['message']).toContain(message);
      expect(Object.keys(body)).toEqual(['message']);
      expect(await backend.instanceIds('pending', 'running')).toEqual([]);
      expect(await plugin.state()).toEqual([]);
    });

    it("passes on EC2's refusal with its code", async () => {
      await plugin.offer(testTemplates({ ...backend.place, subnetId: 'subnet-1' }));
      const { exitCode, body } = await plugin.call('requestMachines', {
        template: { templateId: 'all', machineCount: 1 },
      });
      expect(exitCode).toBe(1);
      expect(body['message']).toMatch(
        /0 of 1 machines granted\. Error Code: InvalidSubnetID\.\w+ \(m5\.large in subnet-1\)/,
      );
    });
  },
);

const configureCapacity = async (backend: Backend, capacity: Readonly<Record<string, number>>): Promise<void> => {
  await fetch(`${backend.url}/_emulator/settings`, { method: 'PATCH', body: JSON.stringify({ capacity }) });
};
