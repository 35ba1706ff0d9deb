/** Where a text stops being JSON; `message` says it for people. */
export class JsonSyntaxError extends Error {
  constructor(position: string, cause: unknown) {
    super(`not JSON: ${position}`, { cause });
    this.name = 'JsonSyntaxError';
  }
}

const placeOf = (text: string, offset: number): string => {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
};

/** The tolerant parser calls itself for what is nested. */
const withinStack = <T>(parse: () => T): T => {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof RangeError) throw new JsonSyntaxError('it is nested too deeply', cause);
    throw cause;
  }
};

/** Comments and commas too many are let through: people write them. Everything else is a fault, told with its place. */
const parseTolerantly = async (text: string, cause: unknown): Promise<unknown> => {
  const { parse, printParseErrorCode } = await import('./jsonc.ts');
  const errors: NonNullable<Parameters<typeof parse>[1]> = [];
  const value: unknown = withinStack(() => parse(text, errors, { allowTrailingComma: true }));
  const [first] = errors;
  if (first === undefined) return value;
  throw new JsonSyntaxError(`${placeOf(text, first.offset)} (${printParseErrorCode(first.error)})`, cause);
};

/** Parses JSON; a byte order mark, comments and trailing commas are allowed. Throws JsonSyntaxError with line and column. */
export const parseJson = async (text: string): Promise<unknown> => {
  const plain = text.replace(/^\uFEFF/, '');
  if (plain.trim() === '') throw new JsonSyntaxError('it is empty', undefined);
  try {
    return JSON.parse(plain);
  } catch (cause) {
    return parseTolerantly(plain, cause);
  }
};
