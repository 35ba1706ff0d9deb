import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ProviderEnvironment, readEnvironment } from '../../../src/config/environment.ts';
import { temporaryFolder } from '../temporary-folder.ts';

interface ConfigurationFolder {
  readonly confDir: string;
  readonly environment: ProviderEnvironment;
}

/** The conf folder of the instance `awsinst` with these files in it. */
export const configurationFolder = async (
  files: Readonly<Record<string, string>> = {},
): Promise<ConfigurationFolder> => {
  const confDir = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(confDir, name)), { recursive: true });
    await writeFile(join(confDir, name), text);
  }
  return { confDir, environment: readEnvironment({ HF_PROVIDER_CONFDIR: confDir, HF_PROVIDER_WORKDIR: confDir }) };
};
