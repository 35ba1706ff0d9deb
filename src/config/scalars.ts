/** The part of a JSON Schema that says what a plain value is. */
interface PropertySchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  integer: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
  number: (text) => (text !== '' && Number.isFinite(Number(text)) ? Number(text) : text),
  boolean: (text) => (/^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text),
};

/**
 * Reads numbers and booleans written as strings, as IBM's samples and its JSON reader allow. Other values stay as they are for
 * the validator to judge.
 */
export const readScalars = (
  properties: Readonly<Record<string, PropertySchema>>,
  document: Readonly<Record<string, unknown>>,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(document).map(([key, value]) => {
      const type = Object.hasOwn(properties, key) ? properties[key]?.type : undefined;
      const read = typeof type === 'string' ? readers[type] : undefined;
      return [key, typeof value === 'string' && read !== undefined ? read(value.trim()) : value];
    }),
  );
