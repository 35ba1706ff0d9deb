import type { LaunchOrder, LaunchReport } from '../../../../src/application/ports/capacity.ts';
import type { PreparedLaunch } from '../../../../src/domain/request/events.ts';
import { providerApiOf, type Template } from '../../../../src/domain/template/template.ts';
import type { Settings } from '../../../../src/emulator/settings.ts';
import { createFactCache } from '../../../../src/storage/fact-cache.ts';
import { createOfferingMemory } from '../../../../src/storage/offering-memory.ts';
import { onDemandTemplate } from '../../domain/template/template-fixture.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { emulatedAws } from './emulated-aws.ts';

export const reservationGroup = 'arn:aws:resource-groups:us-east-1:123456789012:group/grid';

/** Two subnets of zone a, one of zone b. */
const subnets = {
  'subnet-0000000a': { zone: 'us-east-1a', vpc: 'vpc-00000001' },
  'subnet-0000001a': { zone: 'us-east-1a', vpc: 'vpc-00000001' },
  'subnet-0000000b': { zone: 'us-east-1b', vpc: 'vpc-00000001' },
};

/** One of two places, in a group too, and a Capacity Block of two, all in zone a. */
const capacityReservations = {
  'cr-00000001': { instanceType: 'm5.large', zone: 'us-east-1a', total: 2, match: 'targeted', group: reservationGroup },
  'cr-00000002': { instanceType: 'p5.48xlarge', zone: 'us-east-1a', total: 2, type: 'capacity-block' },
};

/** On demand in one subnet; image, subnet and names are such that the emulator knows them. */
const template: Template = { ...onDemandTemplate, subnetIds: ['subnet-0000000a'] };

/** The real provider against an emulator. */
export const startLaunches = async (settings: Partial<Settings> = {}) => {
  const folder = await temporaryFolder();
  const facts = createFactCache(folder, 'aws', Date.now);
  const offerings = createOfferingMemory(folder, Date.now);
  const { aws, emulator, log } = await emulatedAws(
    {},
    { subnets, capacityReservations, ...settings },
    { remember: facts.get, forget: facts.forget, offerings },
  );

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

  return { aws, emulator, log, prepare, launch, sent, valuesOf, refused: offerings.refused };
};
