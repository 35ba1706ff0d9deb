import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type CredentialSource,
  configuredCredentials,
  parseCredentials,
} from '../../../../../src/providers/aws/wire/credentials.ts';
import { createFactCache } from '../../../../../src/storage/fact-cache.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';

const ini = '[default]\naws_access_key_id = AKIA1\naws_secret_access_key = s3cr3t/+=\naws_session_token=t0ken==\n';
const json = { Version: 1, AccessKeyId: 'AKIA1', SecretAccessKey: 's3cr3t/+=', SessionToken: 't0ken==' };
const all = { accessKeyId: 'AKIA1', secretAccessKey: 's3cr3t/+=', sessionToken: 't0ken==' };

describe('the text of credentials', () => {
  it.each([
    ['a credentials file', ini, all],
    ['a credentials file of Windows', ini.replaceAll('\n', '\r\n'), all],
    ['other profiles before and after', `[other]\naws_access_key_id=NO\n${ini}[more]\naws_secret_access_key=NO\n`, all],
    [
      'comments, blanks and capitals',
      `# mine\n; too\n [default] \n  AWS_ACCESS_KEY_ID=AKIA1\naws_secret_access_key =  s3cr3t\n`,
      {
        accessKeyId: 'AKIA1',
        secretAccessKey: 's3cr3t',
      },
    ],
    ['JSON as of credential_process', JSON.stringify(json), all],
    [
      'JSON without a session',
      JSON.stringify({ AccessKeyId: 'AKIA1', SecretAccessKey: 's' }),
      {
        accessKeyId: 'AKIA1',
        secretAccessKey: 's',
      },
    ],
  ])('may be %s', (_, text, credentials) => expect(parseCredentials(text)).toEqual(credentials));

  it.each([
    ['nothing', ''],
    ['another profile', ini.replace('default', 'other')],
    ['no secret', '[default]\naws_access_key_id=AKIA1\n'],
    ['an empty secret', '[default]\naws_access_key_id=AKIA1\naws_secret_access_key=\n'],
    ['an empty key in JSON', JSON.stringify({ AccessKeyId: '', SecretAccessKey: 's' })],
    ['JSON of something else', '{"message":"denied"}'],
    ['JSON that is no object', '"AKIA1"'],
    ['a word', 'AKIA1'],
  ])('that is %s gives none', (_, text) => expect(parseCredentials(text)).toBeUndefined());
});

/** A source over a folder of its own; what is remembered stays in that folder, as between calls. */
const setUp = async () => {
  const folder = await temporaryFolder();
  const time = { now: Date.now() };
  const cache = createFactCache(folder, 'credentials', () => time.now);
  const warnings: string[] = [];
  const provider = (source: Partial<CredentialSource>) =>
    configuredCredentials({
      renewAfter: 1000,
      remember: cache.get,
      forget: cache.forget,
      warn: (problem) => warnings.push(problem),
      signal: new AbortController().signal,
      ...source,
    });
  return {
    folder,
    time,
    /** As one call of a script does. */
    read: async (source: Partial<CredentialSource>) => provider(source)?.(),
    /** As a server does. */
    provider,
    warnings,
    /** A program that counts its runs in its key and prints the text, or says it on stderr and fails. */
    script: async (body: string): Promise<string> => {
      const path = join(folder, 'credentials.sh');
      await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o700 });
      return path;
    },
  };
};
const counting = (folder: string, rest = ''): string =>
  `echo >> '${folder}/runs'; n=$(wc -l < '${folder}/runs' | tr -d ' ')\n` +
  `printf '{"AccessKeyId":"AKIA%s","SecretAccessKey":"s3cr3t"${rest}}' "$n"`;

