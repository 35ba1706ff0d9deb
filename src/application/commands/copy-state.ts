import { PluginError } from '../../domain/errors.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, text, words } from '../bus/shapes.ts';
import { listedIds } from '../life-cycle/streams.ts';
import type { Clock } from '../ports/policy.ts';
import type { StateEnd, StateMark, StatePlaces } from '../ports/state-copy.ts';
import type { Logger, Progress } from '../ports/telemetry.ts';
import { copyRest } from '../state/copy-rest.ts';
import { createStreamCopier, type StreamCopier } from '../state/copy-streams.ts';

export const copyState = defineOperation({
  name: 'CopyState',
  bus: 'command',
  role: 'admin',
  title: 'Copy the state between the work folder and a DynamoDB table',
  input: {
    to: { enum: ['table', 'folder'] },
    table: { ...text, description: 'Its name; stateTable of the configuration where none is told' },
    finish: { ...flag, description: 'Mark what is left, so that it refuses work, and let the copy be used' },
  },
  required: ['to'],
  answer: closed({
    id: { ...words, description: 'Of the store, the same in both places' },
    from: words,
    to: words,
    requests: { ...number, description: 'Requests and returns there, with those set aside' },
    events: { ...number, description: 'Events that were copied this time' },
    isMarked: { ...flag, description: 'What is left refuses work' },
    isFinished: { ...flag, description: 'The copy is whole and may be used' },
  }),
});

export interface CopyStatePorts {
  readonly statePlaces: (table: string | undefined) => Promise<StatePlaces<StateEnd>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Waits, ms. */
  readonly pause: (ms: number) => Promise<void>;
  readonly progress?: Progress | undefined;
}

const refused = (message: string): PluginError => new PluginError('storage.foreign', message);

/** Milliseconds without a change before the source is marked as left. */
const quiet = 1000;

/** A place that was left for a third one, or is being filled from there: the state may be in use there. */
const refuseMarkOfOthers = (from: StateEnd, to: StateEnd, mark: StateMark | undefined): void => {
  if (mark === undefined || mark.other === from.name) return;
  const what = mark.kind === 'left' ? 'was left for' : 'is a copy, not yet completed, of';
  throw refused(`${to.name} ${what} ${mark.other}, not ${from.name}: nothing is copied over it`);
};

/** Whether it was done before; else makes the target the store's, which refuses work until the copy is whole. */
const begin = async (from: StateEnd, to: StateEnd, clock: Clock) => {
  const [source, target] = [await from.head(), await to.head()];
  if (source === undefined) throw new PluginError('input.invalid', `${from.name} holds no state`);
  const { id, mark } = source;
  if (mark?.kind === 'filling')
    throw refused(`${from.name} is itself a copy of ${mark.other} that was not completed: complete it first`);
  if (mark !== undefined && (mark.other !== to.name || target === undefined))
    throw refused(`the state was moved from ${from.name} to ${mark.other}, and that is not what is to be copied to`);
  if (target === undefined && (await listedIds(to.store.streams)).length > 0)
    throw refused(`${to.name} holds requests, and not the id of their store`);
  if (target !== undefined && target.id !== id)
    throw refused(`${to.name} holds the state of another store (${target.id}, not ${id}): nothing is copied over it`);
  refuseMarkOfOthers(from, to, target?.mark);
  const isDone = target !== undefined && target.mark === undefined;
  if (isDone && mark === undefined)
    throw refused(`both ${from.name} and ${to.name} are in use: hf-aws state verify tells what differs`);
  if (!isDone && target?.mark?.kind !== 'filling')
    await to.setHead({ id, mark: { kind: 'filling', other: from.name, at: clock() } });
  return { id, leftAt: mark?.at, isDone };
};

/** Copies what is missing. Throws `storage.conflict` where somebody else has completed the copy, and it is in use. */
const copyAll = async (from: StateEnd, to: StateEnd, copier: StreamCopier): Promise<number> => {
  if ((await to.head())?.mark?.kind !== 'filling')
    throw new PluginError('storage.conflict', `${to.name} has just been put to use by another copy`);
  const events = await copier.pass();
  await copyRest(from, to, copier.traces);
  return events;
};

/** Every step can be done again: a copy that was cut off is completed by the next. */
export const copyStateHandler =
  ({ statePlaces, clock, log, pause, progress }: CopyStatePorts): HandlerOf<typeof copyState> =>
  async ({ to: goal, table, finish = false }) => {
    const places = await statePlaces(table);
    const [from, to] = goal === 'table' ? [places.folder, places.table] : [places.table, places.folder];
    const begun = await begin(from, to, clock);
    const { id, isDone } = begun;
    let { leftAt } = begun;
    const copier = createStreamCopier({ from, to, progress });
    const answer = (events: number, isFinished: boolean) => ({
      id,
      from: from.name,
      to: to.name,
      requests: copier.known(),
      events,
      isMarked: leftAt !== undefined,
      isFinished,
    });
    if (isDone) return answer(0, true);
    let events = await copyAll(from, to, copier);
    if (!finish) return answer(events, false);
    if (leftAt === undefined) {
      await pause(quiet);
      if ((await copier.pass()) > 0)
        throw new PluginError(
          'storage.conflict',
          `calls are under way: requests in ${from.name} went on while they were copied; stop Host Factory first`,
        );
      leftAt = clock();
      await from.setHead({ id, mark: { kind: 'left', other: to.name, at: leftAt } });
      log.warn('state.left', `${from.name} refuses work from now on: the state goes to ${to.name}`);
    }
    await untilEveryHostKnows(leftAt + from.knownEverywhereWithin, { clock, pause, progress });
    events += await copyAll(from, to, copier);
    await to.store.streams.packArchive(0);
    await to.setHead({ id });
    log.warn('state.moved', `the state is in ${to.name}`);
    return answer(events, true);
  };

const second = 1000;

/** Until no call can be under way that has not heard of the mark. */
const untilEveryHostKnows = async (
  end: number,
  { clock, pause, progress }: Pick<CopyStatePorts, 'clock' | 'pause' | 'progress'>,
): Promise<void> => {
  const begun = clock();
  for (let now = begun; now < end; now = clock()) {
    const [passed, all] = [now - begun, end - begun].map((ms) => Math.ceil(ms / second));
    progress?.('seconds until every host has heard', passed ?? 0, all ?? 0);
    await pause(Math.min(second, end - now));
  }
};
