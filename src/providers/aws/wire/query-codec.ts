import type { Names } from './misfits.ts';
import { parseXml } from './xml.ts';

/**
 * AWS's query protocols by the SDK's schemas (`StaticSchema` of @smithy/types): `ec2` is EC2's, `query` that of other old
 * services. The SDK's own serializers, against which this is tested, look at every member a type has; this looks at those
 * that are there.
 */
export type Dialect = 'ec2' | 'query';

interface Traits {
  readonly xmlName?: string;
  readonly ec2QueryName?: string;
  readonly xmlFlattened?: number;
}

/** A use of a type: `reference` is a type's number, its schema, or a function that gives either. */
interface Use {
  readonly reference: unknown;
  readonly traits: Traits;
}

type Type =
  | { readonly kind: 'simple'; readonly code: number }
  | { readonly kind: 'list'; readonly item: Use }
  | { readonly kind: 'structure'; readonly schema: readonly unknown[] };

/** The SDK's numbers: of simple types, the flag of a list of them, and of the other kinds of schema. */
const codes = { number: 1, boolean: 2, timestamp: 4, dateTime: 5, blob: 21, list: 64 } as const;
const kinds = { simple: 0, list: 1, structure: 3 } as const;

/** The structure of an operation that takes or gives nothing. */
const nothing = [kinds.structure, '', 'Unit', 0, [], []];

const traitsOf = (traits: unknown): Traits => (typeof traits === 'object' && traits !== null ? traits : {});

/** A pair is a reference with the traits of its use. */
const useOf = (reference: unknown): Use => {
  if (!Array.isArray(reference) || reference.length !== 2) return { reference, traits: {} };
  const [inner, traits]: readonly unknown[] = reference;
  return { reference: inner, traits: traitsOf(traits) };
};

