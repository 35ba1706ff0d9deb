import { readFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hostOf, type Json, type MachineEntry, tablesAt } from '../e2e/plugin.ts';
import { thirdOf } from '../random.ts';
import { balanced, createGrid, type Grid } from './grid.ts';
import { templatesOf } from './kinds.ts';
import { count } from './tally.ts';

const [second, minute] = [1000, 60_000];

let grid: Grid;
afterEach(() => grid.close());

type Faults = Parameters<Grid['backend']['emulator']['addFault']>[0];
const error = (code: string, times: Faults['times'] = 'always', httpStatus = 400): Faults => ({
  action: 'RunInstances',
  times,
  effect: { kind: 'error', code, httpStatus },
});
const cut = (kind: 'drop-before' | 'drop-after', times: Faults['times'] = 1): Faults => ({
  action: 'RunInstances',
  times,
  effect: { kind },
});

interface Row {
  readonly kind?: string;
  readonly fault?: Faults;
  readonly settings?: Parameters<Grid['backend']['emulator']['configure']>[0];
  readonly config?: Json;
  readonly wanted?: number;
  /** What Host Factory sees: the exit status and part of the message. */
  readonly exit: 0 | 1;
  readonly message: string | RegExp;
  readonly calls: Readonly<Record<string, number>>;
  /** Machines in the end, once the fault is over. */
  readonly machines: number;
}

const begin = async (kind: string, config: Json = {}): Promise<void> => {
  grid = await createGrid(templatesOf(kind), config);
  grid.takeTurns();
  const zones = { 'subnet-0000000000000000f': 'us-east-1a', 'subnet-00000000000000001': 'us-east-1b' };
  const subnets = Object.fromEntries(Object.entries(zones).map(([id, zone]) => [id, { zone, vpc: 'vpc-1' }]));
  grid.backend.emulator.configure({ subnets, invisibleForCalls: 0 });
};
const inject = (fault: Faults | undefined): void => {
  count({ 'faults injected': 1 });
  if (fault !== undefined) grid.backend.emulator.addFault(fault);
};
const standing = async (): Promise<readonly string[]> => [
  ...(await grid.backend.instanceIds('pending', 'running', 'stopping', 'stopped')),
];
const ready = async (kind = 'RunInstances', wanted = 3): Promise<readonly MachineEntry[]> => {
  await begin(kind);
  await grid.hf.ask(kind, wanted);
  await grid.hf.settle();
  grid.backend.emulator.forgetCalls();
  return [...grid.hf.held.values()];
};
const one = async (requestId: string) => {
  const [entry] = await grid.plugin.status(requestId);
  if (entry === undefined) throw new Error(`no entry for ${requestId}`);
  return entry;
};

const oneSubnet = { RunInstances: 1 };
const bothSubnets = { RunInstances: 2 };
const refused = (code: string, calls: Readonly<Record<string, number>>, httpStatus = 400): [string, Row] => [
  code,
  { fault: error(code, 'always', httpStatus), exit: 1, message: `Error Code: ${code}`, calls, machines: 0 },
];

const capacityCodes =
  'InsufficientHostCapacity InsufficientReservedInstanceCapacity ReservationCapacityExceeded UnfulfillableCapacity InsufficientCapacity InsufficientFreeAddressesInSubnet SpotMaxPriceTooLow Unsupported';
const finalCodes =
  'VcpuLimitExceeded InstanceLimitExceeded MaxSpotInstanceCountExceeded MaxFleetCountExceeded VolumeLimitExceeded AddressLimitExceeded PendingVerification UnauthorizedOperation AuthFailure OptInRequired Blocked ExpiredToken InvalidAMIID.NotFound InvalidSubnetID.NotFound InvalidGroup.NotFound InvalidKeyPair.NotFound MissingParameter InvalidParameterCombination';

/** What AWS refuses is the same wherever the state is. */
const codesIn = (text: string): readonly string[] =>
  tablesAt === undefined ? text.split(' ') : thirdOf(text.split(' '), text);

