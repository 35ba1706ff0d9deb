import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../src/domain/errors.ts';
import { createIdOf, returnIdOf } from '../../../src/domain/ids.ts';
import { isOperation, type OperationName, operationOf } from '../../../src/hostfactory/operations.ts';
import { damage } from '../damaged-document.ts';
import { nameOf } from '../fake-hosts.ts';
import { startWorld, templateDocument, uuid, type World } from '../provider-world.ts';

/** The answer as Host Factory reads it. */
const ask = async (world: World, name: OperationName, input: unknown): Promise<unknown> => {
  const { body, afterwards } = await operationOf(name).run(world, input);
  await afterwards?.();
  return JSON.parse(JSON.stringify(body));
};
const requestMachines = (templateId = 'od-a', machineCount = 1) => ({ template: { templateId, machineCount } });
const requestId = createIdOf(uuid(1));

/** A request of one host that is up. */
const running = async () => {
  const world = await startWorld();
  await ask(world, 'requestMachines', requestMachines());
  world.hosts.boot();
  await ask(world, 'getRequestStatus', { requests: [{ requestId }] });
  const [machineId = ''] = world.hosts.ids();
  return { world, machineId, name: nameOf(machineId) };
};

describe('the interface', () => {
  it.each([
    'getAvailableTemplates',
    'requestMachines',
    'getRequestStatus',
    'requestReturnMachines',
    'getReturnRequests',
  ])('has %s', (name) => expect(isOperation(name)).toBe(true));

  it.each(['', 'GetAvailableTemplates', 'getavailabletemplates', 'getAvailableMachines', 'toString', '__proto__'])(
    'does not have %j',
    (name) => expect(isOperation(name)).toBe(false),
  );

  it.each([
    ['getAvailableTemplates', true],
    ['requestMachines', false],
    ['getRequestStatus', false],
    ['requestReturnMachines', false],
    ['getReturnRequests', true],
  ] as const)('lets Host Factory call %s without input: %s', (name, optional) =>
    expect(operationOf(name).inputIsOptional).toBe(optional),
  );

  it.each([
    'getAvailableTemplates',
    'requestMachines',
    'getRequestStatus',
    'requestReturnMachines',
    'getReturnRequests',
  ] as const)('refuses what is no object: %s', async (name) => {
    const world = await startWorld();
    for (const input of [[], 'text', 3, null]) {
      await expect(ask(world, name, input)).rejects.toMatchObject({
        code: 'input.invalid',
        message: expect.stringMatching(/^the input must be a JSON object/),
      });
    }
  });
});

describe('getAvailableTemplates', () => {
  it('serves the templates in Host Factory’s form', async () => {
    const world = await startWorld();
    await world.writeTemplates(
      templateDocument(),
      templateDocument({ templateId: 'spot', maxNumber: -1, priceType: 'spot', vmTypes: { 'm5.large': 1 } }),
    );
    const attributes = {
      type: ['String', 'X86_64'],
      ncpus: ['Numeric', '2'],
      nram: ['Numeric', '4096'],
      ncores: ['Numeric', '1'],
    };
    expect(await ask(world, 'getAvailableTemplates', {})).toEqual({
      message: '2 templates.',
      templates: [
        { templateId: 'od-a', maxNumber: 10, attributes, instanceTags: 'team=quant' },
        { templateId: 'spot', maxNumber: -1, attributes, vmTypes: { 'm5.large': 1 }, instanceTags: 'team=quant' },
      ],
    });
  });

  it('serves the good ones when one is bad', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument(), templateDocument({ templateId: 'bad', vmType: 'x' }));
    expect(await ask(world, 'getAvailableTemplates', {})).toMatchObject({
      message: '1 templates. 1 invalid and left out: see the log.',
      templates: [{ templateId: 'od-a' }],
    });
  });

  it.each([
    ['none at all', [], 'it lists none'],
    ['only bad ones', [templateDocument({ vmType: 'x' })], 'od-a: vmType must have the form'],
  ])('fails with %s: an empty list would end the provider', async (_, templates, why) => {
    const world = await startWorld();
    await world.writeTemplates(...templates);
    await expect(ask(world, 'getAvailableTemplates', {})).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(why),
    });
  });

  it('fails when the file cannot be read, and never asks AWS', async () => {
    const world = await startWorld();
    await writeFile(world.templatesFile, '{');
    await expect(ask(world, 'getAvailableTemplates', {})).rejects.toMatchObject({ code: 'configuration.invalid' });
    expect(world.hosts.calls).toEqual([]);
  });
});

