import type { Parameters } from '../wire/parameters.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { Tags } from '../world.ts';

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
export const limited = (tags: Tags): Tags => {
  const own = Object.keys(tags).filter((key) => !key.startsWith('aws:'));
  if (own.length > mostTags) throw new ServiceError('TagLimitExceeded', `More than ${mostTags} tags specified`);
  return tags;
};

export const tagSet = (tags: Tags): XmlFields[] => Object.entries(tags).map(([key, value]) => ({ key, value }));
