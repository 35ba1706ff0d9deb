import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Emulator, startEmulator } from '../../../../src/emulator/server.ts';
import type { Settings } from '../../../../src/emulator/settings.ts';
import { type Aws, type AwsOptions, createAws } from '../../../../src/providers/aws/aws.ts';
import { createAwsClock } from '../../../../src/providers/aws/wire/aws-clock.ts';
import { createLiveRequests } from '../../../../src/storage/live-requests.ts';
import { createRecordingLog, type RecordingLog } from '../../recording-log.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

/** Everything AWS over real connections to an emulator; no call is repeated. */
export const emulatedAws = async (
  changes: Partial<AwsOptions['connection']> = {},
  settings: Partial<Settings> = {},
  options: Partial<AwsOptions> = {},
): Promise<{ readonly aws: Aws; readonly emulator: Emulator; readonly log: RecordingLog }> => {
  const emulator = await startEmulator({ settings: { pendingMs: 0, fulfilMs: 0, ...settings } });
  onTestFinished(() => emulator.close());
  const folder = await temporaryFolder();
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIATEST';
  process.env['AWS_SECRET_ACCESS_KEY'] = 's3cr3t';
  const log = createRecordingLog();
  const once = { retries: 0, interval: 0 };
  const { signal } = new AbortController();
  const remember: AwsOptions['remember'] = (_key, _lifetime, find) => find();
  const aws = await createAws({
    connection: {
      region: 'us-east-1',
      endpoint: emulator.url,
      connectionTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      useFips: false,
      ...changes,
    },
    credentials: { renewAfter: 0, remember, forget: async () => undefined, warn: () => undefined, signal },
    changes: once,
    reads: once,
    log,
    observe: (_span, work) => work(),
    signal,
    clock: Date.now,
    awsClock: createAwsClock(Date.now),
    owner: 'hostfactory/awsinst',
    store: 'store-1',
    version: '1.2.3',
    remember,
    forget: async () => undefined,
    ledger: (group) => createLiveRequests(join(folder, group)),
    offerings: {
      list: async () => [],
      refused: async () => [],
      remember: async () => undefined,
      forget: async () => 0,
    },
    ...options,
  });
  return { aws, emulator, log };
};