describe('requestMachines', () => {
  it('answers with an id and a message, and no machines', async () =>
    expect(await ask(await startWorld(), 'requestMachines', requestMachines('od-a', 3))).toEqual({
      message: '3 of 3 machines granted.',
      requestId,
    }));

  it('notes LSF’s account', async () => {
    const world = await startWorld();
    await ask(world, 'requestMachines', { ...requestMachines(), rc_account: 'quant', userData: {} });
    const { events } = await world.streams.load(requestId);
    expect(events[0]).toMatchObject({ attributes: { rc_account: 'quant' } });
  });

  it.each([
    ['no template', {}, 'template must be a JSON object: it is missing'],
    [
      'no templateId',
      { template: { machineCount: 1 } },
      'template.templateId must be a non-empty string: it is missing',
    ],
    [
      'no count',
      { template: { templateId: 'od-a' } },
      'template.machineCount must be a whole number of at least 1: it is missing',
    ],
    ['a count of 0', requestMachines('od-a', 0), 'template.machineCount must be a whole number of at least 1: it is 0'],
    [
      'a count of -1',
      requestMachines('od-a', -1),
      'template.machineCount must be a whole number of at least 1: it is -1',
    ],
    [
      'a count of 1.5',
      requestMachines('od-a', 1.5),
      'template.machineCount must be a whole number of at least 1: it is 1.5',
    ],
  ])('with %s is refused without a call to EC2', async (_, input, message) => {
    const world = await startWorld();
    await expect(ask(world, 'requestMachines', input)).rejects.toMatchObject({ code: 'input.invalid', message });
    expect([world.capacity.launches, (await world.streams.changes()).changed.size]).toEqual([[], 0]);
  });

  it('fails with AWS’s code when EC2 refuses everything', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'refusal', code: 'VcpuLimitExceeded', fault: 'provider.quota' });
    await expect(ask(world, 'requestMachines', requestMachines())).rejects.toThrow('Error Code: VcpuLimitExceeded');
  });

  it('is a success when EC2 grants part', async () => {
    const world = await startWorld();
    for (const subnet of ['subnet-a', 'subnet-b']) world.capacity.pools.set(subnet, { kind: 'room', most: 1 });
    expect(await ask(world, 'requestMachines', requestMachines('od-a', 4))).toMatchObject({
      requestId,
      message: expect.stringMatching(/^2 of 4 machines granted\. Error Code: PartialGrant/),
    });
  });

  it('is a success when nobody knows what EC2 did', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'lost', launched: 1 });
    expect(await ask(world, 'requestMachines', requestMachines())).toMatchObject({ requestId });
  });
});

