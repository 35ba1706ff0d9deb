/**
 * The type of the JSON that a schema describes, for the keywords that our schemas use. Our own rather than json-schema-to-ts, whose
 * arrays can be written to and whose open objects take any name: neither fits our readonly types.
 */
export type FromSchema<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly type: 'string' }
      ? string
      : S extends { readonly type: 'integer' | 'number' }
        ? number
        : S extends { readonly type: 'boolean' }
          ? boolean
          : S extends { readonly type: 'array'; readonly items: infer I }
            ? readonly FromSchema<I>[]
            : S extends { readonly type: 'object' }
              ? FromObject<S>
              : unknown;

type Flat<T> = { [K in keyof T]: T[K] };

type FromObject<S> = S extends { readonly properties: infer P; readonly required: readonly (infer R)[] }
  ? Flat<
      { readonly [K in keyof P as K extends R ? K : never]: FromSchema<P[K]> } & {
        readonly [K in keyof P as K extends R ? never : K]?: FromSchema<P[K]>;
      }
    >
  : S extends { readonly additionalProperties: infer V extends object }
    ? { readonly [name: string]: FromSchema<V> }
    : object;

export type Properties = Readonly<Record<string, object>>;

/** An object with these fields and no others; all but `optional` are there. */
export const closed = <const P extends Properties, const O extends keyof P & string = never>(
  properties: P,
  optional: readonly O[] = [],
) => {
  const left: ReadonlySet<string> = new Set(optional);
  const isThere = (name: keyof P & string): name is Exclude<keyof P & string, O> => !left.has(name);
  const names: readonly (keyof P & string)[] = Object.keys(properties);
  return { type: 'object', additionalProperties: false, required: names.filter(isThere), properties } as const;
};

/** The same, and perhaps fields that depend on what it is. */
export const open = <const P extends Properties, const O extends keyof P & string = never>(
  properties: P,
  optional: readonly O[] = [],
) => ({ ...closed(properties, optional), additionalProperties: true }) as const;

export const listOf = <const I extends object>(items: I) => ({ type: 'array', items }) as const;

/** By this name the description of REST knows it. */
export const named = <const S extends object>(title: string, schema: S) => ({ title, ...schema }) as const;

/** A part of an answer that JSON cannot hold: `never` where there is none. */
type Unwritable<T> = unknown extends T
  ? never
  : T extends string | number | boolean | null | undefined
    ? never
    : T extends readonly (infer E)[]
      ? Unwritable<E>
      : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | Date | bigint | symbol
        ? T
        : T extends (...given: never[]) => unknown
          ? T
          : T extends object
            ? { [K in keyof T]-?: Unwritable<T[K]> }[keyof T]
            : T;

/** The type itself where JSON can hold it, else none. */
export type Json<T> = [Unwritable<T>] extends [never] ? T : never;
