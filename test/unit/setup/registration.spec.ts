import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProvider, registeredProviders } from '../../../src/setup/registration.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const entry = (name: string, plugin = 'awsts', more: object = {}): object => ({
  name,
  enabled: 1,
  plugin,
  confPath: `\${HF_CONFDIR}/providers/${name}/`,
  workPath: `\${HF_WORKDIR}/providers/${name}/`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Host Factory's own notation
  logPath: '${HF_LOGDIR}/',
  ...more,
});

/** Host Factory's folder with these providers; the plug-in `awsts` is the installation. */
const hostFactory = async (...providers: readonly object[]) => {
  const top = await temporaryFolder();
  const home = join(top, '1.2', 'providerplugins', 'awsts');
  for (const folder of ['conf/providerplugins', 'conf/providers']) await mkdir(join(top, folder), { recursive: true });
  await mkdir(join(home, 'scripts'), { recursive: true });
  const providerplugins = [
    { name: 'aws', enabled: 1, scriptPath: '/opt/ibm/scripts/' },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
    { name: 'awsts', enabled: 1, scriptPath: '${HF_TOP}/${HF_VERSION}/providerplugins/awsts/scripts/' },
  ];
  const plugins = JSON.stringify({ version: 2, providerplugins });
  await writeFile(join(top, 'conf/providerplugins/hostProviderPlugins.json'), plugins);
  await writeFile(join(top, 'conf/providers/hostProviders.json'), JSON.stringify({ version: 2, providers }));
  return { top, home, env: { HF_TOP: top, HF_VERSION: '1.2' } };
};

describe('the provider that a command run by hand is about', () => {
  it('is the only one that is registered with this installation, its folders as Host Factory tells them', async () => {
    const { top, home, env } = await hostFactory(entry('ibm', 'aws'), entry('east'));
    expect(await findProvider(env, home, undefined)).toMatchObject({
      providerName: 'east',
      confDir: join(top, 'conf/providers/east'),
      workDir: join(top, 'work/providers/east'),
      logDir: join(top, 'log'),
      registeredIn: join(top, 'conf/providers/hostProviders.json'),
    });
    const elsewhere = { ...env, HF_WORKDIR: '/data', HF_LOGDIR: '/var/log/hf' };
    expect(await findProvider(elsewhere, home, 'east')).toMatchObject({
      workDir: '/data/providers/east',
      logDir: '/var/log/hf',
    });
  });

  it('is the one that is named, and never another', async () => {
    const { home, env } = await hostFactory(entry('ibm', 'aws'), entry('east'), entry('west'));
    expect(await findProvider(env, home, 'west')).toMatchObject({ providerName: 'west' });
    expect(await findProvider({ ...env, HF_PROVIDER_NAME: 'west' }, home, 'east')).toMatchObject({
      providerName: 'east',
    });
    expect(await findProvider({ ...env, HF_PROVIDER_NAME: 'west' }, home, undefined)).toMatchObject({
      providerName: 'west',
    });
    await expect(findProvider(env, home, undefined)).rejects.toMatchObject({
      code: 'configuration.missing',
      message: expect.stringMatching(/several .* choose one of east, west with HF_PROVIDER_NAME, or --provider/),
    });
    await expect(findProvider(env, home, 'north')).rejects.toThrow(/has no provider north; .*: east, west/);
    await expect(findProvider(env, home, 'ibm')).rejects.toThrow(/runs plug-in aws, not this installation/);
  });

  it('is told by the environment where nothing is registered, and guessed nowhere', async () => {
    const places = { HF_PROVIDER_NAME: 'mine', HF_PROVIDER_CONFDIR: '/c', HF_PROVIDER_WORKDIR: '/w' };
    expect(await findProvider(places, '/opt', 'mine')).not.toHaveProperty('registeredIn');
    await expect(findProvider(places, '/opt', 'other')).rejects.toThrow(/set HF_TOP/);
    await expect(findProvider({}, '/opt', undefined)).rejects.toMatchObject({ code: 'configuration.missing' });
    const { home, env } = await hostFactory(entry('ibm', 'aws'));
    await expect(findProvider(env, home, undefined)).rejects.toMatchObject({ code: 'configuration.missing' });
  });

  it('is looked for in vain where Host Factory knows no provider, which is said with the mend', async () => {
    const { home } = await hostFactory();
    const env = { HF_TOP: await temporaryFolder() };
    for (const name of [undefined, 'east'])
      await expect(findProvider(env, home, name)).rejects.toMatchObject({
        code: 'configuration.missing',
        message: `there is no ${env.HF_TOP}/conf/providerplugins/hostProviderPlugins.json: nothing is registered there; hf-aws init --register does`,
      });
  });

  it('is on the list with whether it is ours, also when it is disabled or in a file with comments', async () => {
    const { top, home, env } = await hostFactory();
    const file = join(top, 'conf/providers/hostProviders.json');
    const list = [entry('ibm', 'aws'), entry('east', 'awsts', { enabled: 0, workPath: undefined })];
    await writeFile(file, `// by hand\n${JSON.stringify({ providers: list })}`);
    const registered = await registeredProviders(env, home);
    expect(registered).toMatchObject({
      file,
      providers: [
        { name: 'ibm', isOurs: false, enabled: true },
        { name: 'east', isOurs: true, enabled: false, workPath: join(top, 'work/providers/east') },
      ],
    });
    expect(await registeredProviders({}, home)).toBeUndefined();
    await writeFile(file, '{ "providers": [');
    await expect(registeredProviders(env, home)).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(file),
    });
  });
});