const unconfirmed = 'not confirmed';
const granted = '2 of 2 machines granted.';
const rows: readonly (readonly [string, Row])[] = [
  [
    'a burst of throttling',
    {
      fault: error('RequestLimitExceeded', 2, 503),
      exit: 0,
      message: granted,
      calls: { RunInstances: 3 },
      machines: 2,
    },
  ],
  [
    'throttling for ever',
    {
      fault: error('RequestLimitExceeded', 'always', 503),
      exit: 0,
      message: 'AWS throttled the launch; it will be sent again',
      calls: { RunInstances: 3 },
      machines: 2,
    },
  ],
  [
    'a 500',
    { fault: error('InternalError', 1, 500), exit: 0, message: granted, calls: { RunInstances: 2 }, machines: 2 },
  ],
  [
    'a 503',
    { fault: error('Unavailable', 1, 503), exit: 0, message: granted, calls: { RunInstances: 2 }, machines: 2 },
  ],
  [
    '500s for ever',
    {
      fault: error('InternalError', 'always', 500),
      exit: 0,
      message: unconfirmed,
      calls: { RunInstances: 3 },
      machines: 2,
    },
  ],
  [
    'a connection dropped before the action',
    { fault: cut('drop-before'), exit: 0, message: granted, calls: { RunInstances: 2 }, machines: 2 },
  ],
  [
    'a connection dropped after the action',
    { fault: cut('drop-after'), exit: 0, message: granted, calls: { RunInstances: 2 }, machines: 2 },
  ],
  [
    'every connection dropped before the action',
    { fault: cut('drop-before', 'always'), exit: 0, message: unconfirmed, calls: { RunInstances: 3 }, machines: 2 },
  ],
  [
    'every connection dropped after the action',
    { fault: cut('drop-after', 'always'), exit: 0, message: unconfirmed, calls: { RunInstances: 3 }, machines: 2 },
  ],
  [
    'no connection at all',
    {
      config: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      exit: 1,
      message: /ECONNREFUSED.*check AWS_ENDPOINT_URL/,
      calls: {},
      machines: 0,
    },
  ],
  [
    'an answer after the time of the call',
    {
      config: { actionTimeoutSeconds: 5 },
      fault: { action: 'RunInstances', effect: { kind: 'delay', ms: 4500 } },
      exit: 0,
      message: unconfirmed,
      calls: { RunInstances: 1 },
      machines: 2,
    },
  ],
  [
    'credentials that are not there',
    {
      config: { AWS_CREDENTIAL_FILE: '/nowhere' },
      exit: 1,
      message: 'AWS_CREDENTIAL_FILE cannot be read',
      calls: {},
      machines: 0,
    },
  ],
  [
    'a signature that AWS calls expired',
    {
      fault: error('RequestExpired'),
      exit: 1,
      message: 'temporary credentials have expired, or the clock of this host is wrong',
      calls: oneSubnet,
      machines: 0,
    },
  ],
  [
    'an action that is denied',
    {
      settings: { deniedActions: ['RunInstances'] },
      exit: 1,
      message: 'ec2:RunInstances',
      calls: oneSubnet,
      machines: 0,
    },
  ],
  refused('InsufficientInstanceCapacity', bothSubnets, 500),
  ...codesIn(capacityCodes).map((code) => refused(code, bothSubnets)),
  ...codesIn(finalCodes).map((code) => refused(code, oneSubnet)),
  [
    'part of it in each subnet',
    {
      settings: { capacity: { 'm5.large:*': 1 } },
      wanted: 3,
      exit: 0,
      message: /2 of 3 machines granted.*PartialGrant/,
      calls: bothSubnets,
      machines: 2,
    },
  ],
  [
    'an EC2 fleet answering with errors alone',
    {
      kind: 'instant',
      settings: { capacity: { 'm5.large:*': 0 } },
      exit: 1,
      message: 'Error Code: InsufficientInstanceCapacity',
      calls: { DescribeSubnets: 1, CreateLaunchTemplate: 1, CreateFleet: 1 },
      machines: 0,
    },
  ],
  [
    'an EC2 fleet whose answer is lost',
    {
      kind: 'instant',
      fault: { action: 'CreateFleet', effect: { kind: 'drop-after' } },
      exit: 0,
      message: granted,
      calls: { DescribeSubnets: 1, CreateLaunchTemplate: 1, CreateFleet: 2 },
      machines: 2,
    },
  ],
  [
    'an EC2 fleet whose answers are all lost',
    {
      kind: 'instant',
      fault: { action: 'CreateFleet', times: 'always', effect: { kind: 'drop-after' } },
      exit: 0,
      message: unconfirmed,
      calls: { DescribeSubnets: 1, CreateLaunchTemplate: 1, CreateFleet: 3 },
      machines: 2,
    },
  ],
];

