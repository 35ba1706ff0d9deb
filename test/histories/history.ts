import fc from 'fast-check';
import { createGrid, type Grid } from './grid.ts';
import { createHostFactory, type HostFactory } from './host-factory.ts';
import { type Kind, kindNames } from './kinds.ts';
import { noter, type Played } from './played.ts';
import type { Trouble } from './process.ts';

const [second, minute] = [1000, 60_000];

type Step =
  | { readonly do: 'request'; readonly kind: Kind; readonly count: number; readonly trouble?: Trouble | undefined }
  | { readonly do: 'status'; readonly trouble?: Trouble | undefined }
  | { readonly do: 'return'; readonly picks: readonly number[]; readonly trouble?: Trouble | undefined }
  | { readonly do: 'reclaim'; readonly trouble?: Trouble | undefined }
  | { readonly do: 'cancel'; readonly pick: number; readonly trouble?: Trouble | undefined }
  /** Somebody other than Host Factory looks at all requests. */
  | { readonly do: 'look'; readonly trouble?: Trouble | undefined }
  | { readonly do: 'sweep'; readonly trouble?: Trouble | undefined }
  | { readonly do: 'pass'; readonly ms: number }
  /** Machines of each type that each zone has room for. */
  | { readonly do: 'capacity'; readonly room: number }
  /** Looks for which EC2 does not show what it launches. */
  | { readonly do: 'hide'; readonly looks: number }
  | { readonly do: 'interrupt'; readonly pick: number; readonly state: 'terminated' | 'stopped' };

export interface History {
  readonly hasLaunchInstances: boolean;
  readonly steps: readonly Step[];
}

const trouble = fc.option(
  fc.record({
    at: fc.integer({ min: 1, max: 12 }),
    what: fc.constantFrom('dies before', 'dies after', 'lost', 'unreached', 'throttled', 'denied' as const),
    lasts: fc.boolean(),
  }),
  { freq: 2, nil: undefined },
);

const pick = fc.nat(20);
const unlimited = 1000;

const stepOf = (...kinds: readonly Kind[]): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('request' as const),
        kind: fc.constantFrom(...kinds),
        count: fc.integer({ min: 1, max: 4 }),
        trouble,
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('status' as const), trouble }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('return' as const),
        picks: fc.array(pick, { minLength: 1, maxLength: 3 }),
        trouble,
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('reclaim' as const), trouble }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick, trouble }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), trouble }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const), trouble }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        ms: fc.constantFrom(10 * second, minute, 3 * minute, 16 * minute, 61 * minute),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('capacity' as const), room: fc.constantFrom(0, 1, 2, unlimited) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('hide' as const), looks: fc.integer({ min: 0, max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('interrupt' as const),
        pick,
        state: fc.constantFrom('terminated', 'stopped' as const),
      }),
    },
  );

/** One or two kinds of capacity, so that requests of the same meet. */
export const history: fc.Arbitrary<History> = fc
  .tuple(fc.constantFrom(...kindNames), fc.constantFrom(...kindNames))
  .chain((kinds) =>
    fc.record({
      hasLaunchInstances: fc.boolean(),
      steps: fc.array(stepOf(...kinds), { minLength: 3, maxLength: 12 }),
    }),
  );

const take = async (grid: Grid, hf: HostFactory, step: Step): Promise<void> => {
  switch (step.do) {
    case 'request':
      return hf.request(step.kind, step.count, step.trouble);
    case 'status':
      return hf.poll(step.trouble);
    case 'return':
      return hf.giveBack(step.picks, step.trouble);
    case 'reclaim':
      return hf.reclaim(step.trouble);
    case 'cancel':
      return hf.cancel(step.pick, step.trouble);
    case 'look':
      return hf.lookOn(step.trouble);
    case 'sweep':
      return grid.administer(() => grid.world.service.reconcile({ apply: true }), step.trouble);
    case 'pass':
      return grid.world.pass(step.ms);
    case 'capacity':
      grid.region.configure({ capacity: step.room === unlimited ? {} : { '*:*': step.room } });
      return;
    case 'hide':
      grid.region.configure({ invisibleForCalls: step.looks });
      return;
    case 'interrupt':
      return hf.interrupt(step.pick, step.state);
  }
};

/** Plays a history, with the configuration in `folder`, and goes on until all has come to rest; throws where the ledger does not balance, with all that was done. */
export const play = async (folder: string, { hasLaunchInstances, steps }: History, played?: Played): Promise<void> => {
  const told: string[] = [];
  try {
    const note = noter(played ?? new Map());
    const grid = await createGrid({ folder, hasLaunchInstances, note, tell: (line) => told.push(`  ${line}`) });
    const hf = createHostFactory(grid);
    for (const step of steps) {
      told.push(JSON.stringify(step));
      grid.world.pass(2 * second);
      await take(grid, hf, step);
      hf.check();
    }
    told.push('comes to rest');
    await hf.comeToRest();
    told.push('gives all back');
    await hf.giveAllBack();
  } catch (error) {
    throw new Error([String(error), ...told].join('\n'), { cause: error });
  }
};
