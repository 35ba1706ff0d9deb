import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNotifySettings } from '../../../src/config/notify-settings.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const url = 'https://ops.example/hook';
const env = { HOOK_SECRET: 'a-secret-of-the-tests', SHORT: 'short' };
const files = {
  secret: 'in-a-file-of-its-own\n',
  open: 'in-a-file-of-its-own',
  short: 'x',
  base64: 'whsec_not*base64*at*all',
};

const read = async (written: Readonly<Record<string, unknown>>) => {
  const confDir = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(confDir, name), text, { mode: 0o600 });
  await chmod(join(confDir, 'open'), 0o644);
  return readNotifySettings({ written, file: 'conf.json', confDir, env });
};

describe('whom to notify', () => {
  it('is nobody unless somebody is named', async () => {
    expect(await read({})).toBeUndefined();
  });

  it('is a command, a webhook, or both, with times that have defaults', async () => {
    const times = { silentMinutes: 10, refusedMinutes: 30, unreachableMinutes: 5, repeatMinutes: 240 };
    expect(await read({ command: [process.execPath, '-v'] })).toEqual({ command: [process.execPath, '-v'], ...times });
    expect(await read({ webhook: url, secretFile: 'secret', silentMinutes: 0 })).toEqual({
      webhook: { url, secret: 'in-a-file-of-its-own' },
      ...times,
      silentMinutes: 0,
    });
    const local = { webhook: 'http://127.0.0.1:9000/', secretVariable: 'HOOK_SECRET' };
    expect(await read(local)).toMatchObject({ webhook: { secret: 'a-secret-of-the-tests' } });
  });

  it.each<[object, string]>([
    [{ silentMinutes: 3 }, 'notify needs a command or a webhook'],
    [{ comand: ['/bin/true'] }, 'notify.comand is not known here'],
    [{ webhook: url, secret: 'in-plain-in-the-configuration' }, 'notify.secret is not known here'],
    [{ command: '/bin/true' }, 'notify.command must be array'],
    [{ command: ['pager'] }, 'notify.command.0 must be the full path of a program'],
    [{ command: ['/nowhere/pager'] }, 'notify.command.0 cannot be run: ENOENT'],
    [{ webhook: 'ops.example', secretFile: 'secret' }, 'notify.webhook must have the form'],
    [{ webhook: 'http://ops.example/', secretFile: 'secret' }, 'notify.webhook must begin with https://'],
    [
      { webhook: 'https://me:word@ops.example/', secretFile: 'secret' },
      'notify.webhook must hold no user and no password',
    ],
    [{ webhook: url }, 'notify.webhook needs either secretFile or secretVariable'],
    [{ webhook: url, secretFile: 'secret', secretVariable: 'HOOK_SECRET' }, 'notify.webhook needs either'],
    [{ webhook: url, secretFile: 'nowhere' }, 'notify.secretFile cannot be read: ENOENT'],
    [{ webhook: url, secretFile: 'open' }, 'notify.secretFile must be private to its owner'],
    [{ webhook: url, secretFile: 'short' }, 'notify.secretFile must give at least 16 characters'],
    [{ webhook: url, secretFile: 'base64' }, 'notify.secretFile begins with whsec_, so the rest must be base64'],
    [{ webhook: url, secretVariable: 'SHORT' }, 'notify.secretVariable must give at least 16 characters'],
    [{ webhook: url, secretVariable: 'NOT_SET' }, 'notify.secretVariable must give at least 16 characters'],
    [{ command: ['/bin/sh'], secretFile: 'secret' }, 'notify.secretFile needs a webhook'],
    [{ command: ['/bin/sh'], repeatMinutes: 1 }, 'notify.repeatMinutes must be at least 5'],
  ])('%j is refused: file, field and rule are named', async (written, rule) => {
    await expect(read({ ...written })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(`conf.json: ${rule}`),
    });
  });
});
