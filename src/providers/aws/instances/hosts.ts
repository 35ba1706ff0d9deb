import type { Instance } from '@aws-sdk/client-ec2';
import type { Hosts } from '../../../application/ports/instances.ts';
import { hasCode, messageOf, type PluginError } from '../../../domain/errors.ts';
import type { OwnedObservation } from '../../../domain/machine.ts';
import { refusedWithOthers } from '../../../domain/return/state.ts';
import { createTags, type Ec2, fromInstances } from '../services/ec2.ts';
import type { Remember } from '../wire/credentials.ts';
import { toOwnedObservation } from './observation.ts';
import { readRetirements, readSpotNotices } from './reclaim-notices.ts';
import { type Ownership, tagKeys } from './tags.ts';

/** EC2: values per filter. */
const idsPerFilter = 200;
/** From so many ids on, a look at what carries our tag takes fewer calls: its pages hold 1000 instances. */
const manyIds = 500;
/** TerminateInstances takes 1000; AWS advises smaller batches. */
const idsPerTermination = 500;
const parallelReads = 4;
const parallelTagging = 4;

const chunksOf = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

/** Runs the jobs with at most `width` at a time; answers in their order. The first fault ends it. */
const inParallel = async <T, R>(
  items: readonly T[],
  width: number,
  job: (item: T) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = [];
  for (const group of chunksOf(items, width)) results.push(...(await Promise.all(group.map(job))));
  return results;
};

/** Of others EC2 knows none: too long for a filter they spoil the whole call, and `*` and `?` stand for any text there. */
const isPossibleName = (name: string): boolean => /^[a-z0-9._-]{1,255}$/i.test(name);

export interface HostsOptions extends Ownership {
  readonly ec2: Ec2;
  readonly remember: Remember;
}

/** Reads and terminates instances in bulk. Ids go into a filter, never a list: one unknown id must not hide the others. */
export const createHosts = ({ ec2, remember, ...ownership }: HostsOptions): Hosts => {
  const readBy = async <T>(
    filter: string,
    values: readonly string[],
    keep: (instance: Instance) => T,
  ): Promise<readonly T[]> => {
    const chunks = chunksOf([...new Set(values)], idsPerFilter);
    const found = await inParallel(chunks, parallelReads, (chunk) =>
      fromInstances(ec2, [{ Name: filter, Values: [...chunk] }], (instance) => [keep(instance)]),
    );
    return found.flat();
  };
  const look = (filter: string, values: readonly string[]): Promise<readonly OwnedObservation[]> =>
    readBy(filter, values, (instance) => toOwnedObservation(instance, ownership));

  const ourTag = { Name: `tag:${tagKeys.owner}`, Values: [ownership.owner] };
  /** Those with our tag in pages of all that carry it, but no more pages than pay; the others by id. */
  const lookAtMany = async (ids: ReadonlySet<string>): Promise<readonly OwnedObservation[]> => {
    const seen = await fromInstances(
      ec2,
      [ourTag],
      (instance) => (ids.has(instance.InstanceId ?? '') ? [toOwnedObservation(instance, ownership)] : []),
      Math.ceil(ids.size / manyIds),
    );
    const shown = new Set(seen.map(({ machineId }) => machineId));
    return [
      ...seen,
      ...(await look(
        'instance-id',
        [...ids].filter((id) => !shown.has(id)),
      )),
    ];
  };

  return {
    describe: (ids) => (ids.length < manyIds ? look('instance-id', ids) : lookAtMany(new Set(ids))),
    describeByName: (names) => look('private-dns-name', names.filter(isPossibleName)),
    describeByRequest: async (requestIds) =>
      (await look(`tag:${tagKeys.request}`, requestIds)).filter(({ ours }) => ours),
    ours: async () => {
      const filters = [ourTag, { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] }];
      const found = await fromInstances(ec2, filters, (instance) => [toOwnedObservation(instance, ownership)]);
      return found.filter(({ ours }) => ours);
    },
    spotNotices: () => readSpotNotices(ec2),
    retirements: () => readRetirements(ec2, remember),
    terminate: async (machines) => {
      const byZone = [...machines].sort((a, b) => (a.zone ?? '').localeCompare(b.zone ?? ''));
      const ids = [...new Set(byZone.map(({ machineId }) => machineId))];
      return terminateAll(ec2, ids);
    },
    tagWithOwnId: async (machineIds) => {
      const instances = await readBy('instance-id', machineIds, (instance) => instance);
      await inParallel(instances, parallelTagging, async ({ InstanceId = '', BlockDeviceMappings = [] }) => {
        const volumes = BlockDeviceMappings.flatMap(({ Ebs }) => (Ebs?.VolumeId === undefined ? [] : [Ebs.VolumeId]));
        await createTags(ec2, [InstanceId, ...volumes], [{ Key: 'InstanceID', Value: InstanceId }]);
      });
    },
  };
};

