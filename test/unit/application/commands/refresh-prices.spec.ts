import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FoundPrices, refreshPricesHandler } from '../../../../src/application/commands/refresh-prices.ts';
import { checkPrices } from '../../../../src/application/diagnosis/checks.ts';
import type { RankBy } from '../../../../src/domain/template/price-use.ts';
import type { Template } from '../../../../src/domain/template/template.ts';
import { createPriceHistory } from '../../../../src/storage/price-history.ts';
import { createPriceMemory } from '../../../../src/storage/price-memory.ts';
import { onDemandTemplate } from '../../domain/template/template-fixture.ts';
import { createRecordingLog } from '../../recording-log.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const hour = 3_600_000;
const spot: Template = {
  ...onDemandTemplate,
  priceType: 'spot',
  percentOnDemand: 10,
  providerApi: 'EC2Fleet',
  vmTypes: { 'm5.large': 1, 'c5.large': 1 },
  subnetIds: ['subnet-1', 'subnet-2'],
};
const found: FoundPrices = {
  onDemand: { 'm5.large': 0.1 },
  spot: { 'c5.large': { 'us-east-1a': 0.03 } },
  zones: { 'subnet-1': 'us-east-1a' },
  warnings: [],
};

const setUp = async (templates: readonly Template[], rankBy?: RankBy) => {
  const folder = await temporaryFolder();
  const shipped = join(folder, 'shipped.json');
  await writeFile(
    shipped,
    JSON.stringify({ regions: ['us-east-1'], asOf: '2024', usdPerHour: { 't3.large': 0.08, 'm5.large': 9 } }),
  );
  const time = { now: 10 * hour };
  const answers: FoundPrices[] = [];
  const asked: object[] = [];
  const prices = {
    ...createPriceMemory(folder, shipped, 'us-east-1'),
    ...createPriceHistory(folder, 'us-east-1'),
  };
  const refresh = refreshPricesHandler({
    templates: { read: async () => ({ file: 'templates.json', templates, rejected: [] }) },
    prices,
    rankBy,
    askPrices: async (wanted) => {
      asked.push(wanted);
      return answers.shift() ?? found;
    },
    clock: () => time.now,
    log: createRecordingLog(),
  });
  return {
    folder,
    shipped,
    time,
    answers,
    asked,
    prices,
    refresh: (olderThan?: number) =>
      refresh({ type: 'RefreshPrices', ...(olderThan === undefined ? {} : { olderThan }) }, { correlationId: 'c' }),
  };
};

describe('prices', () => {
  it('are asked for by type and market of the templates, and kept over those that came with the program', async () => {
    const { refresh, asked, prices } = await setUp([onDemandTemplate, spot]);
    expect(await refresh()).toEqual({ onDemand: 1, spot: 1, warnings: [], isSkipped: false });
    expect(asked).toEqual([
      {
        onDemand: ['c5.large', 'm5.large'],
        spot: ['c5.large', 'm5.large'],
        subnetIds: ['subnet-1', 'subnet-2'],
      },
    ]);
    expect(await prices.read()).toMatchObject({
      refreshedAt: 10 * hour,
      onDemand: { 't3.large': 0.08, 'm5.large': 0.1 },
      spot: found.spot,
      zones: found.zones,
    });
  });

  it('that could not be asked for stay what they were', async () => {
    const { refresh, prices, answers } = await setUp([spot]);
    await refresh();
    answers.push({ onDemand: {}, spot: { 'c5.large': { 'us-east-1a': 0.05 } }, zones: {}, warnings: ['no list'] });
    expect((await refresh()).warnings).toEqual(['no list']);
    expect(await prices.read()).toMatchObject({
      onDemand: { 'm5.large': 0.1 },
      spot: { 'c5.large': { 'us-east-1a': 0.05 } },
      zones: found.zones,
    });
  });

  it('that AWS told are added to their history; those that came with the program are not', async () => {
    const { refresh, prices, answers, time } = await setUp([spot]);
    await refresh();
    time.now += hour;
    answers.push({ onDemand: { 'm5.large': 0.2 }, spot: {}, zones: {}, warnings: [] });
    await refresh();
    expect(await prices.history()).toMatchObject({
      onDemand: {
        'm5.large': [
          [10 * hour, 0.1],
          [11 * hour, 0.2],
        ],
      },
      spot: { 'c5.large': { 'us-east-1a': [[10 * hour, 0.03]] } },
    });
  });

  it.each<
    readonly [
      string,
      readonly Template[],
      RankBy | undefined,
      number | undefined,
      { readonly status: string; readonly what: RegExp },
    ]
  >([
    [
      'never asked for and of no use',
      [spot],
      undefined,
      undefined,
      { status: 'ok', what: /^list prices of 2024 that/ },
    ],
    [
      'never asked for and ranks go by them',
      [spot],
      'price',
      undefined,
      { status: 'warning', what: /of 2024 .* never/ },
    ],
    [
      'of yesterday and ranks go by them',
      [spot],
      'price',
      24,
      { status: 'ok', what: /^AWS was last asked 1 days ago/ },
    ],
    ['of last week and of no use', [spot], undefined, 168, { status: 'ok', what: /asked 7 days ago/ }],
    ['of last week and ranks go by them', [spot], 'price', 168, { status: 'warning', what: /asked 7 days ago/ }],
  ])('doctor tells their age: %s', async (_, templates, rankBy, hours, { status, what }) => {
    const { refresh, prices, time } = await setUp(templates);
    if (hours !== undefined) await refresh();
    const now = time.now + (hours ?? 24 * 365) * hour;
    const [found] = await checkPrices(templates, { prices, rankBy, clock: () => now });
    expect(found).toMatchObject({ status, what: expect.stringMatching(what) });
  });

  const auto: Template = { ...spot, attributes: { ...spot.attributes, priceInfo: ['String', 'auto'] } };
  it.each<[string, readonly Template[], RankBy | undefined, number]>([
    ['nobody makes use of them', [spot], undefined, 0],
    ['a template wants its price', [auto], undefined, 2],
    ['templates are ranked by them', [spot], 'price', 2],
  ])('are asked for once an hour where %s', async (_, templates, rankBy, times) => {
    const { refresh, asked, time } = await setUp(templates, rankBy);
    for (const passed of [0, hour - 1, 1]) {
      time.now += passed;
      await refresh(hour);
    }
    expect(asked).toHaveLength(times);
  });

  it('of another Region, or damaged ones, count for nothing', async () => {
    const { refresh, folder, shipped } = await setUp([spot]);
    await refresh();
    const elsewhere = await createPriceMemory(folder, shipped, 'eu-west-1').read();
    expect(elsewhere).toMatchObject({ refreshedAt: 0, onDemand: {}, spot: {} });
    await writeFile(join(folder, 'cache', 'prices.json'), '{"refreshedAt": "today"}');
    expect(await createPriceMemory(folder, shipped, 'us-east-1').read()).toMatchObject({
      refreshedAt: 0,
      onDemand: { 't3.large': 0.08, 'm5.large': 9 },
    });
  });
});
