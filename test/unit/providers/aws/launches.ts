import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LaunchOrder, LaunchReport } from '../../../../src/application/ports.ts';
import type { PreparedLaunch } from '../../../../src/domain/request.ts';
import { providerApiOf, type Template } from '../../../../src/domain/template.ts';
import { startEmulator } from '../../../../src/emulator/server.ts';
import type { Settings } from '../../../../src/emulator/settings.ts';
import { type Aws, createAws } from '../../../../src/providers/aws/aws.ts';
import { createFactCache } from '../../../../src/storage/fact-cache.ts';
import { createLiveRequests } from '../../../../src/storage/live-requests.ts';
import { createOfferingMemory } from '../../../../src/storage/offering-memory.ts';
import { onDemandTemplate } from '../../domain/template-fixture.ts';
import { createRecordingLog } from '../../recording-log.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

/** Two subnets of zone a, one of zone b. */
export const subnets = {
  'subnet-0000000a': { zone: 'us-east-1a', vpc: 'vpc-00000001' },
  'subnet-0000001a': { zone: 'us-east-1a', vpc: 'vpc-00000001' },
  'subnet-0000000b': { zone: 'us-east-1b', vpc: 'vpc-00000001' },
};

/** On demand in one subnet; image, subnet and names are such that the emulator knows them. */
export const template: Template = { ...onDemandTemplate, subnetIds: ['subnet-0000000a'] };

/** The real provider against an emulator. */
export const startLaunches = async (settings: Partial<Settings> = {}) => {
  const folder = await temporaryFolder();
  const emulator = await startEmulator({ settings: { subnets, ...settings } });
  onTestFinished(() => emulator.close());
  const file = join(folder, 'credentials');
  await writeFile(file, '[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = secret\n');
  const log = createRecordingLog();
  const clock = () => Date.now();
  const facts = createFactCache(folder, 'aws', clock);
  const { signal } = new AbortController();
  const aws: Aws = await createAws({
    connection: {
      region: 'us-east-1',
      endpoint: emulator.url,
      connectionTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      useFips: false,
    },
    credentials: { file, renewAfter: 60_000, remember: (_key, _lifetime, find) => find(), signal },
    changes: { retries: 0, interval: 0 },
    reads: { retries: 0, interval: 0 },
    log,
    observe: (_span, work) => work(),
    signal,
    clock,
    owner: 'hostfactory/awsinst',
    store: 'store-1',
    version: '1.2.3',
    remember: facts.get,
    forget: facts.forget,
    ledger: () => createLiveRequests(folder),
    offerings: createOfferingMemory(folder, clock),
  });

  const prepare = async (
    fields: Partial<Template>,
    order: Partial<LaunchOrder> = {},
  ): Promise<PreparedLaunch | undefined> => {
    const wanted = { ...template, ...fields };
    return aws
      .provider(providerApiOf(wanted))
      .prepare({ requestId: 'req-1', template: wanted, count: 2, earlier: [], attributes: {}, ...order });
  };

  /** All tries of one request. */
  const launch = async (
    fields: Partial<Template>,
    order: Partial<LaunchOrder> = {},
  ): Promise<readonly LaunchReport[]> => {
    const provider = aws.provider(providerApiOf({ ...template, ...fields }));
    const reports: LaunchReport[] = [];
    const earlier: PreparedLaunch[] = [];
    for (;;) {
      const prepared = await prepare(fields, { ...order, earlier });
      if (prepared === undefined) return reports;
      const report = await provider.launch(prepared);
      reports.push(report);
      if (!report.tryNextPool) return reports;
      earlier.push(prepared);
    }
  };

  /** What AWS got of calls of one action, in order. */
  const sent = (action: string) => emulator.calls(action).map(({ parameters }) => parameters);
  /** The values of those parameters whose names match, of the last call of an action. */
  const valuesOf = (action: string, name: RegExp): readonly string[] =>
    Object.entries(sent(action).at(-1) ?? {}).flatMap(([key, value]) => (name.test(key) ? [value] : []));

  return { aws, emulator, log, folder, prepare, launch, sent, valuesOf };
};
