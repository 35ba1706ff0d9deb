import { describe, expect, it } from 'vitest';
import { createAnswerReader, type HttpAnswer } from '../../../../../src/providers/aws/wire/http-answer.ts';

/** What is read of these parts, and of the end of the connection after them. */
const read = (...parts: readonly string[]): HttpAnswer | undefined => {
  const reader = createAnswerReader(1000);
  for (const part of parts) {
    const answer = reader.take(Buffer.from(part, 'utf8'));
    if (answer !== undefined) return answer;
  }
  return reader.end();
};
/** In pieces of so many characters, none of which needs more than a byte. */
const inPieces = (text: string, size: number): readonly string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, n) => text.slice(n * size, (n + 1) * size));

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

describe('an answer', () => {
  it.each([
    ['of a told length', `${ok}content-length: 5\r\n\r\nhello`, 'hello', true],
    ['without a reason', 'HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello', 'hello', true],
    ['in chunks', `${chunked}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, 'hello', true],
    ['in chunks with extensions', `${chunked}3;a=b;c="d;e"\r\nhel\r\n2 ;x\r\nlo\r\n0;y\r\n\r\n`, 'hello', true],
    ['in chunks with trailers', `${chunked}5\r\nhello\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n`, 'hello', true],
    ['in chunks whose sizes are in capitals', `${chunked}0A\r\n0123456789\r\n000\r\n\r\n`, '0123456789', true],
    ['to the end of the connection', `${ok}\r\nhello`, 'hello', false],
    ['empty', `${ok}content-length: 0\r\n\r\n`, '', true],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', '', true],
    ['after which the server closes', `${ok}Connection: Close\r\ncontent-length: 5\r\n\r\nhello`, 'hello', false],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello', 'hello', false],
    [
      'after a notice',
      `HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n${ok}content-length: 1\r\n\r\nx`,
      'x',
      true,
    ],
  ])('%s is read however it is cut', (_, text, body, keepsOpen) => {
    for (const size of [1, 2, 3, 7, text.length])
      expect(read(...inPieces(text, size)), `${size}`).toMatchObject({ body, keepsOpen });
  });

  it('has its fields by name in lower case, the first of each', () => {
    const head = `${ok}Content-Type:  text/xml ;charset=UTF-8\t\r\nDate: a:b\r\ndate: c\r\nX-Empty:\r\ncontent-length: 0\r\n\r\n`;
    expect(Object.fromEntries(read(head)?.headers ?? [])).toEqual({
      'content-type': 'text/xml ;charset=UTF-8',
      date: 'a:b',
      'x-empty': '',
      'content-length': '0',
    });
  });

  it('is UTF-8, where a character may be cut in two', () => {
    const bytes = Buffer.from(`${ok}content-length: 9\r\n\r\nä€𝄞`);
    const reader = createAnswerReader();
    const answers = [...bytes].map((byte) => reader.take(Buffer.from([byte])));
    expect(answers.at(-1)?.body).toBe('ä€𝄞');
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
  });

  it('leaves a connection of no use on which more comes than was asked for', () => {
    expect(read(`${ok}content-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n`)).toMatchObject({
      body: 'hello',
      keepsOpen: false,
    });
  });

  it.each([
    ['nothing', ''],
    ['half a head', `${ok}content-le`],
    ['half of what it tells', `${ok}content-length: 5\r\n\r\nhel`],
    ['chunks without the last', `${chunked}5\r\nhello\r\n`],
    ['chunks without the end of their trailers', `${chunked}5\r\nhello\r\n0\r\nx: y\r\n`],
    ['a notice alone', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('that breaks off with %s is none', (_, text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'is not HTTP/1.1'],
    ['another version', 'HTTP/2 200\r\n\r\n', 'is not HTTP/1.1'],
    ['a status that is none', 'HTTP/1.1 20 OK\r\n\r\n', 'is not HTTP/1.1'],
    ['a change of protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n', 'is another protocol'],
    ['a head without end', `${ok}x: ${'y'.repeat(17_000)}`, 'head of the answer is too long'],
    ['a long head', `${ok}x: ${'y'.repeat(17_000)}\r\n\r\n`, 'head of the answer is too long'],
    ['a field on two lines', `${ok}x: y\r\n z\r\ncontent-length: 0\r\n\r\n`, 'cannot be read'],
    ['a field with a space in its name', `${ok}content-length : 5\r\n\r\nhello`, 'cannot be read'],
    ['a field without a name', `${ok}: 5\r\n\r\n`, 'cannot be read'],
    ['a line that ends by half', `${ok}x: y\ncontent-length: 5\r\n\r\nhello`, 'cannot be read'],
    ['two lengths', `${ok}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`, 'two fields content-length'],
    ['a length and chunks', `${ok}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`, 'its length twice'],
    [
      'two codings',
      `${ok}transfer-encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'two fields transfer-encoding',
    ],
    ['a compressed body', `${ok}transfer-encoding: gzip, chunked\r\n\r\n`, 'was not asked for'],
    ['a length below zero', `${ok}content-length: -1\r\n\r\n`, 'is no number'],
    ['a length with a sign', `${ok}content-length: +5\r\n\r\nhello`, 'is no number'],
    ['a list of lengths', `${ok}content-length: 5, 5\r\n\r\nhello`, 'is no number'],
    ['too great a length', `${ok}content-length: 1001\r\n\r\n`, 'longer than 1000 bytes'],
    [
      'too many chunks',
      `${chunked}200\r\n${'x'.repeat(512)}\r\n200\r\n${'x'.repeat(512)}\r\n`,
      'longer than 1000 bytes',
    ],
    ['a body without end', `${ok}\r\n${'x'.repeat(1001)}`, 'longer than 1000 bytes'],
    ['a chunk without a size', `${chunked}\r\nhello\r\n`, 'is no number'],
    ['a chunk whose size is no number', `${chunked}0x5\r\nhello\r\n`, 'is no number'],
    ['a chunk whose size is too great', `${chunked}100000000\r\n`, 'is no number'],
    ['a chunk that is longer than it says', `${chunked}3\r\nhello\r\n`, 'too long|longer than it says'],
    ['a size without end', `${chunked}3;${'x'.repeat(2000)}`, 'line of the answer is too long'],
    ['trailers without end', `${chunked}0\r\n${'x: y\r\n'.repeat(5000)}`, 'line of the answer is too long'],
    ['a trailer that is none', `${chunked}0\r\nGET / HTTP/1.1\r\n\r\n`, 'cannot be read'],
  ])('that is %s is refused', (_, text, why) => {
    for (const parts of [[text], inPieces(text, 5)])
      expect(() => read(...parts)).toThrow(
        expect.objectContaining({ name: 'UnexpectedAnswer', message: expect.stringMatching(why) }),
      );
  });
});
