import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Emulator, startEmulator } from '../../../../src/emulator/server.ts';
import type { Settings } from '../../../../src/emulator/settings.ts';
import { type Aws, type AwsOptions, createAws } from '../../../../src/providers/aws/aws.ts';
import { createAwsClock } from '../../../../src/providers/aws/wire/aws-clock.ts';
import { createCapacityLedger } from '../../../../src/storage/capacity-ledger.ts';
import { createOfferingMemory } from '../../../../src/storage/offering-memory.ts';
import { createRecordingLog, type RecordingLog } from '../../recording-log.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

/**
 * The AWS side of an installation, over connections to an emulator at this URL: keeps what it keeps in `folder`, remembers no facts, and
 * repeats no call, unless the options say otherwise.
 */
export const connectAws = (
  url: string,
  folder: string,
  {
    connection,
    ...options
  }: Partial<Omit<AwsOptions, 'connection'>> & {
    readonly connection?: Partial<AwsOptions['connection']>;
  } = {},
): Promise<Aws> => {
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIATEST';
  process.env['AWS_SECRET_ACCESS_KEY'] = 's3cr3t';
  const once = { retries: 0, interval: 0 };
  const { signal } = new AbortController();
  const remember: AwsOptions['remember'] = (_key, _lifetime, find) => find();
  const forget = async (): Promise<undefined> => undefined;
  const { clock = Date.now } = options;
  return createAws({
    connection: {
      region: 'us-east-1',
      endpoint: url,
      connectionTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      useFips: false,
      ...connection,
    },
    credentials: { renewAfter: 0, remember, forget, warn: () => undefined, signal },
    changes: once,
    reads: once,
    log: createRecordingLog(),
    observe: (_span, work) => work(),
    signal,
    clock,
    awsClock: createAwsClock(clock),
    owner: 'hostfactory/awsinst',
    store: 'store-1',
    version: '1.2.3',
    remember,
    forget,
    ledger: (group) => createCapacityLedger(join(folder, 'groups', group)),
    offerings: createOfferingMemory(folder, clock),
    ...options,
  });
};

/** The same with an emulator of its own, in which whatever is asked for happens at once. */
export const emulatedAws = async (
  changes: Partial<AwsOptions['connection']> = {},
  settings: Partial<Settings> = {},
  options: Partial<AwsOptions> = {},
): Promise<{ readonly aws: Aws; readonly emulator: Emulator; readonly log: RecordingLog }> => {
  const emulator = await startEmulator({ settings: { pendingMs: 0, fulfilMs: 0, ...settings } });
  onTestFinished(() => emulator.close());
  const log = createRecordingLog();
  const aws = await connectAws(emulator.url, await temporaryFolder(), { log, ...options, connection: changes });
  return { aws, emulator, log };
};
