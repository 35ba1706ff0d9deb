import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unregister } from '../../../src/setup/unregister.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Host Factory's files, in which `east` and perhaps others run the plug-in of this installation. */
const hostFactory = async (...others: readonly string[]) => {
  const top = await temporaryFolder();
  const home = join(top, 'plugin');
  const files = {
    plugins: join(top, 'conf/providerplugins/hostProviderPlugins.json'),
    providers: join(top, 'conf/providers/hostProviders.json'),
  };
  await mkdir(join(home, 'scripts'), { recursive: true });
  for (const file of Object.values(files)) await mkdir(join(file, '..'), { recursive: true });
  const providerplugins = [
    { name: 'aws', scriptPath: '/opt/ibm/scripts/' },
    { name: 'awsts', scriptPath: join(home, 'scripts') },
  ];
  const providers = [{ name: 'ibm', plugin: 'aws' }, ...['east', ...others].map((name) => ({ name, plugin: 'awsts' }))];
  await writeFile(files.plugins, JSON.stringify({ version: 2, providerplugins }));
  await writeFile(files.providers, JSON.stringify({ version: 2, providers }));
  const namesIn = async (file: string, list: string): Promise<readonly string[]> =>
    JSON.parse(await readFile(file, 'utf8'))[list].map(({ name }: { readonly name: string }) => name);
  return {
    files,
    run: (instance: string, apply = true) => unregister({ HF_TOP: top }, home, { instance, apply }),
    left: async () => [await namesIn(files.providers, 'providers'), await namesIn(files.plugins, 'providerplugins')],
  };
};

describe('unregister', () => {
  it('takes the provider out, and the plug-in where no other provider runs it', async () => {
    const alone = await hostFactory();
    expect(await alone.run('east')).toMatchObject({
      plugin: 'awsts',
      files: [alone.files.providers, alone.files.plugins],
    });
    expect(await alone.left()).toEqual([['ibm'], ['aws']]);
    const shared = await hostFactory('west');
    expect(await shared.run('east')).not.toHaveProperty('plugin');
    expect(await shared.left()).toEqual([
      ['ibm', 'west'],
      ['aws', 'awsts'],
    ]);
  });

  it('that was ended between its two files is finished by the next', async () => {
    const { run, left, files } = await hostFactory();
    const before = await readFile(files.plugins, 'utf8');
    await run('east');
    await writeFile(files.plugins, before);
    expect(await left()).toEqual([['ibm'], ['aws', 'awsts']]);
    expect(await run('east', false)).toMatchObject({ plugin: 'awsts', files: [files.plugins] });
    expect(await run('east')).toMatchObject({ files: [files.plugins], backups: [expect.any(String)] });
    expect(await left()).toEqual([['ibm'], ['aws']]);
    await expect(run('east')).rejects.toThrow('has no provider east');
  });

  it('changes nothing for a provider that is not there, or runs another plug-in', async () => {
    const { run, left } = await hostFactory();
    await expect(run('west')).rejects.toThrow('has no provider west');
    await expect(run('ibm')).rejects.toThrow('provider ibm runs plug-in aws, not this installation');
    expect(await left()).toEqual([
      ['ibm', 'east'],
      ['aws', 'awsts'],
    ]);
  });
});
