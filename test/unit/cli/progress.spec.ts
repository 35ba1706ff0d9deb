import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CliContext } from '../../../src/cli/context.ts';
import { bar, progressBar } from '../../../src/cli/progress.ts';

const said: string[] = [];
const context: Pick<CliContext, 'complain'> = { complain: (text) => void said.push(text) };
const over = new Map<string, () => void>();
const lasting = (): Promise<string> => new Promise((resolve) => over.set('work', () => resolve('done')));

describe('bar', () => {
  it.each([
    [0, '[....................]'],
    [0.26, '[#####...............]'],
    [1, '[####################]'],
    [1.2, '[####################]'],
  ])('of %s is %s', (share, expected) => {
    expect(bar(share)).toBe(expected);
  });
});

describe('progressBar', () => {
  beforeEach(() => {
    said.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('says now and then how far the work has come, as long as it lasts', async () => {
    const { tell, during } = progressBar(context, {}, 'looks at AWS');
    const work = during(lasting());
    vi.advanceTimersByTime(15_000);
    tell('records read', 300, 400);
    vi.advanceTimersByTime(15_000);
    over.get('work')?.();
    await expect(work).resolves.toBe('done');
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([
      expect.stringMatching(/^\[\.{20}\] looks at AWS, \d+ s$/),
      expect.stringMatching(/^\[#{15}\.{5}\] records read 300 of 400, \d+ s$/),
    ]);
  });

  it('draws one line on a terminal, and leaves nothing of it', async () => {
    const { isTTY } = process.stderr;
    process.stderr.isTTY = true;
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const { tell, during } = progressBar(context, {}, 'looks at AWS');
    const work = during(lasting());
    tell('released', 1, 2);
    vi.advanceTimersByTime(250);
    over.get('work')?.();
    await work;
    process.stderr.isTTY = isTTY;
    expect(written).toEqual([
      expect.stringContaining('\r\u001b[K[##########..........] released 1 of 2, '),
      '\r\u001b[K',
    ]);
    expect(said).toEqual([]);
  });

  it('is silent with --json', async () => {
    const { during } = progressBar(context, { json: true }, 'looks at AWS');
    const work = during(lasting());
    vi.advanceTimersByTime(60_000);
    over.get('work')?.();
    await work;
    expect(said).toEqual([]);
  });
});
