import { describe, expect, it } from 'vitest';
import { isServed, tablesAt } from '../e2e/plugin.ts';
import { drawn, howToRepeat, runs, seed } from '../random.ts';
import { times } from '../times.ts';
import { balanced, createGrid, type Grid, type KillPoint, victims } from './grid.ts';
import { kinds, settingsFor, templatesOf } from './kinds.ts';
import { type Field, operations } from './operations.ts';

/** For once in a while: at every point of every kind. */
const thorough = times > 1;

/** A share of the points, by the seed. */
const isShared = (isServed || tablesAt !== undefined) && !thorough;

type Point = (n: number) => KillPoint;

const moments = ['arrived', 'acted', 'answered'] as const;

/**
 * Before anything is done, before the answer, after it. To an operation that launches and ends nothing itself the last is as good as
 * the first of the next call: left to a thorough run. Calls of the table are many: when they have acted will do.
 */
const isWorth = (at: (typeof moments)[number], operation: string): boolean => {
  if (thorough || at === 'acted') return true;
  return tablesAt === undefined && (at === 'arrived' || operation.startsWith('request'));
};

const atCalls = (operation: string): readonly Point[] =>
  moments
    .filter((at) => isWorth(at, operation))
    .map(
      (at): Point =>
        (n) => ({ call: n, at }),
    );

/** With a server: RunInstances as ever, and each call of the other kinds at one of the moments. A script takes over wherever its server died. */
const atCallsServed = (operation: string, kind: string): readonly Point[] =>
  kind === 'RunInstances'
    ? atCalls(operation)
    : [(n) => ({ call: n, at: moments[drawn(moments.length, `${kind} ${operation} ${n}`)] ?? 'acted' })];

/**
 * With the state in a table there are many calls. What differs there is where requests, fleets and groups are noted: of the other kinds
 * every third, by the seed.
 */
const atCallsOfTable = (operation: string, kind: string): readonly Point[] => {
  if (['RunInstances', 'maintain', 'group'].includes(kind)) return atCalls(operation);
  const first = 1 + drawn(3, `${kind} ${operation}`);
  return [(n) => ({ call: first + 3 * (n - 1), at: 'acted' })];
};

const shareOfCalls = tablesAt === undefined ? atCallsServed : atCallsOfTable;

const files = ['link', 'rename', 'unlink'] as const;
const sides = ['before', 'after'] as const;

const atFiles = (): readonly Point[] =>
  files.flatMap((file) =>
    sides.map(
      (at): Point =>
        (n) => ({ file, nth: n, at }),
    ),
  );

const atFilesServed = (operation: string): readonly Point[] =>
  files.map(
    (file): Point =>
      (n) => ({ file, nth: n, at: sides[drawn(sides.length, `${file} ${operation} ${n}`)] ?? 'before' }),
  );

/** Kills at the n-th such point for n from 1 on, until a run ends without coming to it. Answers with how many there were. */
const killEach = async (
  points: readonly Point[],
  killOnce: (point: KillPoint) => Promise<boolean>,
): Promise<number> => {
  let kills = 0;
  for (const point of points) for (let n = 1; await killOnce(point(n)); n++) kills++;
  return kills;
};

/** The books are balanced while the machines are held, and when all have been given back. */
const expectBalance = async (grid: Grid, hint = ''): Promise<void> => {
  await grid.hf.rest();
  expect(await grid.hf.books(), hint).toEqual(balanced);
  await grid.hf.giveBack([...grid.hf.held.values()]);
  await grid.hf.settle();
  grid.pass(60_000);
  expect(await grid.hf.books(), hint).toEqual(balanced);
  await grid.close();
};

const keepFew = async ({ hf }: Grid): Promise<void> => {
  await hf.giveBack([...hf.held.values()].slice(2));
  await hf.settle();
};

const killThrough = async (
  kind: string,
  points: (operation: string, kind: string) => readonly Point[],
): Promise<void> => {
  const grid = await createGrid(templatesOf(kind));
  grid.backend.emulator.configure(settingsFor(kind));
  for (const [name, killOnce] of Object.entries(operations)) {
    // A sweep reads each request that holds machines: one call of the table each.
    if (tablesAt !== undefined && name === 'getReturnRequests') await keepFew(grid);
    const field: Field = { grid, spare: new Map() };
    const kills = await killEach(points(name, kind), (point) => killOnce(field, kind, point));
    expect(kills, `kills of ${name}`).toBeGreaterThan(0);
    await grid.hf.settle();
  }
  await expectBalance(grid);
};

describe.concurrent('nothing is lost, leaked or doubled by a kill', { timeout: 1_200_000 * times }, () => {
  it.each(Object.keys(kinds))('at any AWS call: %s', (kind) => killThrough(kind, isShared ? shareOfCalls : atCalls));

  // With the state in a table there is nothing in files that could not be lost.
  it.skipIf(tablesAt !== undefined).each(thorough ? Object.keys(kinds) : ['RunInstances'])(
    'at any file operation: %s',
    (kind) => killThrough(kind, isShared ? atFilesServed : atFiles),
  );

  it('at any time', async () => {
    let state = seed % 2_147_483_647;
    // The Park-Miller generator: the same seed kills in the same order.
    const random = (): number => {
      state = (state * 48_271 + 1) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const pick = (names: readonly string[]): string => names[Math.floor(random() * names.length)] ?? '';
    const grid = await createGrid(templatesOf(...Object.keys(kinds)));
    const field: Field = { grid, spare: new Map() };
    const begun = performance.now();
    await grid.hf.ask('instant');
    const usual = performance.now() - begun;
    for (let kills = 0; kills < runs(40); ) {
      const operation = operations[pick(Object.keys(operations))];
      const point = { afterMs: random() * usual };
      const victim = victims[Math.floor(random() * victims.length)];
      if (await operation?.(field, pick(Object.keys(kinds)), point, victim)) kills += 1;
    }
    await expectBalance(grid, howToRepeat());
  });
});
