import { bytesIn, type Item, numberIn, text, textIn } from './table.ts';

/** Characters: shorter texts are kept as they are, since loading Node's zlib takes 2 ms. */
const longestPlain = 30_000;
/** Bytes: DynamoDB takes 400 KB an item, with its names and all. */
const mostInItem = 350_000;

const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib');

const pieceKey = (version: string, writer: string, index: number): string =>
  `${version}.${writer}.${String(index).padStart(4, '0')}`;

/** How a text is kept: in the item itself, or in items of their own that are written before it. */
export interface Packed {
  /** Attributes of the item: `e` is the text, `z` the text deflated, `p` the number of pieces that hold it so. */
  readonly fields: Item;
  readonly pieces: readonly { readonly sk: string; readonly fields: Item }[];
}

/** Text as it is kept at a version under a writer's id: 10,000 machines in one item, more in pieces. */
export const pack = (content: string, version: string, writer: string): Packed => {
  if (content.length <= longestPlain) return { fields: { e: text(content) }, pieces: [] };
  const bytes = zlib().deflateSync(content, { level: 1 });
  const as = (part: Buffer): Item => ({ z: { B: part.toString('base64') } });
  if (bytes.length <= mostInItem) return { fields: as(bytes), pieces: [] };
  const count = Math.ceil(bytes.length / mostInItem);
  const pieces = Array.from({ length: count }, (_, index) => ({
    sk: pieceKey(version, writer, index),
    fields: as(bytes.subarray(index * mostInItem, (index + 1) * mostInItem)),
  }));
  return { fields: { p: { N: String(count) } }, pieces };
};

/** The text of an item, `others` being its neighbours by sort key; undefined where a part of it is missing. */
export const unpack = (item: Item, others: ReadonlyMap<string, Item>): string | undefined => {
  const plain = textIn(item, 'e');
  if (plain !== undefined) return plain;
  const [version = '', writer = ''] = [textIn(item, 'sk'), textIn(item, 'w')];
  const parts = Array.from({ length: numberIn(item, 'p') ?? 0 }, (_, index) =>
    bytesIn(others.get(pieceKey(version, writer, index)), 'z'),
  );
  const whole = parts.length === 0 ? [bytesIn(item, 'z')] : parts;
  const found = whole.filter((part) => part !== undefined);
  if (found.length < whole.length) return undefined;
  try {
    return zlib().inflateSync(Buffer.concat(found)).toString('utf8');
  } catch {
    return undefined;
  }
};
