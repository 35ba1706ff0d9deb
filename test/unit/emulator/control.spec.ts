import { describe, expect, it } from 'vitest';
import { idsOf, startRegion } from './region.ts';

const startControlled = async () => {
  const region = await startRegion();
  const control = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(`${region.emulator.url}/_emulator/${path}`, init);
    return { status: response.status, body: (await response.json()) as unknown };
  };
  return { ...region, control };
};

describe('the control routes', () => {
  it('tell the calls, with user data shortened, and their number', async () => {
    const { control, run, describe } = await startControlled();
    await run({ UserData: Buffer.from('secret '.repeat(50)).toString('base64') });
    await describe({ InstanceIds: ['i-00000000'] }).catch(() => undefined);

    expect(await control('GET', 'calls')).toMatchObject({
      status: 200,
      body: [
        {
          seq: 1,
          action: 'RunInstances',
          at: Date.UTC(2026, 0, 1),
          httpStatus: 200,
          parameters: { MinCount: '1', UserData: expect.stringMatching(/^.{24}\.\.\. \(468 characters\)$/) },
        },
        { seq: 2, action: 'DescribeInstances', httpStatus: 400, errorCode: 'InvalidInstanceID.NotFound' },
      ],
    });
    expect(await control('GET', 'calls/count')).toMatchObject({ body: { RunInstances: 1, DescribeInstances: 1 } });
    await control('DELETE', 'calls');
    expect(await control('GET', 'calls')).toMatchObject({ body: [] });
  });

  it('make, tell and clear faults', async () => {
    const { control, describe } = await startControlled();
    await control('POST', 'faults', { times: 'always', effect: { kind: 'error', code: 'Unavailable' } });
    await expect(describe()).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await control('GET', 'faults')).toMatchObject({ body: [{ matched: 1, fired: 1 }] });
    await control('DELETE', 'faults');
    expect(await describe()).toEqual([]);
  });

  it('change settings, those named and no others', async () => {
    const { control, emulator } = await startControlled();
    await control('PATCH', 'settings', { pendingMs: 5, capacity: { 'm5.large:*': 1 } });
    expect(emulator.settings()).toMatchObject({ pendingMs: 5, capacity: { 'm5.large:*': 1 }, stoppingMs: 1000 });
    expect(await control('GET', 'settings')).toMatchObject({ body: { pendingMs: 5 } });
  });

  it('tell and change instances, and reset the world', async () => {
    const { control, run } = await startControlled();
    const [id = ''] = idsOf(await run());
    await control('POST', `instances/${id}`, { protected: true });
    await control('POST', `instances/${id}`, { state: 'stopped' });
    expect(await control('GET', 'instances')).toMatchObject({ body: [{ id, state: 'stopped', protected: true }] });
    await control('POST', 'reset');
    expect(await control('GET', 'instances')).toMatchObject({ body: [] });
  });

  it.each([
    ['PATCH', 'settings', { pendingMs: 'long' }, /'pendingMs' must be milliseconds/],
    ['PATCH', 'settings', { color: 'red' }, /unknown setting 'color'/],
    ['PATCH', 'settings', { capacity: { 'm5.large': 1 } }, /type:zone/],
    ['PATCH', 'settings', undefined, /JSON object/],
    ['POST', 'faults', { effect: { kind: 'explode' } }, /a fault rule is/],
    ['POST', 'faults', { nth: 0, effect: { kind: 'hang' } }, /a fault rule is/],
    ['POST', 'faults', { effect: { kind: 'error', code: 'Unavailable', status: 503 } }, /a fault rule is/],
    ['POST', 'faults', { after: 2, effect: { kind: 'hang' } }, /a fault rule is/],
    ['POST', 'instances/i-00000000', { state: 'running' }, /no instance 'i-00000000'/],
    ['POST', 'instances/i-00000000', { state: 'asleep' }, /an instance change is/],
  ])('refuse %s %s %j', async (method, path, body, message) => {
    const { control } = await startControlled();
    expect(await control(method, path, body)).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(message) },
    });
  });

  it('say which routes there are to who asks for another', async () => {
    const { control } = await startControlled();
    expect(await control('GET', 'nowhere')).toMatchObject({
      status: 404,
      body: { message: expect.stringMatching(/PATCH settings/) },
    });
  });
});