const idsIn = (text: string): readonly string[] => text.match(/\bi-[0-9a-zA-Z]+/g) ?? [];

/** Denials with nothing accepted after which two single ids are asked for: are they denied as well, all are. */
const denialsBeforeProbes = 3;
/** So few are asked for one by one where EC2 does not say which of them it means; more in halves. */
const fewIds = 3;

/** Parts to be asked for instead of one of which EC2 refused some and named nobody. */
const partsOf = (ids: readonly string[]): readonly (readonly string[])[] =>
  ids.length <= fewIds ? ids.map((id) => [id]) : chunksOf(ids, Math.ceil(ids.length / 2));

/** Calls beyond one per batch: enough to find one or two by halving. The rest is left for another time. */
const mostCallsMore = (count: number): number => 2 * Math.ceil(Math.log2(Math.max(2, count))) + 12;

interface Termination {
  waiting: (readonly string[])[];
  callsLeft: number;
  isAnyAccepted: boolean;
  isProbed: boolean;
  /** EC2's reason per id. */
  readonly refused: Map<string, string>;
  denials: number;
  lastRefusal?: PluginError;
}

const isDenial = (error: PluginError): boolean => error.aws?.code === 'UnauthorizedOperation';

/** Notes whom EC2 named as not to be terminated, all of a single one, and what to ask for instead of that part. */
const takeOut = (state: Termination, part: readonly string[], error: PluginError): void => {
  const reason = messageOf(error);
  const named = part.length === 1 ? part : idsIn(reason).filter((id) => part.includes(id));
  for (const id of named) state.refused.set(id, reason);
  const rest = part.filter((id) => !named.includes(id));
  if (isDenial(error)) state.denials++;
  else if (named.length > 0) state.callsLeft++;
  state.lastRefusal = error;
  if (named.length > 0) state.waiting.unshift(...chunksOf(rest, idsPerTermination));
  // The largest parts first: of them most can go.
  else state.waiting.push(...partsOf(rest));
};

/** The next ids to ask for. Where everything has been denied so far, one of the middle and the last of all come first. */
const nextPart = (state: Termination): readonly string[] => {
  if (!state.isAnyAccepted && !state.isProbed && state.denials >= denialsBeforeProbes) {
    state.isProbed = true;
    const ids = state.waiting.flat();
    const probes = new Set([ids[Math.floor(ids.length / 2)], ids.at(-1)]);
    const rest = state.waiting.map((part) => part.filter((id) => !probes.has(id))).filter(({ length }) => length > 0);
    state.waiting = [...ids.filter((id) => probes.has(id)).map((id) => [id]), ...rest];
  }
  return state.waiting.shift() ?? [];
};

/**
 * EC2 terminates nothing when one id is unknown or not to be terminated by us, and spares a whole zone when one of its instances is
 * protected: the ids it names are taken out, the rest is asked for again. Answers with its reason per id refused; throws where
 * it let none be terminated by us.
 */
const terminateAll = async (ec2: Ec2, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const waiting = [...chunksOf(ids, idsPerTermination)];
  const callsLeft = waiting.length + mostCallsMore(ids.length);
  const refused = new Map<string, string>();
  const state: Termination = { waiting, callsLeft, isAnyAccepted: false, isProbed: false, refused, denials: 0 };
  while (state.waiting.length > 0 && state.callsLeft > 0) {
    const part = nextPart(state);
    state.callsLeft--;
    try {
      await ec2.change('TerminateInstances', { InstanceIds: [...part] });
      state.isAnyAccepted = true;
    } catch (error) {
      if (!isAboutSome(error)) throw error;
      takeOut(state, part, error);
      const isAboutAll = state.denials >= denialsBeforeProbes + 2 || state.waiting.length === 0;
      if (isDenial(error) && !state.isAnyAccepted && isAboutAll) throw error;
    }
  }
  const reason = refusedWithOthers(state.lastRefusal === undefined ? '' : messageOf(state.lastRefusal));
  return new Map([...state.waiting.flat().map((id) => [id, reason] as const), ...refused]);
};

/** Faults that concern some of the ids of a call, not the call. */
const isAboutSome = (error: unknown): error is PluginError =>
  hasCode(error, 'provider.missing', 'provider.misconfigured', 'provider.denied') &&
  /^(InvalidInstanceID|OperationNotPermitted|IncorrectInstanceState|UnsupportedOperation|UnauthorizedOperation)/.test(
    error.aws?.code ?? '',
  );
