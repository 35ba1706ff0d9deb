import { describe, expect, it } from 'vitest';
import { sharingLooks } from '../../../../src/application/life-cycle/shared-looks.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import { createFakeHosts } from '../../fake-hosts.ts';

const start = () => {
  const hosts = createFakeHosts();
  let release: () => void = () => undefined;
  let held: Promise<void> | undefined;
  const slow = {
    ...hosts,
    describe: async (ids: readonly string[]) => {
      const seen = hosts.describe(ids);
      await held;
      return seen;
    },
  };
  const hold = (): void => {
    held = new Promise((resolve) => {
      release = resolve;
    });
  };
  return { hosts, slow, hold, let: () => release() };
};

describe('looks by several calls of one process', () => {
  it('are one where they come together, and each sees what it asked for', async () => {
    const { hosts } = start();
    const [a, b] = [hosts.add(), hosts.add()];
    const looks = sharingLooks(
      async () => hosts,
      () => undefined,
    );
    const seen = await Promise.all([looks.describe([a]), looks.describe([b, a]), looks.describe([])]);
    expect(seen.map((each) => each.map(({ machineId }) => machineId).sort())).toEqual([[a], [a, b].sort(), []]);
    expect(hosts.calls).toEqual([['describe', [a, b]]]);
  });

  it('are never answered by a look that began before', async () => {
    const { hosts, slow, hold, let: release } = start();
    const id = hosts.add();
    const looks = sharingLooks(
      async () => slow,
      () => undefined,
    );
    hold();
    const first = looks.describe([id]);
    await expect.poll(() => hosts.calls.length).toBe(1);
    hosts.end(id);
    const later = looks.describe([id]);
    release();
    expect((await first)[0]?.state).toBe('running');
    expect((await later)[0]?.state).not.toBe('running');
  });

  it('do not wait long for one that takes its time', async () => {
    const { hosts, slow, hold, let: release } = start();
    const [a, b] = [hosts.add(), hosts.add()];
    const looks = sharingLooks(
      async () => slow,
      () => undefined,
    );
    hold();
    const both = [looks.describe([a])];
    await expect.poll(() => hosts.calls.length).toBe(1);
    both.push(looks.describe([b]));
    await expect.poll(() => hosts.calls.length).toBe(2);
    release();
    await Promise.all(both);
  });

  it('fail together, and only the call whose time is over fails alone', async () => {
    const { hosts, slow, hold, let: release } = start();
    const id = hosts.add();
    const ended = new AbortController();
    let signal: AbortSignal | undefined = ended.signal;
    const looks = sharingLooks(
      async () => slow,
      () => signal,
    );
    hold();
    const mine = looks.describe([id]);
    signal = undefined;
    const other = looks.describe([id]);
    await expect.poll(() => hosts.calls.length).toBe(1);
    ended.abort(new Error('the call was ended by SIGTERM'));
    await expect(mine).rejects.toMatchObject({ code: 'provider.transient', message: 'the call was ended by SIGTERM' });
    release();
    expect(await other).toHaveLength(1);
    hosts.failWith(new PluginError('provider.throttled', 'slow down'), 'describe');
    const all = await Promise.allSettled([looks.describe([id]), looks.describe([id])]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
