import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InstanceEvent } from '../../../src/application/ports/instance-events.ts';
import { createInstanceEvents } from '../../../src/storage/instance-events.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describe('events of instances on record', () => {
  const interruption: InstanceEvent = { machineId: 'i-0a', kind: 'interruption', due: 1_000_000 };
  const ended: InstanceEvent = { machineId: 'i-0b', kind: 'ended', due: 2_000_000 };

  it('are those of the instances asked about, each once however often it is noted', async () => {
    const folder = await temporaryFolder();
    const events = createInstanceEvents(folder, () => 1_500_000);
    expect(await events.of(['i-0a'])).toEqual([]);
    await events.note([interruption, ended, interruption]);
    await createInstanceEvents(folder, () => 1_500_000).note([interruption]);
    expect(await events.of(['i-0a'])).toEqual([interruption]);
    expect(await events.of(['i-0a', 'i-0b', 'i-0c'])).toHaveLength(2);
    expect(await readdir(join(folder, 'instance-events'))).toHaveLength(2);
  });

  it('are over an hour after AWS was to act, and swept then', async () => {
    const folder = await temporaryFolder();
    let now = 1_000_000;
    const events = createInstanceEvents(folder, () => now);
    await events.note([interruption, ended]);
    now = interruption.due + 3_600_001;
    expect(await events.of(['i-0a', 'i-0b'])).toEqual([ended]);
    await events.note([]);
    expect(await readdir(join(folder, 'instance-events'))).toEqual(['i-0b~ended~2000000']);
  });

  it('are none where a file is none of theirs', async () => {
    const folder = await temporaryFolder();
    const events = createInstanceEvents(folder, () => 0);
    await events.note([interruption]);
    for (const name of ['i-0a~other~5', 'i-0a~ended~soon', 'i-0a'])
      await writeFile(join(folder, 'instance-events', name), '');
    expect(await events.of(['i-0a'])).toEqual([interruption]);
  });
});