describe('a request meets', () => {
  it.each(rows)('%s', async (_name, row) => {
    const { kind = 'RunInstances', fault, settings, config, wanted = 2, exit, message, calls, machines } = row;
    await begin(kind, config);
    const { emulator } = grid.backend;
    emulator.configure(settings ?? {});
    inject(fault);
    const outcome = await grid.plugin.call('requestMachines', { template: { templateId: kind, machineCount: wanted } });
    expect(outcome.exitCode, outcome.stdout).toBe(exit);
    expect(outcome.body['message']).toMatch(message);
    expect(grid.calls()).toEqual(calls);
    expect('requestId' in outcome.body).toBe(exit === 0);

    if (fault?.effect.kind === 'delay')
      await expect.poll(() => emulator.instances().length, { timeout: 10_000 }).toBe(2);
    emulator.clearFaults();
    if (exit === 0) grid.hf.accept(outcome.body, machines);
    await grid.hf.settle();
    expect(grid.hf.held.size).toBe(machines);
    expect(await grid.hf.books()).toMatchObject({ lost: [], leaked: [], double: [] });
    expect(emulator.instances()).toHaveLength(machines);
  });
});

describe('a return meets', () => {
  it('an id that EC2 does not know, one that is none, and a protected machine: the others go', async () => {
    const machines = await ready();
    const [guarded, ...others] = machines;
    grid.backend.emulator.setInstance(`${guarded?.machineId}`, { protected: true });
    inject(undefined);
    const strange = [
      { machineId: 'i-0fedcba9876543210', name: '' },
      { machineId: 'i-nonsense', name: '' },
    ];
    const returnId = await grid.plugin.giveBack([...strange, ...machines.map(hostOf)]);
    grid.pass(150 * second);
    await one(returnId);
    const entry = await one(returnId);
    expect(entry.status).toBe('running');
    const resultOf = (id: string) => entry.machines.find(({ machineId }) => machineId === id);
    for (const { machineId } of others) expect(resultOf(machineId)?.result).toBe('succeed');
    expect(resultOf(`${guarded?.machineId}`)).toMatchObject({ result: 'executing', status: 'running' });
    expect(resultOf(`${guarded?.machineId}`)?.message).toContain('OperationNotPermitted');
    expect(await standing()).toEqual([guarded?.machineId]);

    grid.backend.emulator.setInstance(`${guarded?.machineId}`, { protected: false });
    await one(returnId);
    grid.pass(150 * second);
    await one(returnId);
    grid.pass(150 * second);
    expect((await one(returnId)).status).toBe('complete');
    expect(await standing()).toEqual([]);
  });

  it.each([
    ['throttling', { kind: 'error', code: 'RequestLimitExceeded', httpStatus: 503 }],
    ['lost answers', { kind: 'drop-after' }],
    ['lost calls', { kind: 'drop-before' }],
    ['a denial', { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 }],
  ] as const)('%s: it has an id, says so, and is done at the next status', async (_name, effect) => {
    const machines = await ready();
    inject({ action: 'TerminateInstances', times: 'always', effect });
    const { exitCode, body } = await grid.plugin.call('requestReturnMachines', { machines: machines.map(hostOf) });
    expect(exitCode).toBe(0);
    expect(body['message']).toContain('TerminateInstances failed');
    expect(Object.keys(grid.calls())).toEqual(['DescribeInstances', 'TerminateInstances']);
    grid.backend.emulator.clearFaults();
    grid.hf.acceptReturn(body, machines);
    await grid.hf.settle();
    expect(await standing()).toEqual([]);
  });
});

