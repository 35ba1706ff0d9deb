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
    run: (instance: string, apply = true) => unregister({ HF_TOP: top }, home, { instance, isNamed: true, apply }),
    runUnnamed: (apply = true) => unregister({ HF_TOP: top }, home, { instance: 'awsinst', isNamed: false, apply }),
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

  it('that was ended between its two files is finished by the next that names no provider', async () => {
    const { run, runUnnamed, left, files } = await hostFactory();
    const before = await readFile(files.plugins, 'utf8');
    await run('east');
    await writeFile(files.plugins, before);
    expect(await left()).toEqual([['ibm'], ['aws', 'awsts']]);
    expect(await runUnnamed(false)).toMatchObject({ plugin: 'awsts', files: [files.plugins] });
    const done = await runUnnamed();
    expect(done).toMatchObject({ files: [files.plugins], backups: [expect.any(String)] });
    expect(done).not.toHaveProperty('instance');
    expect(await left()).toEqual([['ibm'], ['aws']]);
    await expect(runUnnamed()).rejects.toThrow('has no provider awsinst, but ibm');
  });

  it('of a name that no provider has leaves the plug-in, even where no provider runs it', async () => {
    const { run, left, files } = await hostFactory();
    const before = await readFile(files.plugins, 'utf8');
    await run('east');
    await writeFile(files.plugins, before);
    await expect(run('eats')).rejects.toThrow(
      'has no provider eats, but ibm; no provider runs plug-in awsts: without --instance it is taken out',
    );
    expect(await left()).toEqual([['ibm'], ['aws', 'awsts']]);
  });

  it('changes nothing for a provider that is not there, or runs another plug-in', async () => {
    const { run, left } = await hostFactory();
    await expect(run('west')).rejects.toThrow('has no provider west, but ibm, east');
    await expect(run('ibm')).rejects.toThrow('provider ibm runs plug-in aws, not this installation');
    expect(await left()).toEqual([
      ['ibm', 'east'],
      ['aws', 'awsts'],
    ]);
  });
});
