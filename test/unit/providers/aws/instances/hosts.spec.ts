import type { Instance } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { PluginError } from '../../../../../src/domain/errors.ts';
import { createHosts } from '../../../../../src/providers/aws/instances/hosts.ts';
import type { Ec2Calls } from '../../../../../src/providers/aws/services/operations.ts';
import { clientOf } from '../../../../../src/providers/aws/wire/query-client.ts';
import { instanceIdOf } from '../../../fake-hosts.ts';
import { createFakeEc2 } from '../fake-ec2.ts';

const owner = 'hostfactory/awsinst';
const setUp = () => {
  const ec2 = createFakeEc2();
  return { ec2, hosts: createHosts({ ec2, owner, store: 'store-1', remember: (_key, _lifetime, find) => find() }) };
};
const instance = (n: number, fields: Instance = {}): Instance => ({
  InstanceId: instanceIdOf(n),
  State: { Code: 16, Name: 'running' },
  PrivateDnsName: `host-${n}`,
  Placement: { AvailabilityZone: n % 2 === 0 ? 'us-east-1a' : 'us-east-1b' },
  Tags: [{ Key: 'hf-aws:owner', Value: owner }],
  ...fields,
});
const machines = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    machineId: instanceIdOf(n),
    zone: n % 2 === 0 ? 'us-east-1a' : 'us-east-1b',
  }));

describe('retirements', () => {
  it('are those ahead, by the first of an instance: EC2 marks in words which are over', async () => {
    const at = (seconds: number) => new Date(seconds * 1000);
    const retires = (seconds: number, Description = 'is to be retired') => ({
      Code: 'instance-retirement' as const,
      Description,
      NotBefore: at(seconds),
    });
    const InstanceStatuses = [
      { InstanceId: 'i-1', Events: [retires(3), retires(2), { Code: 'instance-reboot', NotBefore: at(1) }] },
      { InstanceId: 'i-2', Events: [retires(1, '[Completed] is to be retired'), retires(1, '[Canceled] the same')] },
    ];
    const ec2 = clientOf<Ec2Calls>(async () => ({ InstanceStatuses }));
    const hosts = createHosts({ ec2, owner, store: 'store-1', remember: (_key, _lifetime, find) => find() });
    expect([...(await hosts.retirements())]).toEqual([['i-1', 2000]]);
  });
});

describe('reading hosts', () => {
  it('of 450 ids takes 3 reads, each a filter that no unknown id can spoil', async () => {
    const { ec2, hosts } = setUp();
    ec2.add(instance(7));
    ec2.add(instance(440));
    const seen = await hosts.describe(machines(450).map(({ machineId }) => machineId));
    expect(ec2.reads.map(([filter, { length }]) => [filter, length])).toEqual([
      ['instance-id', 200],
      ['instance-id', 200],
      ['instance-id', 50],
    ]);
    expect(seen.map(({ machineId }) => machineId)).toEqual([instanceIdOf(7), instanceIdOf(440)]);
  });

  it('of many ids takes a page of a thousand of ours each, and those that are not there by id', async () => {
    const { ec2, hosts } = setUp();
    const asked = machines(1200).map(({ machineId }) => machineId);
    for (let n = 0; n < 1100; n++) ec2.add(instance(n));
    // Without our tag.
    ec2.add({ ...instance(1150), Tags: [] });
    const seen = await hosts.describe(asked);
    expect(seen.map(({ machineId }) => machineId).sort()).toEqual([...asked.slice(0, 1100), asked[1150]].sort());
    expect(ec2.reads.map(([filter, { length }]) => [filter, length])).toEqual([
      ['tag:hf-aws:owner', 1],
      ['instance-id', 100],
    ]);
  });

  it('asks for an id once', async () => {
    const { ec2, hosts } = setUp();
    await hosts.describe(['i-1', 'i-1']);
    expect(ec2.reads).toEqual([['instance-id', ['i-1']]]);
  });

  it.each(['describe', 'describeByName', 'describeByRequest'] as const)(
    '%s of nothing asks nothing',
    async (method) => {
      const { ec2, hosts } = setUp();
      expect([await hosts[method]([]), ec2.reads]).toEqual([[], []]);
    },
  );

  it('finds them by private DNS name', async () => {
    const { ec2, hosts } = setUp();
    ec2.add(instance(1));
    expect(await hosts.describeByName(['host-1', 'host-2'])).toMatchObject([
      { machineId: instanceIdOf(1), ours: true },
    ]);
    expect(ec2.reads).toEqual([['private-dns-name', ['host-1', 'host-2']]]);
  });

  it.each(['x'.repeat(256), '\ud800', 'host-*', 'host-?', 'a b', ''])(
    'asks for no name that no host can have, and for the others all the same: %j',
    async (name) => {
      const { ec2, hosts } = setUp();
      ec2.add(instance(1));
      expect(await hosts.describeByName([name, 'host-1'])).toMatchObject([{ machineId: instanceIdOf(1) }]);
      expect(ec2.reads).toEqual([['private-dns-name', ['host-1']]]);
    },
  );

  it('finds what a request launched, but only what is ours', async () => {
    const { ec2, hosts } = setUp();
    const request = { Key: 'hf-aws:request-id', Value: 'req-1' };
    ec2.add(instance(1, { ClientToken: 'req-1.0', Tags: [request, { Key: 'hf-aws:owner', Value: owner }] }));
    ec2.add(instance(2, { ClientToken: 'req-1.0', Tags: [request, { Key: 'hf-aws:owner', Value: 'other/awsinst' }] }));
    expect(await hosts.describeByRequest(['req-1'])).toMatchObject([
      { machineId: instanceIdOf(1), requestId: 'req-1' },
    ]);
  });

  it('fails when any of the reads fails', async () => {
    const { ec2, hosts } = setUp();
    const error = new PluginError('provider.throttled', 'slow down');
    ec2.answers.DescribeInstances = ({ Filters = [] }) =>
      Filters[0]?.Values?.length === 200 ? {} : Promise.reject(error);
    await expect(hosts.describe(machines(250).map(({ machineId }) => machineId))).rejects.toBe(error);
    expect(await hosts.describe([])).toEqual([]);
  });
});

