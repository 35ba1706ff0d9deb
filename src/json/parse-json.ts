/** Where a text stops being JSON; `message` says it for people. */
export class JsonSyntaxError extends Error {
  constructor(position: string, cause: unknown) {
    super(`not JSON: ${position}`, { cause });
    this.name = 'JsonSyntaxError';
  }
}

/** `line 3, column 7 (CommaExpected)`, counted from 1. */
const faultPosition = async (text: string): Promise<string> => {
  const { parse, printParseErrorCode } = await import('jsonc-parser');
  const errors: NonNullable<Parameters<typeof parse>[1]> = [];
  parse(text, errors, { disallowComments: true });
  const [first] = errors;
  const before = text.slice(0, first?.offset ?? text.length).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `line ${before.length}, column ${column}${first === undefined ? '' : ` (${printParseErrorCode(first.error)})`}`;
};

/** Parses JSON, a UTF-8 byte order mark allowed. Throws JsonSyntaxError with line and column. */
export const parseJson = async (text: string): Promise<unknown> => {
  const plain = text.replace(/^\uFEFF/, '');
  if (plain.trim() === '') throw new JsonSyntaxError('it is empty', undefined);
  try {
    return JSON.parse(plain);
  } catch (cause) {
    throw new JsonSyntaxError(await faultPosition(plain), cause);
  }
};
