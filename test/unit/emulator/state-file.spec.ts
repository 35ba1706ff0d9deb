import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTagsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startEmulator } from '../../../src/emulator/server.ts';
import { idsOf, startRegion } from './region.ts';

const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'emulator-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
};

describe('the state file', () => {
  it('carries instances, tags, tokens and settings over a restart', async () => {
    const path = await folder();
    const stateFile = join(path, 'new', 'state.json');
    const first = await startRegion({ stateFile });
    const ids = idsOf(await first.run({ ClientToken: 'req-1.0', MaxCount: 2 }));
    await first.client.send(new CreateTagsCommand({ Resources: ids, Tags: [{ Key: 'seen', Value: 'yes' }] }));
    first.emulator.configure({ pendingMs: 77 });
    const before = first.emulator.instances();
    await first.emulator.close();

    const second = await startRegion({ stateFile });
    expect(second.emulator.instances()).toEqual(before);
    expect(second.emulator.settings().pendingMs).toBe(77);
    expect(idsOf(await second.run({ ClientToken: 'req-1.0', MaxCount: 2 }))).toEqual(ids);
    expect(idsOf(await second.run())).not.toContain(ids[0]);
    // A save is under way until it is closed.
    await second.emulator.close();
    expect(await readdir(join(path, 'new'))).toEqual(['state.json']);
  });

  it('is written soon after a change, not only at the end', async () => {
    const stateFile = join(await folder(), 'state.json');
    const { run } = await startRegion({ stateFile });
    const [id = ''] = idsOf(await run());
    await expect.poll(() => readFile(stateFile, 'utf8').catch(() => '')).toContain(id);
  });

  it.each([
    ['is not JSON', '{"instances": ['],
    ['is another program’s', '{"version": 3}'],
  ])('that %s is named, refused and left as it is', async (_, text) => {
    const stateFile = join(await folder(), 'state.json');
    await writeFile(stateFile, text);
    await expect(startEmulator({ stateFile })).rejects.toThrow(`emulator state file ${stateFile} is unreadable`);
    expect(await readFile(stateFile, 'utf8')).toBe(text);
  });
});
