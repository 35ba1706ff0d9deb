import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MessageOf } from '../../../../src/application/bus/operation.ts';
import type { createRequest } from '../../../../src/application/commands/create-request.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import { createIdOf } from '../../../../src/domain/ids.ts';
import { startWorld, templateDocument, uuid, type World } from '../../provider-world.ts';

const ask = (world: World, maxNumber: number, fields: Partial<Omit<MessageOf<typeof createRequest>, 'type'>> = {}) =>
  world.service.createRequest({ templateId: 'od-a', maxNumber, ...fields });

const filesIn = async (folder: string): Promise<readonly string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
};

const expectNothingLeft = async (world: World): Promise<void> => {
  expect(world.capacity.launches).toEqual([]);
  expect(await filesIn(world.workDir)).toEqual([]);
};

describe('a request that can be refused without AWS', () => {
  it.each([
    ['an unknown template', 1, { templateId: 'nobody' }, 'template.not-found'],
    ['no hosts', 0, {}, 'input.invalid'],
    ['fewer than no hosts', -1, {}, 'input.invalid'],
    ['half a host', 1.5, {}, 'input.invalid'],
    ['not a number of hosts', Number.NaN, {}, 'input.invalid'],
    ['more than maxNumber', 11, {}, 'template.limit'],
    ['far too many', 1e6, {}, 'template.limit'],
    ['a command id that is no UUID', 1, { commandId: 'seven' }, 'input.invalid'],
  ])('for %s is refused and leaves nothing behind', async (_, count, fields, code) => {
    const world = await startWorld();
    await expect(ask(world, count, fields)).rejects.toMatchObject({ code });
    await expectNothingLeft(world);
  });

  it.each([
    ['with faults', { imageId: 'no-image' }, 'template.invalid'],
    ['that allows no hosts', { maxNumber: 0 }, 'template.limit'],
  ])('from a template %s is refused and leaves nothing behind', async (_, fields, code) => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument(fields));
    await expect(ask(world, 1)).rejects.toMatchObject({ code });
    await expectNothingLeft(world);
  });

  it('says what is wrong with the template', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument({ imageId: 'no-image' }));
    await expect(ask(world, 1)).rejects.toThrow(
      /template od-a in .*awsinstprov_templates\.json: imageId must have the form/,
    );
  });

  it('without a limit of its own is refused above the 10,000 of IBM’s format', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument({ maxNumber: -1 }));
    await expect(ask(world, 10_001)).rejects.toMatchObject({ code: 'template.limit' });
  });
});

describe('a request', () => {
  it('is launched in one call and answered with its id and what was granted', async () => {
    const world = await startWorld();
    const answer = await ask(world, 3);
    expect(answer).toMatchObject({ requestId: createIdOf(uuid(1)), message: '3 of 3 machines granted.' });
    expect(world.capacity.launches).toMatchObject([{ clientToken: `${answer.requestId}.0`, count: 3 }]);
    expect(await world.eventsOf(answer.requestId)).toEqual(['RequestCreated', 'LaunchIntended', 'CapacityGranted']);
  });

  it('is on disk, launch and all, before EC2 hears of it', async () => {
    const world = await startWorld();
    const onDisk: (readonly string[])[] = [];
    world.capacity.onLaunch = async () => {
      onDisk.push(await world.eventsOf(createIdOf(uuid(1))));
    };
    await ask(world, 1);
    expect(onDisk).toEqual([['RequestCreated', 'LaunchIntended']]);
  });

  it('keeps a copy of its template', async () => {
    const world = await startWorld();
    const { requestId } = await ask(world, 1);
    await world.writeTemplates(templateDocument({ vmType: 'c5.large' }));
    const { events } = await world.streams.load(requestId);
    expect(events[0]).toMatchObject({ template: { templateId: 'od-a', vmType: 'm5.large' } });
  });

  it('is in the ledger of its template', async () => {
    const world = await startWorld();
    const { requestId } = await ask(world, 3);
    expect(await world.live.list('od-a')).toMatchObject([{ requestId, units: 3 }]);
  });

  it('asked for twice under one command id is one request', async () => {
    const world = await startWorld();
    const first = await ask(world, 2, { commandId: uuid(77) });
    const second = await ask(world, 2, { commandId: uuid(77) });
    expect(second).toEqual(first);
    expect(world.capacity.launches).toHaveLength(1);
  });

  it('asked for twice at once under one command id launches one client token', async () => {
    const world = await startWorld();
    const answers = await Promise.all([ask(world, 2, { commandId: uuid(77) }), ask(world, 2, { commandId: uuid(77) })]);
    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(1);
    expect(world.hosts.ids()).toHaveLength(2);
    expect(await world.live.list()).toMatchObject([{ units: 2 }]);
  });
});

