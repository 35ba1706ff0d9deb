import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Emulator, startEmulator } from '../../../../../src/emulator/server.ts';
import { assumedRole, type Role } from '../../../../../src/providers/aws/services/role.ts';
import { createAwsClock } from '../../../../../src/providers/aws/wire/aws-clock.ts';
import { clientConfig } from '../../../../../src/providers/aws/wire/client-config.ts';
import type { CredentialProvider } from '../../../../../src/providers/aws/wire/credentials.ts';
import { createFactCache } from '../../../../../src/storage/fact-cache.ts';
import { createRecordingLog } from '../../../recording-log.ts';
import { temporaryFolder } from '../../../temporary-folder.ts';

const minute = 60_000;
const role: Role = { arn: 'arn:aws:iam::210987654321:role/grid', externalId: 'bank-7', sessionName: 'hf-awsinst' };

/** A host beside an emulated STS, whose clock may differ; credentials of the role last an hour. */
const setUp = async (ahead = 0) => {
  const folder = await temporaryFolder();
  const time = { now: Date.UTC(2026, 0, 1) };
  const emulator: Emulator = await startEmulator({
    now: () => time.now,
    settings: { roles: { [role.arn]: 'bank-7' } },
  });
  emulator.configure({ signatureMinutes: 5 });
  onTestFinished(() => emulator.close());
  const warnings: string[] = [];
  const local = (): number => time.now + ahead;
  /** As one call of a script has them. */
  const provider = async (whose = role): Promise<CredentialProvider> => {
    const cache = createFactCache(folder, 'credentials', local);
    const client = await clientConfig(
      {
        region: 'us-east-1',
        endpoint: emulator.url,
        connectionTimeoutMs: 10_000,
        requestTimeoutMs: 10_000,
        useFips: false,
      },
      createAwsClock(local),
      async () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 's3cr3t' }),
    );
    return assumedRole(whose, {
      client,
      reads: { retries: 0, interval: 0 },
      log: createRecordingLog(),
      signal: new AbortController().signal,
      random: () => 0,
      remember: cache.get,
      forget: cache.forget,
      warn: (text) => warnings.push(text),
    });
  };
  const key = async (find: CredentialProvider): Promise<string> => (await find()).accessKeyId;
  return { folder, emulator, warnings, provider, key, pass: (ms: number) => (time.now += ms) };
};

describe('credentials of a role', () => {
  it('are kept between calls, for their owner alone, and asked for by all that tells sessions apart', async () => {
    const { provider, key, emulator, folder } = await setUp();
    const first = await key(await provider());
    expect(await key(await provider())).toBe(first);
    expect(statSync(join(folder, 'cache', 'credentials.json')).mode & 0o777).toBe(0o600);
    expect(await key(await provider({ ...role, sessionName: 'hf-other' }))).not.toBe(first);
    expect(emulator.calls('AssumeRole').map(({ parameters }) => parameters)).toEqual([
      { RoleArn: role.arn, ExternalId: 'bank-7', RoleSessionName: 'hf-awsinst' },
      { RoleArn: role.arn, ExternalId: 'bank-7', RoleSessionName: 'hf-other' },
    ]);
  });

  it.each([0, 20 * minute, -20 * minute])(
    'are renewed five minutes before their end by AWS’s clock, on a host %i ms ahead',
    async (ahead) => {
      const { provider, key, pass, emulator } = await setUp(ahead);
      const find = await provider();
      const first = await key(find);
      pass(54 * minute);
      expect(await key(find)).toBe(first);
      pass(2 * minute);
      expect(await key(find)).not.toBe(first);
      expect(emulator.countCalls()['AssumeRole']).toBe(ahead === 0 ? 2 : 3);
    },
  );

  it('serve to their end while STS is away, with a warning', async () => {
    const { provider, key, pass, emulator, warnings } = await setUp();
    const find = await provider();
    const first = await key(find);
    emulator.addFault({ action: 'AssumeRole', times: 'always', effect: { kind: 'error', code: 'ServiceUnavailable' } });
    pass(57 * minute);
    expect(await key(find)).toBe(first);
    expect(warnings).toEqual([expect.stringContaining('AssumeRole failed. Error Code: ServiceUnavailable')]);
    pass(4 * minute);
    await expect(find()).rejects.toMatchObject({ code: 'provider.transient' });
  });

  it('that AWS refuses are asked for again', async () => {
    const { provider } = await setUp();
    const find = await provider();
    const first = await find();
    const second = await find(first);
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    expect(await (await provider())()).toEqual(second);
  });

  it.each([
    ['another external id', { ...role, externalId: 'bank-8' }, 'with AWS_ROLE_EXTERNAL_ID'],
    ['no external id', { arn: role.arn, sessionName: 'hf-awsinst' }, 'without AWS_ROLE_EXTERNAL_ID'],
    ['a role that is not there', { ...role, arn: `${role.arn}s` }, 'with AWS_ROLE_EXTERNAL_ID'],
  ])('are refused for %s, naming role and caller', async (_, whose, how) => {
    const { provider } = await setUp();
    const find = await provider(whose);
    await expect(find()).rejects.toMatchObject({
      code: 'provider.denied',
      message: expect.stringMatching(
        new RegExp(`^AWS_ROLE_ARN arn:\\S+ may not be assumed by arn:aws:iam::123456789012:user/emulated, ${how}: `),
      ),
    });
  });
});
