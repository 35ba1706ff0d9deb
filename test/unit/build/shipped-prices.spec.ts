import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const read = async (name: string) =>
  JSON.parse(await readFile(join(import.meta.dirname, '..', '..', '..', 'config', name), 'utf8'));

it('within a family of instance types a shipped price goes by the size: CPUs, or memory where sizes share CPUs', async () => {
  const { usdPerHour } = await read('on-demand-prices.json');
  const types = await read('instance-types.json');
  const shares = Object.entries<number>(usdPerHour).map(([name, price]) => {
    const [family = ''] = name.split('.');
    const [, vcpus, , memory] = types[name] ?? [];
    return { name, family, share: price / (family.startsWith('t') ? memory : vcpus) };
  });
  expect(shares.length).toBeGreaterThan(200);
  const firstOf = new Map(shares.toReversed().map(({ family, share }) => [family, share]));
  const odd = shares.filter(({ family, share }) => !(Math.abs(share / (firstOf.get(family) ?? 0) - 1) < 0.001));
  expect(odd).toEqual([]);
});
