import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createCallRecorder, type RecorderOptions } from '../../../src/recording/call-recorder.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const noon = Date.parse('2026-11-28T12:00:00Z');
const hours = 3_600_000;
const settings = { provider: 'awsinst', region: 'us-east-1', config: {}, templates: { templates: [] } };

const recording = async (options: Partial<RecorderOptions> = {}) => {
  const folder = join(await temporaryFolder(), 'recordings');
  let now = noon;
  const faults: string[] = [];
  const recorder = createCallRecorder({
    folder,
    host: 'mgmt1',
    version: '1.2.3',
    days: 7,
    bytes: 1_000_000_000,
    settings: async () => settings,
    secrets: () => ['the-known-secret'],
    failed: (why) => faults.push(why),
    now: () => now,
    ...options,
  });
  const record = async (input: unknown, answer: object = {}): Promise<void> =>
    recorder.begin('getRequestStatus', 'server').end({ ok: true, input, answer });
  const lines = async (name: string): Promise<readonly unknown[]> =>
    (await readFile(join(folder, name), 'utf8')).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  return {
    folder,
    faults,
    recorder,
    record,
    lines,
    names: () => readdir(folder),
    at: (time: number): void => {
      now = time;
    },
  };
};

it('a call is one line, of its hour and host, for its user alone, and what followed its answer another', async () => {
  const { recorder, folder, lines } = await recording();
  const call = recorder.begin('requestMachines', 'server');
  call.exchange({ action: 'RunInstances', at: noon, ms: 5, input: { MinCount: 1 }, answer: { at: new Date(noon) } });
  await call.end({ ok: false, input: { template: 1 }, answer: { message: 'no' } });
  call.exchange({ action: 'DescribeFleets', at: noon, ms: 5, input: {}, error: { code: 'x', message: 'y' } });
  await call.after();
  const [first, second, ...others] = await lines('2026-11-28T12.mgmt1.jsonl');
  expect(first).toMatchObject({
    at: '2026-11-28T12:00:00.000Z',
    version: '1.2.3',
    operation: 'requestMachines',
    input: { template: 1 },
    status: 1,
    answer: { message: 'no' },
    aws: [{ action: 'RunInstances', answer: { at: '2026-11-28T12:00:00.000Z' } }],
  });
  expect(second).toMatchObject({ after: Object(first).call, aws: [{ action: 'DescribeFleets' }] });
  expect(others).toEqual([]);
  const kept: unknown = JSON.parse(await readFile(join(folder, `settings-${Object(first).settings}.json`), 'utf8'));
  expect(kept).toEqual(settings);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

it('no secret, user data or account is written down', async () => {
  const { recorder, folder, names, faults } = await recording({
    settings: async () => ({
      ...settings,
      config: { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/grid', AWS_ROLE_EXTERNAL_ID: 'planted' },
      templates: { templates: [{ instanceTags: 'password=planted', launchTemplateSpec: { UserData: 'planted' } }] },
    }),
  });
  const call = recorder.begin('requestMachines', 'server');
  const Tags = [{ Key: 'dbPassword', Value: 'planted' }];
  const input = { LaunchTemplateData: { UserData: 'planted' }, TagSpecifications: [{ Tags }] };
  const answer = {
    OwnerId: '123456789012',
    Credentials: { SecretAccessKey: 'planted', AccessKeyId: 'ASIAPLANTED123' },
  };
  call.exchange({ action: 'CreateLaunchTemplate', at: noon, ms: 1, input, answer });
  await call.end({ ok: true, input: { note: 'the-known-secret' }, answer: { message: 'token=planted' } });
  expect(faults).toEqual([]);
  for (const name of await names())
    expect(await readFile(join(folder, name), 'utf8')).not.toMatch(/planted|known-secret|123456789012/i);
  expect(await names()).toHaveLength(2);
});

it('what is older than the days, and then what is beyond the bytes, goes; settings stay as long as calls name them', async () => {
  const { at, record, names } = await recording({ days: 1, bytes: 3000 });
  const filling = { filling: 'x '.repeat(450) };
  for (const hour of [0, 20, 22, 24, 26, 27]) {
    at(noon + hour * hours);
    await record(filling);
  }
  expect((await names()).filter((name) => name.endsWith('.jsonl'))).toEqual([
    '2026-11-29T14.mgmt1.jsonl',
    '2026-11-29T15.mgmt1.jsonl',
  ]);
  expect((await names()).filter((name) => name.startsWith('settings-'))).toHaveLength(1);
});

it('settings that no call names any more go with the last that did', async () => {
  const { at, record, names, folder } = await recording({ days: 1 });
  await mkdir(folder, { mode: 0o700 });
  const old = join(folder, 'settings-0123456789abcdef.json');
  await writeFile(old, '{}');
  await utimes(old, noon / 1000, noon / 1000);
  await record({});
  expect(await names()).toContain('settings-0123456789abcdef.json');
  at(noon + 48 * hours);
  await record({});
  expect(await names()).not.toContain('settings-0123456789abcdef.json');
});

it('a line that a killed writer has left unfinished spoils no other', async () => {
  const { record, folder, names } = await recording();
  await record({ n: 1 });
  const [name = ''] = (await names()).filter((each) => each.endsWith('.jsonl'));
  await writeFile(join(folder, name), `${await readFile(join(folder, name), 'utf8')}\n{"call":"torn`);
  await record({ n: 2 });
  const lines = (await readFile(join(folder, name), 'utf8')).split('\n').filter((line) => line !== '');
  expect(lines.map((line) => line.slice(0, 8))).toEqual(['{"call":', '{"call":', '{"call":']);
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ input: { n: 2 } });
});

it('where nothing can be written the call hears nothing of it, and the log does', async () => {
  const { folder, faults, record, recorder } = await recording();
  await writeFile(folder, 'no folder');
  await record({});
  const call = recorder.begin('requestMachines', 'server');
  call.exchange({ action: 'RunInstances', at: noon, ms: 5, input: {} });
  await call.after();
  expect(faults).toEqual([expect.stringContaining('EEXIST'), expect.stringContaining('EEXIST')]);
});
