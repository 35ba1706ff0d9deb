import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, number, text, words } from '../bus/shapes.ts';
import { listedIds } from '../life-cycle/streams.ts';
import type { StateHead, StatePlace, StatePlaces } from '../ports/state-copy.ts';
import type { Stream } from '../ports/streams.ts';
import type { Progress } from '../ports/telemetry.ts';
import { claimKey, commonEvents, forEach, noTraces, noteTraces, readStream, type Traces } from '../state/records.ts';

const place = closed({
  name: words,
  stands: {
    enum: ['used', 'left', 'filling', 'absent'],
    description: 'left for the other; filling: being copied from it',
  },
});

export const verifyState = defineOperation({
  name: 'VerifyState',
  bus: 'query',
  role: 'admin',
  title: 'Compare the state in the work folder with that in a DynamoDB table',
  input: { table: { ...text, description: 'The DynamoDB table; by default stateTable of the configuration' } },
  answer: closed({
    folder: place,
    table: place,
    requests: { ...number, description: 'Requests and returns that were compared, with those set aside' },
    isSame: flag,
    differences: listOf(
      closed({
        what: { ...words, description: 'e.g. the id of a request' },
        folder: { ...words, description: 'What the work folder holds of it' },
        table: { ...words, description: 'What the table holds of it' },
      }),
    ),
  }),
});

export interface VerifyStatePorts {
  readonly statePlaces: (table: string | undefined) => Promise<StatePlaces<StatePlace>>;
  readonly progress?: Progress | undefined;
}

interface Difference {
  readonly what: string;
  readonly folder: string;
  readonly table: string;
}

const nothing = 'nothing';

const streamText = (stream: Stream | string): string => {
  if (typeof stream === 'string') return `unreadable: ${stream}`;
  return stream.version === 0 ? nothing : stream.version === 1 ? '1 event' : `${stream.version} events`;
};

const streamDifference = (what: string, folder: Stream | string, table: Stream | string): readonly Difference[] => {
  const difference = { what, folder: streamText(folder), table: streamText(table) };
  if (typeof folder === 'string' || typeof table === 'string') return [difference];
  const common = commonEvents(folder, table);
  if (common === folder.version && common === table.version) return [];
  const isPrefix = common === Math.min(folder.version, table.version);
  return [isPrefix ? difference : { ...difference, table: `${difference.table}, other ones from event ${common} on` }];
};

/** Everything but the streams, in words. */
const restOf = async ({ store, commandIds }: StatePlace, traces: Traces): Promise<ReadonlyMap<string, string>> => {
  const rest = new Map<string, string>();
  for (const claim of await store.live.list()) rest.set(`capacity ${claimKey(claim)}`, `${claim.units} units`);
  for (const group of traces.groups)
    for (const claim of await store.ledger(group).list())
      rest.set(`group ${group}: ${claimKey(claim)}`, `${claim.units} units`);
  for (const templateId of await store.failures.templateIds())
    rest.set(`failures of ${templateId}`, [...(await store.failures.of(templateId)).machineIds].sort().join(' '));
  for (const [id, since] of (await store.sweepMemory.read()).orphans) rest.set(`swept ${id}`, String(since));
  await forEach(await commandIds([...traces.commandIds]), async (commandId) => {
    const answered = await store.answers.find<unknown>(commandId);
    if (answered !== undefined) rest.set(`answer ${commandId}`, JSON.stringify(answered));
  });
  return rest;
};

const headView = ({ name }: StatePlace, head: StateHead | undefined) =>
  ({ name, stands: head === undefined ? 'absent' : (head.mark?.kind ?? 'used') }) as const;

/** Reads both whole. */
export const verifyStateHandler =
  ({ statePlaces, progress }: VerifyStatePorts): HandlerOf<typeof verifyState> =>
  async ({ table: name }) => {
    const { folder, table } = await statePlaces(name);
    const heads = { folder: await folder.head(), table: await table.head() };
    const differences: Difference[] = [];
    const compare = (what: string, one: string, other: string): void => {
      if (one !== other) differences.push({ what, folder: one, table: other });
    };
    compare('store', heads.folder?.id ?? nothing, heads.table?.id ?? nothing);
    const aside = {
      folder: new Set(await folder.store.streams.archived()),
      table: new Set(await table.store.streams.archived()),
    };
    const open = { folder: await listedIds(folder.store.streams), table: await listedIds(table.store.streams) };
    const ids = new Set([...open.folder, ...open.table, ...aside.folder, ...aside.table]);
    const traces = noTraces();
    let done = 0;
    await forEach(ids, async (id) => {
      const [one, other] = [await readStream(folder, id), await readStream(table, id)];
      for (const stream of [one, other]) if (typeof stream !== 'string') noteTraces(traces, stream.events);
      const found = streamDifference(id, one, other);
      differences.push(...found);
      const listed = (isAside: boolean): string => (isAside ? 'set aside' : 'listed');
      if (found.length === 0) compare(id, listed(aside.folder.has(id)), listed(aside.table.has(id)));
      done += 1;
      progress?.('requests compared', done, ids.size);
    });
    const rest = { folder: await restOf(folder, traces), table: await restOf(table, traces) };
    for (const what of new Set([...rest.folder.keys(), ...rest.table.keys()]))
      compare(what, rest.folder.get(what) ?? nothing, rest.table.get(what) ?? nothing);
    return {
      folder: headView(folder, heads.folder),
      table: headView(table, heads.table),
      requests: ids.size,
      isSame: differences.length === 0,
      differences: differences.sort((a, b) => (a.what < b.what ? -1 : 1)),
    };
  };
