/** What JSON holds: for records, whose form other versions of the program may have written. */
export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const jsonIn = (value: unknown): Json => (isJson(value) ? value : {});

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** All objects in a value, the outermost first. */
export const objectsIn = (value: unknown): readonly Json[] => {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return isJson(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
};