describe('maxNumber', () => {
  it('holds across requests', async () => {
    const world = await startWorld();
    await ask(world, 7);
    await expect(ask(world, 4)).rejects.toMatchObject({
      code: 'template.limit',
      message: expect.stringContaining('7 machines are running or on their way'),
    });
    await ask(world, 3);
    expect(world.hosts.ids()).toHaveLength(10);
  });

  it('is each template’s own', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument(), templateDocument({ templateId: 'od-b' }));
    await ask(world, 10);
    await ask(world, 10, { templateId: 'od-b' });
    expect(world.hosts.ids()).toHaveLength(20);
  });

  it('of -1 is no limit across requests', async () => {
    const world = await startWorld();
    await world.writeTemplates(templateDocument({ maxNumber: -1 }));
    await ask(world, 30);
    await ask(world, 30);
    expect(world.hosts.ids()).toHaveLength(60);
  });

  it('has room again for hosts that died without our being told', async () => {
    const world = await startWorld();
    const { requestId } = await ask(world, 10);
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    for (const id of world.hosts.ids().slice(0, 4)) world.hosts.end(id);
    await ask(world, 4);
    await expect(ask(world, 1)).rejects.toMatchObject({ code: 'template.limit' });
  });

  it('has room again for hosts that were given back', async () => {
    const world = await startWorld();
    await ask(world, 10);
    await world.service.returnMachines({ machines: world.hosts.ids().map((machineId) => ({ name: '', machineId })) });
    await ask(world, 10);
    expect(world.hosts.ids()).toHaveLength(20);
  });

  it('has room again for what a killed process left in the ledger', async () => {
    const world = await startWorld();
    const { requestId } = await ask(world, 1);
    world.hosts.boot();
    await world.service.syncRequests({ requestIds: [requestId] });
    for (const id of world.hosts.ids()) world.hosts.end(id);
    await world.service.syncRequests({ requestIds: [requestId], includeSettled: true });
    // Killed between the stream and the ledger: the stream knows of the end, the ledger does not.
    await world.live.update({ templateId: 'od-a', requestId, units: 1 });

    await ask(world, 10);
    expect(world.hosts.ids()).toHaveLength(11);
  });

  it('has room again, after a while, for a claim whose request never came to be', async () => {
    const world = await startWorld();
    await world.live.reserve({ templateId: 'od-a', requestId: createIdOf(uuid(99)), units: 10 }, 10);
    // The claim carries the file's own time: the world's clock is set behind or ahead of it.
    world.pass(Date.now() - world.now());
    await expect(ask(world, 1)).rejects.toMatchObject({ code: 'template.limit' });
    world.pass(16 * 60_000);
    await ask(world, 1);
  });
});

