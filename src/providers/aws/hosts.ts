import type { Instance } from '@aws-sdk/client-ec2';
import type { Hosts } from '../../application/ports.ts';
import { hasCode, messageOf } from '../../domain/errors.ts';
import type { OwnedSighting } from '../../domain/return-request.ts';
import type { Remember } from './credentials.ts';
import type { Ec2 } from './ec2.ts';
import { readRetirements, readSpotNotices } from './reclaim-notices.ts';
import { toOwnedSighting } from './sighting.ts';
import { type Mark, tagKeys } from './tags.ts';

/** EC2: values per filter. */
const idsPerFilter = 200;
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

export interface HostsOptions extends Mark {
  readonly ec2: Ec2;
  readonly remember: Remember;
}

/** Reads and terminates instances in bulk. Ids go into a filter, never a list: one unknown id must not hide the others. */
export const createHosts = ({ ec2, remember, ...mark }: HostsOptions): Hosts => {
  const readBy = async <T>(
    filter: string,
    values: readonly string[],
    keep: (instance: Instance) => T,
  ): Promise<readonly T[]> => {
    const chunks = chunksOf([...new Set(values)], idsPerFilter);
    const found = await inParallel(chunks, parallelReads, async (chunk) =>
      (await ec2.describeInstances([{ Name: filter, Values: [...chunk] }])).map(keep),
    );
    return found.flat();
  };
  const look = (filter: string, values: readonly string[]): Promise<readonly OwnedSighting[]> =>
    readBy(filter, values, (instance) => toOwnedSighting(instance, mark));

  return {
    describe: (ids) => look('instance-id', ids),
    describeByName: (names) => look('private-dns-name', names),
    describeByRequest: async (requestIds) =>
      (await look(`tag:${tagKeys.request}`, requestIds)).filter(({ ours }) => ours),
    ours: async () => {
      const filters = [
        { Name: `tag:${tagKeys.owner}`, Values: [mark.owner] },
        { Name: 'instance-state-name', Values: ['pending', 'running', 'stopping', 'stopped'] },
      ];
      return (await ec2.describeInstances(filters)).map((instance) => toOwnedSighting(instance, mark));
    },
    spotNotices: () => readSpotNotices(ec2),
    retirements: () => readRetirements(ec2, remember),
    terminate: async (machines) => {
      const refused = new Map<string, string>();
      const byZone = [...machines].sort((a, b) => (a.zone ?? '').localeCompare(b.zone ?? ''));
      const ids = [...new Set(byZone.map(({ machineId }) => machineId))];
      for (const chunk of chunksOf(ids, idsPerTermination)) await terminateChunk(ec2, chunk, refused);
      return refused;
    },
    tagWithOwnId: async (machineIds) => {
      const instances = await readBy('instance-id', machineIds, (instance) => instance);
      await inParallel(instances, parallelTagging, async ({ InstanceId = '', BlockDeviceMappings = [] }) => {
        const volumes = BlockDeviceMappings.flatMap(({ Ebs }) => (Ebs?.VolumeId === undefined ? [] : [Ebs.VolumeId]));
        await ec2.createTags([InstanceId, ...volumes], [{ Key: 'InstanceID', Value: InstanceId }]);
      });
    },
  };
};

const idsIn = (text: string): readonly string[] => text.match(/\bi-[0-9a-zA-Z]+/g) ?? [];

/**
 * EC2 terminates nothing when one id is unknown, and spares a whole zone when one of its instances is protected: the ids it
 * names are taken out, the rest is asked for again, at the end one by one.
 */
const terminateChunk = async (ec2: Ec2, ids: readonly string[], refused: Map<string, string>): Promise<void> => {
  if (ids.length === 0) return;
  try {
    await ec2.terminateInstances(ids);
  } catch (error) {
    if (!isAboutSome(error)) throw error;
    const reason = messageOf(error);
    const bad = ids.length === 1 ? ids : idsIn(reason).filter((id) => ids.includes(id));
    for (const id of bad) refused.set(id, reason);
    const rest = ids.filter((id) => !bad.includes(id));
    // Where EC2 names nobody, each is asked for by itself.
    const parts = bad.length === 0 ? rest.map((id) => [id]) : [rest];
    for (const part of parts) await terminateChunk(ec2, part, refused);
  }
};

/** Faults that concern some of the ids of a call, not the call. */
const isAboutSome = (error: unknown): boolean =>
  hasCode(error, 'provider.missing', 'provider.misconfigured', 'provider.denied') &&
  /^(InvalidInstanceID|OperationNotPermitted|IncorrectInstanceState|UnsupportedOperation)/.test(error.aws?.code ?? '');
