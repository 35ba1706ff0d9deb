import { parameterTable } from '../wire/parameter-table.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { Tags, World } from '../world.ts';
import { type Action, required, requiredList } from './action.ts';
import { parseResourceId, resourceId, spotRequestId } from './ids.ts';
import { tagsOf, viewsOf } from './instance-view.ts';
import { limited, readTags } from './tags.ts';

const mostResources = 1000;
const parameters = parameterTable('ResourceId.N Tag.N.Key Tag.N.Value');

const resourceTypes: ReadonlyMap<string, string> = new Map([
  ['i', 'instance'],
  ['vol', 'volume'],
  ['eni', 'network-interface'],
  ['sir', 'spot-instances-request'],
]);

const notFound = (id: string): ServiceError => {
  const codes: Readonly<Record<string, string>> = {
    vol: 'InvalidVolume.NotFound',
    sir: 'InvalidSpotInstanceRequestID.NotFound',
  };
  return new ServiceError(codes[id.split('-')[0] ?? ''] ?? 'InvalidID', `The ID '${id}' is not valid`);
};

const ownerNumber = (world: World, id: string): number | undefined => {
  const [, number] = /^sir-[0-9a-f]{2}([0-9a-f]{6})$/.exec(id) ?? [];
  if (number === undefined) return parseResourceId(world, id)?.number;
  const parsed = Number.parseInt(number, 16);
  return spotRequestId(world, parsed) === id ? parsed : undefined;
};

/** The tags of an instance, or of a volume, interface or Spot request that belongs to one. */
const currentTags = (world: World, id: string): Tags => {
  const owner = world.templates.get(id) ?? world.fleets.get(id);
  if (owner !== undefined) return world.changedTags.get(id) ?? owner.tags;
  const type = resourceTypes.get(id.split('-')[0] ?? '');
  if (type === 'instance') viewsOf(world, [id]);
  const number = ownerNumber(world, id);
  if (number === undefined || type === undefined) throw notFound(id);
  const instance = world.instances.get(resourceId(world, 'i', number));
  const reservation = world.reservations.get(instance?.reservationId ?? '');
  if (reservation === undefined) throw notFound(id);
  return tagsOf(world, id, reservation, type);
};

/** All or nothing: the new tags of every resource are known before the first is changed. */
const change = (world: World, ids: readonly string[], edit: (tags: Tags) => Tags): { return: true } => {
  if (ids.length > mostResources)
    throw invalidValue(`At most ${mostResources} resources can be tagged, not ${ids.length}`);
  const edited = ids.map((id) => [id, limited(edit(currentTags(world, id)))] as const);
  for (const [id, tags] of edited) world.changedTags.set(id, tags);
  return { return: true };
};

export const createTags: Action = {
  parameters,
  answer: (world, params) => {
    const added = readTags(params);
    required(params.has('Tag') || undefined, 'Tag');
    return change(world, requiredList(params, 'ResourceId'), (tags) => ({ ...tags, ...added }));
  },
};

export const deleteTags: Action = {
  parameters,
  answer: (world, params) => {
    const doomed = params.each('Tag').map((tag) => [tag.text('Key') ?? '', tag.text('Value')] as const);
    // API reference: a key without a value deletes the tag whatever its value; no tag at all deletes all but `aws:` ones.
    const isDoomed = (key: string, value: string): boolean =>
      doomed.length === 0
        ? !key.startsWith('aws:')
        : doomed.some(([name, only]) => name === key && (only === undefined || only === value));
    return change(world, requiredList(params, 'ResourceId'), (tags) =>
      Object.fromEntries(Object.entries(tags).filter(([key, value]) => !isDoomed(key, value))),
    );
  },
};