describe('when a subnet lacks capacity', () => {
  it('the next one is asked for what is missing, under the next client token', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'room', most: 1 });
    const { requestId, message } = await ask(world, 3);
    expect(message).toBe('3 of 3 machines granted.');
    expect(world.capacity.launches).toMatchObject([
      { clientToken: `${requestId}.0`, count: 3, call: { subnetId: 'subnet-a' } },
      { clientToken: `${requestId}.1`, count: 2, call: { subnetId: 'subnet-b' } },
    ]);
  });

  it('what came of it is on disk before the next is asked', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'room', most: 1 });
    const onDisk: (readonly string[])[] = [];
    world.capacity.onLaunch = async () => {
      onDisk.push(await world.eventsOf(createIdOf(uuid(1))));
    };
    await ask(world, 3);
    expect(onDisk[1]).toEqual([
      'RequestCreated',
      'LaunchIntended',
      'CapacityGranted',
      'CapacityRefused',
      'LaunchIntended',
    ]);
  });

  it('and none is left, part is a success that says why there is less', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'room', most: 1 });
    world.capacity.pools.set('subnet-b', {
      kind: 'refusal',
      code: 'InsufficientInstanceCapacity',
      fault: 'provider.capacity',
    });
    const { requestId, message } = await ask(world, 3);
    expect(message).toBe(
      '1 of 3 machines granted. Error Code: PartialGrant (m5.large in subnet-a): part ' +
        'Error Code: InsufficientInstanceCapacity (m5.large in subnet-b): InsufficientInstanceCapacity it is',
    );
    expect(await world.live.list()).toMatchObject([{ requestId, units: 1 }]);
  });

  it('and the next cannot be prepared, what the first gave is kept and answered', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'room', most: 1 });
    world.capacity.onPrepare = async (attempt) => {
      if (attempt === 1) throw new PluginError('provider.throttled', 'DescribeImages failed');
    };
    const { requestId, message } = await ask(world, 3);
    expect(message).toMatch(/^1 of 3 machines granted\./);
    expect(await world.eventsOf(requestId)).toContain('CapacityGranted');
  });
});

describe('when AWS gives nothing', () => {
  it.each([
    ['VcpuLimitExceeded', 'provider.quota'],
    ['UnauthorizedOperation', 'provider.denied'],
    ['InvalidAMIID.NotFound', 'provider.misconfigured'],
    ['InvalidLaunchTemplateId.NotFound', 'provider.missing'],
    ['ECONNREFUSED', 'provider.unreachable'],
  ] as const)('%s stops at the first subnet and fails with AWS’s code', async (code, fault) => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'refusal', code, fault });
    await expect(ask(world, 3)).rejects.toMatchObject({
      code: fault,
      message: expect.stringContaining(`Error Code: ${code}`),
      aws: { code, action: 'RunInstances' },
    });
    expect(world.capacity.launches).toHaveLength(1);
  });

  it('for lack of capacity all subnets are asked, and the request is out of the ledger', async () => {
    const world = await startWorld();
    const full = { kind: 'refusal', code: 'InsufficientInstanceCapacity', fault: 'provider.capacity' } as const;
    for (const subnet of ['subnet-a', 'subnet-b']) world.capacity.pools.set(subnet, full);
    await expect(ask(world, 10)).rejects.toMatchObject({ code: 'provider.capacity' });
    expect([world.capacity.launches.length, await world.live.list()]).toEqual([2, []]);
  });

  it('keeps what was granted before a quota ended it', async () => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'room', most: 2 });
    world.capacity.pools.set('subnet-b', { kind: 'refusal', code: 'VcpuLimitExceeded', fault: 'provider.quota' });
    expect((await ask(world, 3)).message).toMatch(/^2 of 3 .* Error Code: VcpuLimitExceeded/);
  });
});

describe('when nobody knows what became of a launch', () => {
  it.each([0, 2])('and %i hosts came of it, the request stays open and no other subnet is asked', async (launched) => {
    const world = await startWorld();
    world.capacity.pools.set('subnet-a', { kind: 'lost', launched });
    const { requestId, message } = await ask(world, 2);
    expect(message).toBe('0 of 2 machines granted. AWS has not confirmed the launch yet; it will be looked up.');
    expect(await world.eventsOf(requestId)).toEqual(['RequestCreated', 'LaunchIntended']);
    expect(world.capacity.launches).toHaveLength(1);
    expect(await world.live.list()).toMatchObject([{ requestId, units: 2 }]);
  });
});

describe('when a launch cannot be prepared', () => {
  it('nothing is launched and nothing is left behind', async () => {
    const world = await startWorld();
    const error = new PluginError('template.invalid', 'userDataScript cannot be read');
    world.capacity.onPrepare = async () => {
      throw error;
    };
    await expect(ask(world, 1)).rejects.toBe(error);
    await expectNothingLeft(world);
  });
});

describe('when the disk refuses the intent', () => {
  it('nothing is launched', async () => {
    const world = await startWorld();
    await mkdir(world.workDir, { recursive: true });
    await writeFile(join(world.workDir, 'requests'), '');
    await expect(ask(world, 1)).rejects.toMatchObject({ code: expect.stringMatching(/^storage\./) });
    expect(world.capacity.launches).toEqual([]);
  });
});