describe('the configured credentials', () => {
  it('of neither file nor program are left to the SDK', async () =>
    expect(await (await setUp()).read({})).toBeUndefined());

  it('are those of the file', async () => {
    const { folder, read } = await setUp();
    await writeFile(join(folder, 'credentials'), ini);
    expect(await read({ file: join(folder, 'credentials') })).toEqual(all);
  });

  it('are those of the program, which goes before the file', async () => {
    const { read, script } = await setUp();
    expect(await read({ script: await script(`cat <<'END'\n${ini}END`), file: '/nowhere' })).toEqual(all);
  });

  it('are remembered between calls and renewed after the margin', async () => {
    const { folder, read, script, time } = await setUp();
    const path = await script(counting(folder));
    const keys: (string | undefined)[] = [];
    for (const passed of [0, 999, 1]) {
      time.now += passed;
      keys.push((await read({ script: path }))?.accessKeyId);
    }
    expect(keys).toEqual(['AKIA1', 'AKIA1', 'AKIA2']);
  });

  it('that have expired meanwhile are renewed before the margin', async () => {
    const { folder, read, script } = await setUp();
    const path = await script(counting(folder, ',"Expiration":"2020-01-01T00:00:00Z"'));
    const first = (await read({ script: path }))?.accessKeyId;
    expect((await read({ script: path }))?.accessKeyId).not.toBe(first);
  });
});

describe('credentials that AWS refuses', () => {
  it('are read again from the file', async () => {
    const { folder, provider } = await setUp();
    const file = join(folder, 'credentials');
    await writeFile(file, ini);
    const credentials = provider({ file });
    expect(await credentials?.()).toEqual(all);
    await writeFile(file, ini.replace('AKIA1', 'AKIA2'));
    expect(await credentials?.(all)).toEqual({ ...all, accessKeyId: 'AKIA2' });
  });

  it('are asked of the program again, once for all who remember them', async () => {
    const { folder, provider, script } = await setUp();
    const path = await script(counting(folder));
    const [one, other] = [provider({ script: path }), provider({ script: path })];
    const first = await one?.();
    expect(first).toMatchObject({ accessKeyId: 'AKIA1' });
    expect(await one?.(first)).toMatchObject({ accessKeyId: 'AKIA2' });
    expect(await other?.(first)).toMatchObject({ accessKeyId: 'AKIA2' });
    expect(await provider({ script: path })?.()).toMatchObject({ accessKeyId: 'AKIA2' });
  });

  it('stay as they are, with a warning, where others cannot be had', async () => {
    const { folder, provider, warnings } = await setUp();
    const file = join(folder, 'credentials');
    await writeFile(file, ini);
    const credentials = provider({ file });
    await credentials?.();
    await writeFile(file, '');
    expect(await credentials?.(all)).toEqual(all);
    expect(warnings).toEqual([expect.stringContaining(`AWS_CREDENTIAL_FILE ${file} gives no aws_access_key_id`)]);
  });
});

describe('credentials that cannot be had', () => {
  const secret = 'AbCdEfSecretKey';

  it('from a file that is not there are told by its path', async () => {
    const { folder, read } = await setUp();
    await expect(read({ file: join(folder, 'nothing') })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(join(folder, 'nothing')),
    });
  });

  it('from a pipe that nobody writes to are told at once', async () => {
    const { folder, read } = await setUp();
    const file = join(folder, 'pipe');
    execFileSync('mkfifo', [file]);
    await expect(read({ file })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(`${file} is a pipe or a device, not a plain file`),
    });
  });

  it('from a file without keys are told without its content', async () => {
    const { folder, read } = await setUp();
    const file = join(folder, 'credentials');
    await writeFile(file, `[default]\naws_secret_access_key=${secret}\n`);
    const error: unknown = await read({ file }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'configuration.invalid', message: expect.stringContaining(file) });
    expect(String(error)).not.toContain(secret);
  });

  it.each([
    ['fails', `echo 'aws_secret_access_key=${secret}' >&2; echo '${secret}'; exit 3`, '(3)'],
    ['prints something else', `echo '[default]'; echo 'aws_secret_access_key=${secret}'`, 'gives no aws_access_key_id'],
  ])('from a program that %s are told without its output, and not remembered', async (_, body, why) => {
    const { read, script, folder } = await setUp();
    const error: unknown = await read({ script: await script(body) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'configuration.invalid', message: expect.stringContaining(why) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(secret);
    expect(await read({ script: await script(counting(folder)) })).toMatchObject({ accessKeyId: 'AKIA1' });
  });

  it('from a program that is not there are told by its path', async () => {
    const { read } = await setUp();
    await expect(read({ script: '/nowhere/credentials.sh' })).rejects.toThrow(
      'AWS_CREDENTIAL_SCRIPT /nowhere/credentials.sh failed (ENOENT)',
    );
  });
});