const typeOf = (reference: unknown): Type => {
  if (typeof reference === 'function') return typeOf(reference());
  if (reference === 'unit') return { kind: 'structure', schema: nothing };
  if (typeof reference === 'number') {
    if ((reference & codes.list) === 0) return { kind: 'simple', code: reference };
    return { kind: 'list', item: { reference: reference & ~codes.list, traits: {} } };
  }
  const schema: readonly unknown[] = Array.isArray(reference) ? reference : [];
  switch (schema[0]) {
    case kinds.simple:
      return typeOf(schema[4]);
    case kinds.list:
      return { kind: 'list', item: useOf(schema[4]) };
    case kinds.structure:
      return { kind: 'structure', schema };
    default:
      throw new Error(`the SDK has a kind of schema that is not known here: ${String(schema[0] ?? reference)}`);
  }
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const membersOf = (schema: readonly unknown[]): readonly (readonly [string, Use])[] => {
  const references = listOf(schema[5]);
  return listOf(schema[4]).map((name, index) => [String(name), useOf(references[index])]);
};

/** As the SDK does: what encodeURIComponent leaves but RFC 3986 reserves. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const simpleText = (code: number, value: unknown): string => {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (code === codes.blob && value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return String(value);
};

const keyOf = (dialect: Dialect, name: string, { ec2QueryName, xmlName = name }: Traits): string => {
  if (dialect === 'query') return xmlName;
  return ec2QueryName ?? `${xmlName.slice(0, 1).toUpperCase()}${xmlName.slice(1)}`;
};

const writeList = (dialect: Dialect, item: Use, values: readonly unknown[], key: string, isFlat: boolean): string => {
  if (values.length === 0) return dialect === 'ec2' ? '' : `&${encode(key)}=`;
  const stem = isFlat ? key : `${key}.${item.traits.xmlName ?? 'member'}`;
  const present = values.filter((value) => value !== undefined && value !== null);
  return present.map((value, index) => write(dialect, item, value, `${stem}.${index + 1}`)).join('');
};

const write = (dialect: Dialect, { reference, traits }: Use, value: unknown, key: string): string => {
  const type = typeOf(reference);
  if (type.kind === 'simple') return `&${encode(key)}=${encode(simpleText(type.code, value))}`;
  if (type.kind === 'list') {
    const isFlat = dialect === 'ec2' || traits.xmlFlattened !== undefined;
    return writeList(dialect, type.item, listOf(value), key, isFlat);
  }
  if (!isObject(value)) return '';
  const prefix = key === '' ? '' : `${key}.`;
  return membersOf(type.schema)
    .filter(([name]) => value[name] !== undefined && value[name] !== null)
    .map(([name, use]) => write(dialect, use, value[name], prefix + keyOf(dialect, name, use.traits)))
    .join('');
};

/** The form parameters of an input, each preceded by `&`. */
export const toForm = (dialect: Dialect, schema: unknown, input: object): string =>
  write(dialect, useOf(schema), input, '');

/** The schema of a member at this path, through lists. Throws for a name that the SDK does not have there. */
export const memberOf = (schema: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((outer, name) => {
    let type = typeOf(useOf(outer).reference);
    while (type.kind === 'list') type = typeOf(type.item.reference);
    const [, use] = (type.kind === 'structure' ? membersOf(type.schema) : []).find(([each]) => each === name) ?? [];
    if (use === undefined) throw new Error(`the SDK has no ${name} in ${path.join('.')}`);
    return use.reference;
  }, schema);

const namesOf = ({ reference }: Use): Names => {
  const type = typeOf(reference);
  if (type.kind === 'simple') return 0;
  if (type.kind === 'list') return { '[]': namesOf(type.item) };
  return Object.fromEntries(membersOf(type.schema).map(([name, use]) => [name, namesOf(use)]));
};

/** The names that an input of a schema may have. */
export const namesIn = (schema: unknown): Names => namesOf(useOf(schema));

const simpleValue = (code: number, text: string): unknown => {
  switch (code) {
    case codes.number:
      return Number(text);
    case codes.boolean:
      return text.toLowerCase() === 'true';
    case codes.timestamp:
    case codes.dateTime:
      return new Date(text);
    case codes.blob:
      return Buffer.from(text, 'base64');
    default:
      return text;
  }
};

const byXmlName = new WeakMap<object, ReadonlyMap<string, readonly [string, Use]>>();

const readable = (schema: readonly unknown[]): ReadonlyMap<string, readonly [string, Use]> => {
  const known = byXmlName.get(schema);
  if (known !== undefined) return known;
  const members = new Map(membersOf(schema).map(([name, use]) => [use.traits.xmlName ?? name, [name, use] as const]));
  byXmlName.set(schema, members);
  return members;
};

const types = new WeakMap<Use, Type>();

/** Answers tell of thousands of machines: what a use means is found out once. */
const knownType = (use: Use): Type => {
  const known = types.get(use);
  if (known !== undefined) return known;
  const type = typeOf(use.reference);
  types.set(use, type);
  return type;
};

const readList = (item: Use, { xmlFlattened }: Traits, value: unknown): readonly unknown[] => {
  const found = xmlFlattened === undefined && isObject(value) ? value[item.traits.xmlName ?? 'member'] : value;
  return found === undefined || found === '' ? [] : listOf(found).map((each) => read(item, each));
};

const readStructure = (schema: readonly unknown[], value: unknown): Readonly<Record<string, unknown>> => {
  const members = readable(schema);
  const output: Record<string, unknown> = {};
  for (const [tag, child] of Object.entries(isObject(value) ? value : {})) {
    const [name, member] = members.get(tag) ?? [];
    if (name !== undefined && member !== undefined) output[name] = read(member, child);
  }
  return output;
};

/** Text beside attributes; the first of an element that must occur once. */
const leafText = (value: unknown): string => {
  if (Array.isArray(value)) return leafText(value[0]);
  return String(isObject(value) ? (value['#text'] ?? '') : value);
};

const read = (use: Use, value: unknown): unknown => {
  const type = knownType(use);
  if (type.kind === 'simple') return simpleValue(type.code, leafText(value));
  return type.kind === 'list' ? readList(type.item, use.traits, value) : readStructure(type.schema, value);
};

/** What may come before the root element. AWS has no document types. */
const prologue = [
  ['<?', '?>'],
  ['<!--', '-->'],
] as const;

/** The name of a document's root element; empty where the text does not begin as AWS's documents do. */
export const rootOf = (xml: string): string => {
  const [gap, tag] = [/[\uFEFF\s]*/y, /<([A-Za-z_][\w.-]{0,200})[\s/>]/y];
  for (let at = 0; ; ) {
    gap.lastIndex = at;
    at += gap.exec(xml)?.[0].length ?? 0;
    const part = prologue.find(([open]) => xml.startsWith(open, at));
    if (part === undefined) {
      tag.lastIndex = at;
      return tag.exec(xml)?.[1] ?? '';
    }
    const end = xml.indexOf(part[1], at);
    if (end < 0) return '';
    at = end + part[1].length;
  }
};

/** Whatever there is below the root element of a document. Throws for what is no XML. */
export const contentOf = (xml: string): Readonly<Record<string, unknown>> => {
  const content: unknown = parseXml(xml);
  return isObject(content) ? content : {};
};

/** Whether an answer's content has any of the lists that such an answer has: AWS writes them down also when they are empty. */
export const hasList = (schema: unknown, content: unknown): boolean => {
  const type = typeOf(useOf(schema).reference);
  if (type.kind !== 'structure' || !isObject(content)) return false;
  const members = readable(type.schema);
  return Object.keys(content).some((tag) => {
    const [, use] = members.get(tag) ?? [];
    return use !== undefined && knownType(use).kind === 'list';
  });
};

/** An answer's content as the SDK's type. */
export const fromContent = (schema: unknown, content: unknown): unknown => read(useOf(schema), content);