describe('EC2 that cannot be read', () => {
  it.each([
    ['throttled', { kind: 'error', code: 'RequestLimitExceeded', httpStatus: 503 }],
    ['broken', { kind: 'error', code: 'InternalError', httpStatus: 500 }],
    ['denied', { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 }],
    ['cut off', { kind: 'drop-before' }],
  ] as const)('%s: nobody is told that a host is gone', async (_name, effect) => {
    const machines = await ready();
    const requestId = await grid.hf.ask('RunInstances');
    inject({ action: 'DescribeInstances', times: 'always', effect });
    grid.pass(30 * second);
    const { exitCode, body } = await grid.plugin.call('getReturnRequests', { machines: machines.map(hostOf) });
    expect([exitCode, body['requests']]).toEqual([0, []]);
    expect(await one(requestId)).toMatchObject({
      status: 'running',
      message: expect.stringContaining('Not verified with EC2'),
      machines: [{ result: 'executing' }],
    });
    grid.backend.emulator.clearFaults();
    await grid.hf.settle();
    expect(grid.hf.held.size).toBe(4);
  });

  it('forgetting an id for some calls: it stays under way, then it is there', async () => {
    await begin('RunInstances');
    grid.backend.emulator.configure({ invisibleForCalls: 3 });
    const requestId = await grid.hf.ask('RunInstances');
    for (let n = 0; n < 3; n++) {
      grid.pass(30 * second);
      expect(await one(requestId)).toMatchObject({ status: 'running', machines: [{ result: 'executing' }] });
    }
    expect(await one(requestId)).toMatchObject({ status: 'complete', machines: [{ result: 'succeed' }] });
  });

  it('giving no name for some calls: the host is not handed out before it has one', async () => {
    await begin('RunInstances');
    grid.backend.emulator.configure({ nameAfterMs: 100 * second });
    const requestId = await grid.hf.ask('RunInstances');
    grid.pass(60 * second);
    expect(await one(requestId)).toMatchObject({
      status: 'running',
      machines: [{ result: 'executing', status: 'running', name: '' }],
    });
    grid.pass(60 * second);
    expect((await one(requestId)).machines).toMatchObject([{ result: 'succeed', name: expect.stringMatching(/^ip-/) }]);
  });
});

describe('a machine that', () => {
  it('stays pending too long is terminated and told as failed', async () => {
    await begin('RunInstances');
    grid.backend.emulator.configure({ pendingMs: 1000 * minute });
    const requestId = await grid.hf.ask('RunInstances', 2);
    grid.pass(179 * second);
    expect((await one(requestId)).status).toBe('running');
    grid.pass(2 * second);
    await one(requestId);
    grid.pass(60 * second);
    const entry = await one(requestId);
    expect(entry.status).toBe('complete_with_error');
    expect(
      entry.machines.map(({ result, message }) => [result, /AWS_INSTANCE_PENDING_TIMEOUT_SEC/.test(message)]),
    ).toEqual([
      ['fail', true],
      ['fail', true],
    ]);
    expect(await standing()).toEqual([]);
  });

  it('dies while the request runs is told with the reason, the others are handed out', async () => {
    await begin('RunInstances');
    const requestId = await grid.hf.ask('RunInstances', 2);
    const [dead] = await standing();
    grid.backend.emulator.setInstance(`${dead}`, { state: 'terminated', reasonCode: 'Server.InternalError' });
    grid.pass(60 * second);
    const entry = await one(requestId);
    expect(entry.status).toBe('complete');
    expect(entry.machines.find(({ machineId }) => machineId === dead)).toMatchObject({
      result: 'fail',
      message: expect.stringContaining('Server.InternalError'),
    });
    expect(await standing()).toHaveLength(1);
  });
});

it('a fleet that never fulfils ends with its time, and says why', async () => {
  await begin('request');
  grid.backend.emulator.configure({ capacity: { 'm5.large:*': 0 } });
  const requestId = await grid.hf.ask('request', 2);
  grid.pass(29 * minute);
  expect((await one(requestId)).status).toBe('running');
  grid.pass(2 * minute);
  expect(await one(requestId)).toMatchObject({
    status: 'complete_with_error',
    machines: [],
    message: expect.stringContaining('0 of 2 machines granted'),
  });
  expect(await grid.backend.resources()).toEqual([]);
});

