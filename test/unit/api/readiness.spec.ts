import { beforeEach, describe, expect, it } from 'vitest';
import { createReadiness } from '../../../src/api/readiness.ts';

let now: number;
let tried: string[];
let lost: string[];
let missing: Set<string>;
let fault: () => Promise<string | undefined>;
beforeEach(() => {
  [now, tried, lost, missing] = [0, [], [], new Set()];
  const need = (name: string) => async (): Promise<void> => {
    tried.push(name);
    if (missing.has(name)) throw new Error(`no ${name} at /secret/path`);
  };
  fault = createReadiness(
    { store: need('store'), templates: need('templates'), aws: need('aws') },
    { clock: () => now, lost: (what, why) => void lost.push(`${what}: ${why}`) },
  );
});

describe('a server is ready', () => {
  it('where it can write the store, read the templates, and AWS answers', async () => {
    expect(await fault()).toBe(undefined);
    expect(tried).toEqual(['store', 'templates', 'aws']);
  });

  it.each([
    ['store', 'the store cannot be written'],
    ['templates', 'the templates cannot be read'],
    ['aws', 'AWS does not answer'],
  ])('not without %s; it tells no paths, and the log why, once', async (name, words) => {
    missing.add(name);
    for (let n = 0; n < 3; n++) {
      expect(await fault()).toBe(words);
      now += 2000;
    }
    expect(lost).toEqual([`${words}: no ${name} at /secret/path`]);
    missing.clear();
    expect(await fault()).toBe(undefined);
  });

  it('as AWS said half a minute ago, and asks it again soon where it did not answer', async () => {
    await fault();
    now += 29_000;
    await fault();
    expect(tried.filter((each) => each === 'aws')).toHaveLength(1);
    now += 1000;
    missing.add('aws');
    expect(await fault()).toBe('AWS does not answer');
    missing.clear();
    now += 1999;
    expect(await fault()).toBe('AWS does not answer');
    now += 1;
    expect(await fault()).toBe(undefined);
  });

  it('as one trial says for all who ask together', async () => {
    await Promise.all(Array.from({ length: 20 }, fault));
    expect(tried).toEqual(['store', 'templates', 'aws']);
  });
});
