import { providerApiOf, type Template } from './template.ts';

/** A value of a template that is another; `before` or `now` is absent where there is none. */
export interface ValueChange {
  /** Its path: `vmType`, `attributes.ncores`, `instanceTags.team`. */
  readonly field: string;
  readonly before?: unknown;
  readonly now?: unknown;
}

/** By path, attributes and tags one by one; what is empty is not there. */
const valuesOf = (template: Template): ReadonlyMap<string, unknown> => {
  const { templateId: _id, attributes, instanceTags, imageAlias, imageId, ...rest } = template;
  const values = [
    ...Object.entries({ ...rest, imageId: imageAlias ?? imageId, providerApi: providerApiOf(template) }),
    ...Object.entries(attributes).map(([name, value]) => [`attributes.${name}`, value] as const),
    ...instanceTags.map(([key, value]) => [`instanceTags.${key}`, value] as const),
  ];
  return new Map(values.filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));
};

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Where a template says something else than another of its id, as both are served. */
export const changesBetween = (before: Template, now: Template): readonly ValueChange[] => {
  const [then, there] = [valuesOf(before), valuesOf(now)];
  const fields = [...new Set([...then.keys(), ...there.keys()])];
  return fields
    .filter((field) => !isSame(then.get(field), there.get(field)))
    .map((field) => ({
      field,
      ...(then.has(field) ? { before: then.get(field) } : {}),
      ...(there.has(field) ? { now: there.get(field) } : {}),
    }));
};

/** What Host Factory itself sees of a template. */
const isOffered = (field: string): boolean => /^(attributes\.|instanceTags\.|maxNumber$|vmTypes$)/.test(field);

/** What happens when a value is changed, for people. `inUse`: units that running requests hold. */
export const effectOf = ({ field, now }: ValueChange, inUse: number): string => {
  if (field === 'maxNumber') {
    const limit = Number(now);
    if (limit >= 0 && limit <= inUse)
      return `launches nothing more while ${limit} or more are in use (now ${inUse}); nothing is ended`;
    return 'is the limit of new requests, and what Host Factory is offered at its next getAvailableTemplates';
  }
  if (field.startsWith('attributes.'))
    return 'is offered by the next getAvailableTemplates; hosts that run keep the attributes they came with';
  if (field === 'providerApi') return 'serves new requests; running ones go on by the API that launched them';
  return isOffered(field)
    ? 'is offered by the next getAvailableTemplates, and goes for new hosts'
    : 'goes for new requests';
};