describe('terminating hosts', () => {
  it('goes in batches of 500', async () => {
    const { ec2, hosts } = setUp();
    for (const [n] of machines(1100).entries()) ec2.add(instance(n));
    expect((await hosts.terminate(machines(1100))).size).toBe(0);
    expect(ec2.terminations.map(({ length }) => length)).toEqual([500, 500, 100]);
    expect(machines(1100).every(({ machineId }) => ec2.stateOf(machineId) === 'shutting-down')).toBe(true);
  });

  it('of nobody asks nothing', async () => {
    const { ec2, hosts } = setUp();
    await hosts.terminate([]);
    expect(ec2.terminations).toEqual([]);
  });

  it('keeps those of one zone together, and each once', async () => {
    const { ec2, hosts } = setUp();
    for (const n of [0, 1, 2]) ec2.add(instance(n));
    await hosts.terminate([...machines(3), ...machines(1)]);
    expect(ec2.terminations).toEqual([[instanceIdOf(0), instanceIdOf(2), instanceIdOf(1)]]);
  });

  it('leaves out the ids EC2 does not know and terminates the rest', async () => {
    const { ec2, hosts } = setUp();
    for (const n of [0, 2, 4]) ec2.add(instance(n));
    const refused = await hosts.terminate(machines(5));
    expect([...refused.keys()].sort()).toEqual([instanceIdOf(1), instanceIdOf(3)]);
    expect(refused.get(instanceIdOf(1))).toContain('InvalidInstanceID.NotFound');
    expect([0, 2, 4].map((n) => ec2.stateOf(instanceIdOf(n)))).toEqual(Array(3).fill('shutting-down'));
  });

  it('terminates the others of a protected instance’s zone, and says which one was refused', async () => {
    const { ec2, hosts } = setUp();
    for (const n of [0, 1, 2, 3, 4]) ec2.add(instance(n));
    ec2.protect(instanceIdOf(2));
    ec2.protect(instanceIdOf(4));
    const refused = await hosts.terminate(machines(5));
    expect([...refused.keys()].sort()).toEqual([instanceIdOf(2), instanceIdOf(4)]);
    expect([0, 1, 2, 3, 4].map((n) => ec2.stateOf(instanceIdOf(n)))).toEqual([
      'shutting-down',
      'shutting-down',
      'running',
      'shutting-down',
      'running',
    ]);
  });

  it('asks for each by itself where EC2 names nobody', async () => {
    const { ec2, hosts } = setUp();
    for (const n of [0, 1, 2]) ec2.add(instance(n));
    ec2.terminationFault = new PluginError('provider.misconfigured', 'some may not be terminated', {
      aws: { code: 'OperationNotPermitted', action: 'TerminateInstances' },
    });
    expect((await hosts.terminate(machines(3))).size).toBe(3);
    expect(ec2.terminations.map(({ length }) => length)).toEqual([3, 1, 1, 1]);
  });

  const denied = (text: string): PluginError =>
    new PluginError('provider.denied', `TerminateInstances failed. Error Code: UnauthorizedOperation: ${text}`, {
      aws: { code: 'UnauthorizedOperation', action: 'TerminateInstances' },
    });
  /** EC2 denies every call that names one of these. */
  const denying = (ec2: ReturnType<typeof createFakeEc2>, ids: readonly string[], isNamed: boolean): void => {
    const { TerminateInstances: terminate } = ec2.answers;
    ec2.answers.TerminateInstances = (input) => {
      const [first] = (input.InstanceIds ?? []).filter((id) => ids.includes(id));
      if (first === undefined) return terminate?.(input) ?? {};
      const resource = `arn:aws:ec2:us-east-1:123456789012:instance/${first}`;
      throw denied(isNamed ? `not authorized to perform: ec2:TerminateInstances on resource: ${resource}` : 'no');
    };
  };

  it.each([
    ['names', true],
    ['does not name', false],
  ])('spares those that may not be terminated by us alone, where EC2 %s them', async (_what, isNamed) => {
    const { ec2, hosts } = setUp();
    for (const [n] of machines(100).entries()) ec2.add(instance(n));
    const spared = [instanceIdOf(7), instanceIdOf(70)];
    denying(ec2, spared, isNamed);
    const refused = await hosts.terminate(machines(100));
    expect([...refused.keys()].sort()).toEqual(spared);
    expect(refused.get(instanceIdOf(7))).toContain('UnauthorizedOperation');
    const standing = machines(100).filter(({ machineId }) => ec2.stateOf(machineId) === 'running');
    expect(standing.map(({ machineId }) => machineId)).toEqual(spared);
  });

  it.each([
    ['names', true],
    ['does not name', false],
  ])(
    'asks a bounded number of times a look for what may not be terminated, where EC2 %s them',
    async (_what, isNamed) => {
      const { ec2, hosts } = setUp();
      for (const [n] of machines(400).entries()) ec2.add(instance(n));
      const spared = Array.from({ length: isNamed ? 30 : 5 }, (_, n) => instanceIdOf(n * 11));
      denying(ec2, spared, isNamed);
      let asked = 0;
      const { TerminateInstances: terminate } = ec2.answers;
      ec2.answers.TerminateInstances = (input) => {
        asked++;
        return terminate?.(input) ?? {};
      };
      const standing = () => machines(400).filter(({ machineId }) => ec2.stateOf(machineId) === 'running');
      const unnamed = new Set(machines(400).map(({ machineId }) => machineId));
      for (let look = 1; look <= 6; look++) {
        asked = 0;
        // What was refused by itself is asked for apart.
        const refused = await hosts.terminate(standing().filter(({ machineId }) => unnamed.has(machineId)));
        for (const [id, reason] of refused) if (reason.startsWith('TerminateInstances')) unnamed.delete(id);
        expect([...refused.keys()].every((id) => ec2.stateOf(id) === 'running')).toBe(true);
        expect(asked).toBeLessThanOrEqual(31);
      }
      expect(standing().map(({ machineId }) => machineId)).toEqual(spared);
    },
  );

  it.each([
    ['names', true],
    ['does not name', false],
  ])('gives up soon when all are denied, where EC2 %s them', async (_what, isNamed) => {
    const { ec2, hosts } = setUp();
    let asked = 0;
    ec2.answers.TerminateInstances = ({ InstanceIds: [first = ''] = [] }) => {
      asked++;
      throw denied(isNamed ? `on resource: arn:aws:ec2:us-east-1:123456789012:instance/${first}` : 'no');
    };
    await expect(hosts.terminate(machines(400))).rejects.toMatchObject({ code: 'provider.denied' });
    expect(asked).toBe(5);
  });

  it('fails as a whole when none may be terminated by us', async () => {
    const { ec2, hosts } = setUp();
    ec2.terminationFault = denied('no');
    await expect(hosts.terminate(machines(3))).rejects.toBe(ec2.terminationFault);
  });

  it.each(['provider.throttled', 'provider.transient', 'provider.denied'] as const)(
    'fails as a whole when the call as a whole is %s',
    async (code) => {
      const { ec2, hosts } = setUp();
      ec2.add(instance(0));
      ec2.terminationFault = new PluginError(code, 'no', { aws: { code: 'Whatever', action: 'TerminateInstances' } });
      await expect(hosts.terminate(machines(1))).rejects.toBe(ec2.terminationFault);
      expect(ec2.terminations).toHaveLength(1);
    },
  );
});

describe('tagging hosts with their own id', () => {
  it('includes their volumes, one call per host', async () => {
    const { ec2, hosts } = setUp();
    ec2.add(instance(1, { BlockDeviceMappings: [{ Ebs: { VolumeId: 'vol-1' } }, { Ebs: { VolumeId: 'vol-2' } }] }));
    ec2.add(instance(2));
    await hosts.tagWithOwnId([instanceIdOf(1), instanceIdOf(2)]);
    expect(ec2.tagged).toEqual([
      [[instanceIdOf(1), 'vol-1', 'vol-2'], [{ Key: 'InstanceID', Value: instanceIdOf(1) }]],
      [[instanceIdOf(2)], [{ Key: 'InstanceID', Value: instanceIdOf(2) }]],
    ]);
  });
});