// What a host keeps beside the state in a table is found out anew where it is not there.
it.runIf(tablesAt !== undefined).each(['ENOSPC', 'EROFS'])(
  'a disk that takes no more hinders nobody whose state is in a table: %s',
  async (code) => {
    await begin('maintain');
    await grid.troubleDisk(`${code}:1`);
    inject(undefined);
    await grid.hf.ask('maintain', 2);
    await grid.hf.settle();
    await grid.hf.rest();
    expect(grid.hf.held.size).toBe(2);
    await grid.hf.giveBack([...grid.hf.held.values()]);
    await grid.hf.settle();
    grid.pass(minute);
    expect(await grid.hf.books()).toEqual(balanced);
  },
);

describe.skipIf(tablesAt !== undefined)('a disk that takes no more', () => {
  it.each(['ENOSPC', 'EROFS'])('%s, from whatever write on: nothing is lost, leaked or doubled', async (code) => {
    await begin('RunInstances');
    let refusals = 0;
    for (let from = 1; ; from++) {
      await grid.troubleDisk(`${code}:${from}`);
      inject(undefined);
      const before = grid.backend.emulator.instances().length;
      const { exitCode, body } = await grid.plugin.call('requestMachines', {
        template: { templateId: 'RunInstances', machineCount: 1 },
      });
      await grid.troubleDisk('');
      if (exitCode === 0) grid.hf.accept(body, 1);
      else {
        expect(body['message']).toMatch(new RegExp(`cannot (write|write the ledger at) .*${code}`));
        expect(grid.backend.emulator.instances()).toHaveLength(before);
        refusals += 1;
      }
      if (exitCode === 0 && !String(body['message']).includes(unconfirmed)) break;
    }
    expect(refusals).toBeGreaterThan(2);
    await grid.hf.rest();
    expect(await grid.hf.books()).toMatchObject({ lost: [], leaked: [], double: [], unreadable: [] });
  });

  it.each(['RunInstances', 'maintain'])(
    'still lets hosts go, and says that the return is not on record: %s',
    async (kind) => {
      const machines = await ready(kind);
      await grid.troubleDisk('ENOSPC:1');
      inject(undefined);
      const { exitCode, body } = await grid.plugin.call('requestReturnMachines', { machines: machines.map(hostOf) });
      expect([exitCode, body]).toEqual([
        0,
        { requestId: expect.stringMatching(/^ret-/), message: expect.stringContaining('ENOSPC') },
      ]);
      await grid.troubleDisk('');
      grid.pass(minute);
      expect(await standing()).toEqual([]);
      expect(grid.backend.emulator.instances()).toHaveLength(machines.length);
      await grid.hf.giveBack(machines);
      await grid.hf.settle();
    },
  );
});

it.skipIf(tablesAt !== undefined)(
  'a truncated document is named; set aside, the state before it stands and EC2 tells the rest',
  async () => {
    await begin('RunInstances');
    const requestId = await grid.hf.ask('RunInstances', 2);
    const folder = join(grid.plugin.workDir, 'requests', requestId);
    const last =
      (await grid.plugin.state())
        .filter((file) => file.startsWith(folder))
        .sort()
        .at(-1) ?? '';
    const whole = await readFile(last, 'utf8');
    await truncate(last, Math.floor(whole.length / 2));
    inject(undefined);
    const entry = await one(requestId);
    expect(entry).toMatchObject({ status: 'running', machines: [], message: expect.stringContaining(last) });
    expect(await readFile(last, 'utf8')).toBe(whole.slice(0, Math.floor(whole.length / 2)));
    await rename(last, `${last}.damaged`);
    await grid.hf.settle();
    expect(grid.hf.held.size).toBe(2);
    expect(grid.backend.emulator.instances()).toHaveLength(2);
  },
);

describe('a clock that is set back by two hours', () => {
  it('after the answer of a launch was lost: it is found all the same', async () => {
    await begin('RunInstances');
    inject(cut('drop-after', 'always'));
    await grid.hf.ask('RunInstances', 2);
    grid.backend.emulator.clearFaults();
    grid.setClockApart(-120 * minute);
    await grid.hf.settle();
    expect(grid.hf.held.size).toBe(2);
    expect(grid.backend.emulator.instances()).toHaveLength(2);
  });

  it('takes no host for gone and releases nothing', async () => {
    const machines = await ready();
    grid.setClockApart(-120 * minute);
    inject(undefined);
    expect(await grid.hf.reclaim()).toEqual([]);
    await grid.hf.rest();
    expect(await standing()).toHaveLength(machines.length);
  });
});