describe('getRequestStatus', () => {
  it('tells all of a machine, in Host Factory’s names', async () => {
    const { world, machineId, name } = await running();
    expect(await ask(world, 'getRequestStatus', { requests: [{ requestId }] })).toEqual({
      requests: [
        {
          requestId,
          status: 'complete',
          message: '1 of 1 machines granted.',
          machines: [
            {
              machineId,
              name,
              result: 'succeed',
              status: 'running',
              privateIpAddress: '10.0.0.1',
              publicIpAddress: '',
              launchtime: world.now() / 1000,
              message: '',
              priceType: 'ondemand',
              instanceType: 'm5.large',
              instanceTags: 'team=quant',
              cloudHostId: null,
            },
          ],
        },
      ],
    });
  });

  it('is executing while a machine is pending, or nameless', async () => {
    const world = await startWorld();
    await ask(world, 'requestMachines', requestMachines());
    const status = () => ask(world, 'getRequestStatus', { requests: [{ requestId }] });
    const executing = (state: string) => ({
      requests: [{ status: 'running', machines: [{ result: 'executing', status: state }] }],
    });
    expect(await status()).toMatchObject(executing('pending'));
    world.hosts.change(world.hosts.ids()[0] ?? '', { state: 'running', privateIpAddress: '10.0.0.1' });
    expect(await status()).toMatchObject(executing('running'));
  });

  it.each([
    ['an array', [{ requestId }]],
    ['an object', { requestId }],
    ['plain ids', [requestId]],
  ])('may be asked with %s', async (_, requests) => {
    const { world } = await running();
    expect(await ask(world, 'getRequestStatus', { requests })).toMatchObject({
      requests: [{ requestId, status: 'complete' }],
    });
  });

  it('answers each id once asked, in the order asked, create and return requests mixed', async () => {
    const { world, machineId } = await running();
    const given = await world.service.returnMachines({ machines: [{ name: '', machineId }] });
    const ids = [given.requestId, requestId, given.requestId, returnIdOf(uuid(99))];
    expect(await ask(world, 'getRequestStatus', { requests: ids })).toMatchObject({
      requests: ids.map((id) => ({ requestId: id })),
    });
  });

  it.each([
    [createIdOf(uuid(99)), 'complete_with_error'],
    ['r-0a1b2c3d4e5f60718', 'complete_with_error'],
    [returnIdOf(uuid(99)), 'complete'],
    ['ret-5f1c', 'complete_with_error'],
  ])('of %s, which nobody knows, is %s with no machines', async (unknown, status) =>
    expect(await ask(await startWorld(), 'getRequestStatus', { requests: [{ requestId: unknown }] })).toEqual({
      requests: [{ requestId: unknown, status, message: `no request "${unknown}"`, machines: [] }],
    }),
  );

  it('of nothing is an empty list', async () =>
    expect(await ask(await startWorld(), 'getRequestStatus', { requests: [] })).toEqual({ requests: [] }));

  it.each([
    [{}, 'requests must be an array: it is missing'],
    [{ requests: 'req-1' }, 'requests must be an array: it is "req-1"'],
    [{ requests: [{}] }, 'requests[0].requestId must be a non-empty string: it is missing'],
    [{ requests: [requestId, 3] }, 'requests[1] must be a JSON object: it is 3'],
  ])('with %j is refused', async (input, message) =>
    expect(ask(await startWorld(), 'getRequestStatus', input)).rejects.toMatchObject({
      code: 'input.invalid',
      message,
    }),
  );

  it('keeps a request running with its last known machines when EC2 cannot be read', async () => {
    const world = await startWorld();
    await ask(world, 'requestMachines', requestMachines());
    world.hosts.failWith(new PluginError('provider.throttled', 'slow down'));
    expect(await ask(world, 'getRequestStatus', { requests: [requestId] })).toMatchObject({
      requests: [
        {
          status: 'running',
          message: '1 of 1 machines granted. Not verified with EC2: slow down',
          machines: [{ result: 'executing' }],
        },
      ],
    });
  });

  it('answers the others when one record cannot be read, and keeps Host Factory asking for that one', async () => {
    const { world } = await running();
    const { requestId: bad } = await world.service.createRequest({ templateId: 'od-a', maxNumber: 1 });
    const path = await damage(world.workDir, bad);
    expect(await ask(world, 'getRequestStatus', { requests: [bad, requestId] })).toMatchObject({
      requests: [
        { requestId: bad, status: 'running', message: expect.stringContaining(path), machines: [] },
        { requestId, status: 'complete' },
      ],
    });
  });

  it('of a cancelled request is running until its machines have ended', async () => {
    const world = await startWorld();
    await ask(world, 'requestMachines', requestMachines());
    const told = () => ask(world, 'getRequestStatus', { requests: [requestId] });
    for (const id of world.hosts.ids()) world.hosts.change(id, { refusal: 'OperationNotPermitted: protected' });
    await world.service.cancelRequest({ requestId, reason: 'mistake' });
    expect(await told()).toMatchObject({ requests: [{ status: 'running' }] });
    for (const id of world.hosts.ids()) world.hosts.end(id);
    expect(await told()).toMatchObject({
      requests: [{ status: 'complete_with_error', machines: [{ result: 'fail' }] }],
    });
  });

  it('is running while the disk refuses to note that somebody asked: the sweep may still release the machines', async () => {
    const world = await startWorld();
    await ask(world, 'requestMachines', requestMachines());
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    const told = () => ask(world, 'getRequestStatus', { requests: [requestId] });
    // Every append passes through this folder.
    await rm(join(world.workDir, 'appending'), { recursive: true });
    await writeFile(join(world.workDir, 'appending'), '');
    expect(await told()).toMatchObject({ requests: [{ status: 'running' }] });
    await rm(join(world.workDir, 'appending'));
    expect(await told()).toMatchObject({ requests: [{ status: 'complete' }] });
  });

  it('fails on a defect of ours instead of hiding it', async () => {
    const world = await startWorld();
    await ask(world, 'requestMachines', requestMachines());
    world.hosts.failWith(new TypeError('a defect'));
    await expect(ask(world, 'getRequestStatus', { requests: [requestId] })).rejects.toThrow('a defect');
  });
});

