import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hfAwsHere, hfAwsJson } from './admin.ts';
import { type Backend, describeBackends, emulatorBackend } from './backends.ts';
import { listOf, startServer } from './entries.ts';
import { createPlugin, type Json, type Plugin } from './plugin.ts';

const priceInfoIn = (body: Json): readonly string[] =>
  (Array.isArray(body['templates']) ? body['templates'] : []).map(({ attributes }) =>
    [attributes?.rank?.[1] ?? '-', attributes?.priceInfo?.[1] ?? '-'].join(' '),
  );
const form = 'billingTimeUnitType:prorated_hour,billingTimeUnitNumber:1,billingRoundoffType:unit';

describeBackends(
  (name) => `hf-aws prices against ${name}`,
  ({ start }) => {
    let backend: Backend;
    let plugin: Plugin;

    beforeAll(async () => {
      backend = await start();
      const cell = { maxNumber: 4, attributes: { priceInfo: 'auto' }, ...backend.place };
      plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, [
        { ...cell, templateId: 'spot', priceType: 'spot', vmTypes: { 'm5.large': 1 } },
      ]);
    }, 60_000);
    afterAll(async () => {
      await plugin.remove();
      await backend.close();
    });

    it('refresh asks the spot price history, and getAvailableTemplates tells the price', async () => {
      if ('emulator' in backend)
        await fetch(`${backend.url}/_emulator/settings`, {
          method: 'PATCH',
          body: JSON.stringify({
            spotPrices: Object.fromEntries(['a', 'b', 'c'].map((zone) => [`m5.large:us-east-1${zone}`, 0.05])),
          }),
        });
      expect(priceInfoIn((await plugin.call('getAvailableTemplates', {})).body)).toEqual(['- -']);
      const { exitCode, body } = await hfAwsJson(plugin, 'prices', 'refresh');
      expect([exitCode, body['spot'], body['warnings']]).toEqual([0, 1, []]);
      expect(priceInfoIn((await plugin.call('getAvailableTemplates', {})).body)).toEqual([
        expect.stringMatching(new RegExp(`^- price:0\\.\\d+,${form}$`)),
      ]);
    });
  },
);

it('prices rank templates without a call to AWS, and the server keeps them fresh', async () => {
  const backend = await emulatorBackend();
  const zones = Object.fromEntries(['a', 'b', 'c'].map((zone) => [`m5.large:us-east-1${zone}`, 0.04]));
  backend.emulator.configure({ spotPrices: zones, onDemandPrices: { 'm5.large': 0.1, 'c5.large': 0.08 } });
  const cell = { maxNumber: 4, ...backend.place };
  const plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, rankBy: 'price' }, [
    { ...cell, templateId: 'od', vmType: 'm5.large', attributes: { priceInfo: 'price:1' } },
    { ...cell, templateId: 'cheap', vmType: 'c5.large', attributes: { priceInfo: 'auto' } },
    { ...cell, templateId: 'spot', priceType: 'spot', vmTypes: { 'm5.large': 1 } },
    { ...cell, templateId: 'mine', vmType: 'm5.large', attributes: { rank: 9 } },
  ]);
  try {
    const server = await startServer(plugin);
    const prices = () => readFile(join(plugin.workDir, 'cache', 'prices.json'), 'utf8').catch(() => '');
    await expect.poll(prices, { timeout: 20_000 }).toContain('0.08');
    const listed = await server.get('/prices');
    expect([listed.status, listOf(listed.body['templates'])[1]]).toEqual([
      200,
      {
        templateId: 'cheap',
        priceType: 'ondemand',
        price: 0.08,
        priceInfo: `price:0.08,${form}`,
        told: expect.anything(),
      },
    ]);
    const asked = backend.emulator.countCalls();
    const refreshed = await server.call('POST', '/prices/refresh');
    expect([refreshed.status, refreshed.body]).toEqual([200, { onDemand: 2, spot: 1, warnings: [], isSkipped: false }]);
    expect(backend.emulator.countCalls()['GetProducts']).toBe(2 * (asked['GetProducts'] ?? 0));
    expect(await server.stop()).toBe(0);
    const before = backend.emulator.countCalls();
    expect(before).toEqual({ DescribeSpotPriceHistory: 2, DescribeSubnets: 2, GetProducts: 4 });
    expect(priceInfoIn((await plugin.call('getAvailableTemplates', {})).body)).toEqual([
      '1 price:1',
      `2 price:0.08,${form}`,
      '3 -',
      '9 -',
    ]);
    expect((await hfAwsHere(plugin, ['prices', 'list'])).stdout).toMatch(/^cheap +ondemand +0\.08 +2 +price:0\.08,/m);
    expect(backend.emulator.countCalls()).toEqual(before);
    await plugin.settled(await plugin.request('od', 2));
    const { stdout } = await hfAwsHere(plugin, ['usage', '--since', '1h', '--by', 'type', '--csv']);
    const [head, row] = stdout.trimEnd().split('\r\n');
    expect(head).toBe(
      'type,machines,hours,spot_hours,interruptions,cost_usd,savings_usd,unpriced_hours,launch_priced_cost_usd',
    );
    expect(row).toMatch(/^m5\.large,2,0(\.\d+)?,0,0,0(\.\d+)?,,0,0(\.\d+)?$/);
    expect((await hfAwsHere(plugin, ['usage'])).stdout).toMatch(/^od +2 +0\.0 +0 % +0 +0\.00 +-$/m);
  } finally {
    await plugin.remove();
    await backend.close();
  }
});
