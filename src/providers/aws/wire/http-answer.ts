/** An answer of HTTP/1.1 that is whole. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of a field that comes twice, the first. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Whether the server waits for another request on this connection. */
  readonly keepsOpen: boolean;
}

/** Takes the bytes of one connection. Both throw `UnexpectedAnswer`. */
export interface AnswerReader {
  /** The answer, once it is whole. */
  take(bytes: Buffer): HttpAnswer | undefined;
  /** The connection has ended: the answer, where that is its end. */
  end(): HttpAnswer | undefined;
}

/** Bytes of all fields together, as Node takes. */
const mostHead = 16 * 1024;
/** Bytes: twice what a page of a thousand instances takes with all that they can have. */
export const mostBody = 64 * 1024 * 1024;
/** Bytes of the line before a chunk, with what a server may add to it. */
const mostSizeLine = 1024;

const unexpected = (why: string): Error => Object.assign(new Error(why), { name: 'UnexpectedAnswer' });

interface Head {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly keepsOpen: boolean;
  /** Bytes of the body; how it ends where the length is not given. */
  readonly body: number | 'chunks' | 'untilClosed';
}

/** Fields that decide where an answer ends: two of them are two opinions. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

const fieldsOf = (lines: readonly string[]): ReadonlyMap<string, string> => {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || /[\0\r\n]/.test(line))
      throw unexpected('the answer is not HTTP: a field of its head cannot be read');
    if (fields.has(name) && framing.has(name)) throw unexpected(`the answer has two fields ${name}`);
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
};

const bodyOf = (status: number, fields: ReadonlyMap<string, string>): Head['body'] => {
  const length = fields.get('content-length');
  const coding = fields.get('transfer-encoding');
  if (length !== undefined && coding !== undefined) throw unexpected('the answer tells its length twice');
  if (status === 204 || status === 304) return 0;
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw unexpected('the answer is encoded in a way that was not asked for');
    return 'chunks';
  }
  if (length === undefined) return 'untilClosed';
  if (!/^\d{1,15}$/.test(length)) throw unexpected('the length of the answer is no number');
  return Number(length);
};

const headOf = (text: string): Head => {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [^\0\r\n]*)?$/.exec(first) ?? [];
  if (code === undefined) throw unexpected('the answer is not HTTP/1.1');
  const [status, headers] = [Number(code), fieldsOf(lines)];
  const keepsOpen = minor === '1' && !/\bclose\b/i.test(headers.get('connection') ?? '');
  return { status, headers, keepsOpen, body: bodyOf(status, headers) };
};

/**
 * Reads one answer to a POST, and takes nothing that could be read in two ways. What AWS has done is unknown where this throws: it is
 * the caller's to ask again.
 */
export const createAnswerReader = (most = mostBody): AnswerReader => {
  let rest: Buffer = Buffer.alloc(0);
  let head: Head | undefined;
  const parts: Buffer[] = [];
  let length = 0;
  /** Bytes of the body, or of a chunk, that have still to come. */
  let missing = 0;
  let reading: 'head' | 'body' | 'size' | 'endOfChunk' | 'trailers' | 'untilClosed' | 'nothing' = 'head';
  let trailers = 0;

  /** The line, without its end; undefined until it is there. */
  const line = (longest: number): string | undefined => {
    const at = rest.indexOf('\r\n');
    if (at > longest || (at < 0 && rest.length > longest)) throw unexpected('a line of the answer is too long');
    if (at < 0) return undefined;
    const text = rest.toString('latin1', 0, at);
    rest = rest.subarray(at + 2);
    return text;
  };
  const keep = (bytes: Buffer): void => {
    length += bytes.length;
    if (length > most) throw unexpected(`the answer is longer than ${most} bytes`);
    parts.push(bytes);
  };
  /** How to go on after a head. */
  const begin = (body: Head['body']): typeof reading => {
    if (body === 'chunks') return 'size';
    if (body === 'untilClosed') return 'untilClosed';
    if (body > most) throw unexpected(`the answer is longer than ${most} bytes`);
    missing = body;
    return body === 0 ? 'nothing' : 'body';
  };
  const readHead = (): boolean => {
    const end = rest.indexOf('\r\n\r\n');
    if ((end < 0 ? rest.length : end) > mostHead) throw unexpected('the head of the answer is too long');
    if (end < 0) return false;
    const found = headOf(rest.toString('latin1', 0, end));
    rest = rest.subarray(end + 4);
    if (found.status === 101) throw unexpected('the answer is another protocol, which was not asked for');
    // Below 200 it says that an answer will come.
    if (found.status < 200) return true;
    head = found;
    reading = begin(found.body);
    return true;
  };
  const readBody = (after: typeof reading): boolean => {
    if (rest.length === 0) return false;
    const bytes = rest.subarray(0, missing);
    keep(bytes);
    rest = rest.subarray(bytes.length);
    missing -= bytes.length;
    if (missing === 0) reading = after;
    return true;
  };
  let inChunks = false;
  const readSize = (): boolean => {
    inChunks = true;
    const text = line(mostSizeLine);
    if (text === undefined) return false;
    const [, size] = /^([0-9a-f]{1,8})[\t ]*(?:;[^\0\r\n]*)?$/i.exec(text) ?? [];
    if (size === undefined) throw unexpected('the length of a part of the answer is no number');
    missing = Number.parseInt(size, 16);
    reading = missing === 0 ? 'trailers' : 'body';
    return true;
  };
  const readEndOfChunk = (): boolean => {
    if (rest.length < 2) return false;
    if (line(0) === undefined) throw unexpected('a part of the answer is longer than it says');
    reading = 'size';
    return true;
  };
  const readTrailer = (): boolean => {
    const text = line(mostHead - trailers);
    if (text === undefined) return false;
    trailers += text.length;
    if (text === '') reading = 'nothing';
    else fieldsOf([text]);
    return true;
  };
  /** Whether it came further. */
  const step = (): boolean => {
    switch (reading) {
      case 'head':
        return readHead();
      case 'body':
        return readBody(inChunks ? 'endOfChunk' : 'nothing');
      case 'size':
        return readSize();
      case 'endOfChunk':
        return readEndOfChunk();
      case 'trailers':
        return readTrailer();
      case 'untilClosed':
        keep(rest);
        rest = rest.subarray(rest.length);
        return false;
      case 'nothing':
        return false;
    }
  };
  const whole = (keepsOpen: boolean): HttpAnswer | undefined => {
    if (head === undefined) return undefined;
    const [only] = parts;
    const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    return { status: head.status, headers: head.headers, body: body.toString('utf8'), keepsOpen };
  };
  return {
    take: (bytes) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      while (step());
      // What follows was not asked for.
      return reading === 'nothing' ? whole(head?.keepsOpen === true && rest.length === 0) : undefined;
    },
    end: () => (reading === 'untilClosed' ? whole(false) : undefined),
  };
};