describe('requestReturnMachines', () => {
  it('answers with an id to ask about', async () => {
    const { world, machineId, name } = await running();
    expect(await ask(world, 'requestReturnMachines', { machines: [{ name, machineId }] })).toEqual({
      message: '1 of 1 machines are being terminated.',
      requestId: expect.stringMatching(/^ret-/),
    });
  });

  it('ends with machines that succeeded, still with the address Host Factory knew', async () => {
    const { world, machineId, name } = await running();
    const { requestId: returnId } = Object(
      await ask(world, 'requestReturnMachines', { machines: [{ name, machineId }] }),
    );
    world.hosts.end(machineId);
    expect(await ask(world, 'getRequestStatus', { requests: [returnId] })).toMatchObject({
      requests: [
        {
          status: 'complete',
          machines: [
            {
              machineId,
              name,
              result: 'succeed',
              status: 'terminated',
              privateIpAddress: '10.0.0.1',
              launchtime: world.now() / 1000,
            },
          ],
        },
      ],
    });
  });

  it('of nothing is a valid id', async () =>
    expect(await ask(await startWorld(), 'requestReturnMachines', { machines: [] })).toMatchObject({
      requestId: returnIdOf(uuid(1)),
    }));

  it('may be given one host as an object', async () => {
    const { world, machineId } = await running();
    await ask(world, 'requestReturnMachines', { machines: { machineId } });
    expect(world.hosts.stateOf(machineId)).toBe('shutting-down');
  });

  it('without machines is refused', async () =>
    expect(ask(await startWorld(), 'requestReturnMachines', {})).rejects.toMatchObject({
      code: 'input.invalid',
      message: 'machines must be an array: it is missing',
    }));
});

describe('getReturnRequests', () => {
  it('tells the hosts that were taken away, as Host Factory named them', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    expect(await ask(world, 'getReturnRequests', { machines: [{ name: 'Host-1.EC2.internal', machineId }] })).toEqual({
      status: 'complete',
      message: '1 hosts to be returned.',
      requests: [{ machine: 'Host-1.EC2.internal', machineId, gracePeriod: 0 }],
    });
  });

  it('is followed by a sweep, now and then', async () => {
    const world = await startWorld();
    const orphan = world.hosts.add({ requestId: createIdOf(uuid(99)) });
    for (const _ of [1, 2]) {
      await ask(world, 'getReturnRequests', {});
      world.pass(60 * 60_000);
    }
    expect(world.hosts.stateOf(orphan)).toBe('shutting-down');
  });

  it('names a host by its id where Host Factory gave no name, and leaves out an id nobody knows', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    await ask(world, 'getReturnRequests', { machines: ['nobody'] });
    world.pass(120_000);
    expect(await ask(world, 'getReturnRequests', { machines: [{ machineId }, 'nobody'] })).toMatchObject({
      requests: [
        { machine: machineId, machineId, gracePeriod: 0 },
        { machine: 'nobody', gracePeriod: 0 },
      ],
    });
  });

  it.each([{}, { machines: [] }, { machines: null }])('for %j is an empty list', async (input) =>
    expect(await ask(await startWorld(), 'getReturnRequests', input)).toEqual({
      status: 'complete',
      message: '0 hosts to be returned.',
      requests: [],
    }),
  );

  it('is empty while all hosts are well', async () => {
    const { world, machineId } = await running();
    expect(await ask(world, 'getReturnRequests', { machines: [{ machineId }] })).toMatchObject({ requests: [] });
  });

  it('records what it noticed once the answer is out', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    await ask(world, 'getReturnRequests', { machines: [{ machineId }] });
    expect(await world.service.listMachines({ status: 'terminated' })).toMatchObject({ items: [{ machineId }] });
    expect(await world.live.list()).toEqual([]);
  });

  it('records a miss, so that a host that stays away is gone after the window', async () => {
    const { world, machineId } = await running();
    world.hosts.change(machineId, { hidden: true });
    const reclaimed = () => ask(world, 'getReturnRequests', { machines: [{ machineId }] });
    expect(await reclaimed()).toMatchObject({ requests: [] });
    world.pass(120_000);
    expect(await reclaimed()).toMatchObject({ requests: [{ machineId, gracePeriod: 0 }] });
  });

  it('tells nothing new when EC2 cannot be read, and says so', async () => {
    const { world, machineId } = await running();
    world.hosts.end(machineId);
    world.hosts.failWith(new PluginError('provider.throttled', 'slow down'));
    expect(await ask(world, 'getReturnRequests', { machines: [{ machineId }] })).toEqual({
      status: 'complete',
      message: 'Nothing new: slow down',
      requests: [],
    });
  });
});
