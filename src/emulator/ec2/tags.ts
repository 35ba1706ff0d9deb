import { parameterTable } from '../wire/parameter-table.ts';
import type { Parameters } from '../wire/parameters.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags, World } from '../world.ts';
import { type Action, required, requiredList } from './action.ts';
import { parseResourceId, resourceId, spotRequestId } from './ids.ts';
import { tagsOf, viewsOf } from './instance-view.ts';

// EC2 user guide, "Tag restrictions".
const mostTags = 50;
const longestKey = 128;
const longestValue = 256;

const checkTag = (key: string, value: string): void => {
  if (/^aws:/i.test(key)) throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
  if (key === '' || key.length > longestKey)
    throw invalidValue(`Tag key '${key}' must have 1 to ${longestKey} characters`);
  if (value.length > longestValue)
    throw invalidValue(`Tag value exceeds the maximum length of ${longestValue} characters`);
};

/** The `Tag.N` of a call or of one tag specification, checked as EC2 checks them. */
export const readTags = (params: Parameters): Tags => {
  const tags = params.each('Tag').map((tag) => [tag.text('Key') ?? '', tag.text('Value') ?? ''] as const);
  for (const [key, value] of tags) checkTag(key, value);
  if (new Set(tags.map(([key]) => key)).size < tags.length) throw invalidValue('Duplicate tag keys in the request');
  return limited(Object.fromEntries(tags));
};

/** Fails unless the `TagSpecification.N` of a call, or of launch template data, are of `taggable` types, one of each. */
export const checkTagSpecifications = (params: Parameters, taggable: readonly string[]): void => {
  readTagSpecifications(params, taggable);
  const types = params.each('TagSpecification').map((each) => each.text('ResourceType'));
  if (new Set(types).size < types.length) throw invalidValue('Tag specification resource types must be distinct');
};

/** The `TagSpecification.N` of a call by resource type; only `taggable` types may be in it. */
export const readTagSpecifications = (
  params: Parameters,
  taggable: readonly string[],
): Readonly<Record<string, Tags>> => {
  const found: Record<string, Tags> = {};
  for (const specification of params.each('TagSpecification')) {
    const type = specification.text('ResourceType') ?? '';
    if (!taggable.includes(type))
      throw invalidValue(`'${type}' is not a valid taggable resource type for this operation.`);
    found[type] = limited({ ...readTags(specification), ...found[type] });
  }
  return found;
};

/** The same tags, unless they are more than a resource can carry. */
const limited = (tags: Tags): Tags => {
  const own = Object.keys(tags).filter((key) => !key.startsWith('aws:'));
  if (own.length > mostTags) throw new ServiceError('TagLimitExceeded', `More than ${mostTags} tags specified`);
  return tags;
};

export const tagSet = (tags: Tags): XmlFields[] => Object.entries(tags).map(([key, value]) => ({ key, value }));

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
