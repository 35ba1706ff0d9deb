// What needs no schema: shared with administrators' tools, which do not carry the scripts' validators with them.

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Case, underscores and hyphens tell no names apart. */
export const plain = (name: string): string => name.replaceAll(/[_-]/g, '').toLowerCase();

/** By its `templateId`, however that is spelled. */
export const nameOf = (entry: unknown, index: number): string => {
  const named = isObject(entry) ? Object.entries(entry).find(([name]) => /^template_?id$/i.test(name))?.[1] : undefined;
  return typeof named === 'string' ? named : `templates[${index}]`;
};

/** What a templates file must be. */
export const templatesForm =
  'must have the form {"templates": [{"templateId": "…", …}, …]}: one object with a list of templates';

export const unknownField = 'is unknown and ignored';

/** Attributes Host Factory knows. */
export const attributeNames: readonly string[] = ['type', 'ncpus', 'nram', 'ncores', 'nthreads', 'rank', 'priceInfo'];

/** Empty values say nothing in any of the vocabularies. */
export const isSet = (value: unknown): boolean =>
  value !== '' &&
  value !== null &&
  value !== undefined &&
  !(Array.isArray(value) && value.length === 0) &&
  !(isObject(value) && Object.keys(value).length === 0);
