import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostOf, type Plugin } from '../e2e/plugin.ts';

/** Copies a finished request, as its calls left it, this many times over. */
export const fillStore = async (plugin: Plugin, count: number): Promise<void> => {
  const id = await plugin.request('od', 1);
  const { machines } = await plugin.settled(id);
  await plugin.settled(await plugin.giveBack(machines.map(hostOf)));
  await plugin.status(id);
  const root = join(plugin.workDir, 'requests');
  const files = await readdir(join(root, id));
  const texts = await Promise.all(
    files.map(async (name) => [name, await readFile(join(root, id, name), 'utf8')] as const),
  );
  for (let n = 0; n < count; n++) {
    const copy = `req-${randomUUID()}`;
    await mkdir(join(root, copy));
    for (const [name, text] of texts) await writeFile(join(root, copy, name), text.replaceAll(id, copy));
  }
};
