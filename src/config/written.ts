// What needs no schema: shared with administrators' tools, which do not carry the scripts' validators with them.

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const nameOf = (entry: unknown, index: number): string =>
  isObject(entry) && typeof entry['templateId'] === 'string' ? entry['templateId'] : `templates[${index}]`;

/** Fields IBM's own tools write and nobody means. */
export const ignoredFields: ReadonlySet<string> = new Set(['pgrpName', 'onDemandCapacity', '$schema', '$comment']);

export const unknownField = 'is unknown and ignored';

/** Attributes Host Factory knows. */
export const attributeNames: readonly string[] = ['type', 'ncpus', 'nram', 'ncores', 'nthreads', 'rank', 'priceInfo'];
