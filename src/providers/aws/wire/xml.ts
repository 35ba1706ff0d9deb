/** What an element holds: its text, or where it has attributes or children those by name, a list where one occurs several times. */
type XmlValue = string | readonly XmlValue[] | XmlObject;

/** Text beside attributes or children is `#text`. */
interface XmlObject {
  readonly [name: string]: XmlValue;
}

type Fields = Record<string, XmlValue>;

interface Cursor {
  readonly text: string;
  at: number;
}

const named = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

const lastCharacter = 0x10ffff;

const decoded = (text: string): string =>
  text.includes('&')
    ? text.replaceAll(/&(?:#x([\dA-Fa-f]{1,8})|#(\d{1,8})|([A-Za-z]\w{0,30}));/g, (entity, hex, decimal, name) => {
        if (name !== undefined) return named.get(name) ?? entity;
        const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
        return code > lastCharacter ? entity : String.fromCodePoint(code);
      })
    : text;

const fault = ({ at }: Cursor, what: string): Error => new Error(`not XML: ${what} at ${at}`);

/** The text up to a mark, and goes on behind it. */
const readTo = (cursor: Cursor, mark: string): string => {
  const end = cursor.text.indexOf(mark, cursor.at);
  if (end < 0) throw fault(cursor, `no ${mark}`);
  const found = cursor.text.slice(cursor.at, end);
  cursor.at = end + mark.length;
  return found;
};

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 9 || code === 13;

const skipSpace = (cursor: Cursor): void => {
  while (isSpace(cursor.text.charCodeAt(cursor.at))) cursor.at += 1;
};

/** `>`, `/` and `=` end a name, and so does the end of the text, whose code is no number. */
const isInName = (code: number): boolean => code !== 62 && code !== 47 && code !== 61 && !isSpace(code) && code >= 0;

const readName = (cursor: Cursor): string => {
  const start = cursor.at;
  while (isInName(cursor.text.charCodeAt(cursor.at))) cursor.at += 1;
  if (cursor.at === start) throw fault(cursor, 'no name');
  return cursor.text.slice(start, cursor.at);
};

/** A name of an object's own: never its prototype's. */
const put = (fields: Fields, name: string, value: XmlValue): void => {
  if (name === '__proto__') return;
  fields[name] = value;
};

/** Undefined where it has none, as nearly all have. */
const readAttributes = (cursor: Cursor): Fields | undefined => {
  const { text } = cursor;
  let fields: Fields | undefined;
  for (skipSpace(cursor); text[cursor.at] !== '>' && text[cursor.at] !== '/'; skipSpace(cursor)) {
    const name = readName(cursor);
    skipSpace(cursor);
    if (text[cursor.at] !== '=') throw fault(cursor, 'no value of an attribute');
    cursor.at += 1;
    skipSpace(cursor);
    const quote = text[cursor.at] ?? '';
    if (quote !== '"' && quote !== "'") throw fault(cursor, 'no quote');
    cursor.at += 1;
    fields ??= {};
    put(fields, name, decoded(readTo(cursor, quote)));
  }
  return fields;
};

/** Whether it only sets elements apart. */
const isLayout = (text: string): boolean => text.includes('\n') && text.trim() === '';

const addChild = (fields: Fields, name: string, value: XmlValue): void => {
  const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (known === undefined) put(fields, name, value);
  else if (Array.isArray(known)) known.push(value);
  else put(fields, name, [known, value]);
};

interface Content {
  /** Undefined where there are none. */
  children: Fields | undefined;
  /** Between children and comments, decoded. */
  readonly texts: string[];
}

/** A comment, an instruction or a section of plain text. */
const readSpecial = (cursor: Cursor, { texts }: Pick<Content, 'texts'>): void => {
  if (cursor.text.startsWith('<!--', cursor.at)) readTo(cursor, '-->');
  else if (cursor.text.startsWith('<![CDATA[', cursor.at)) {
    cursor.at += '<![CDATA['.length;
    texts.push(readTo(cursor, ']]>'));
  } else if (cursor.text.startsWith('<?', cursor.at)) readTo(cursor, '?>');
  else throw fault(cursor, 'an unknown mark');
};

const readChild = (cursor: Cursor, content: Content): void => {
  const [name, value] = readElement(cursor);
  content.children ??= {};
  addChild(content.children, name, value);
};

/** Up to the end tag of the element, which it leaves behind. */
const readContent = (cursor: Cursor, name: string): Content => {
  const { text } = cursor;
  const content: Content = { children: undefined, texts: [] };
  for (;;) {
    const mark = text.indexOf('<', cursor.at);
    if (mark < 0) throw fault(cursor, `no end of ${name}`);
    if (mark > cursor.at) content.texts.push(decoded(text.slice(cursor.at, mark)));
    cursor.at = mark;
    const next = text[mark + 1];
    if (next === '/') break;
    if (next === '!' || next === '?') readSpecial(cursor, content);
    else readChild(cursor, content);
  }
  readEnd(cursor, name);
  return content;
};

/** Whether the end tag of an element is at a place, as it is mostly written: without spaces. */
const isEndOf = (text: string, at: number, name: string): boolean =>
  text.charCodeAt(at + 1) === 47 && text.startsWith(name, at + 2) && text.charCodeAt(at + 2 + name.length) === 62;

const readEnd = (cursor: Cursor, name: string): void => {
  if (isEndOf(cursor.text, cursor.at, name)) {
    cursor.at += name.length + 3;
    return;
  }
  cursor.at += 2;
  if (readTo(cursor, '>').trimEnd() !== name) throw fault(cursor, `another end than that of ${name}`);
};

/** The text of an element with nothing else in it, as nearly all are that have no children; undefined of another. */
const readLeaf = (cursor: Cursor, name: string): string | undefined => {
  const end = cursor.text.indexOf('<', cursor.at);
  if (end < 0 || !isEndOf(cursor.text, end, name)) return undefined;
  const text = decoded(cursor.text.slice(cursor.at, end));
  cursor.at = end + name.length + 3;
  return isLayout(text) ? '' : text;
};

const readElement = (cursor: Cursor): readonly [name: string, value: XmlValue] => {
  cursor.at += 1;
  const name = readName(cursor);
  const attributes = cursor.text[cursor.at] === '>' ? undefined : readAttributes(cursor);
  if (cursor.text[cursor.at] === '/') {
    cursor.at += 1;
    if (cursor.text[cursor.at] !== '>') throw fault(cursor, 'no end of a tag');
    cursor.at += 1;
    return [name, attributes ?? ''];
  }
  cursor.at += 1;
  const leaf = attributes === undefined ? readLeaf(cursor, name) : undefined;
  if (leaf !== undefined) return [name, leaf];
  const { children, texts } = readContent(cursor, name);
  if (children === undefined && attributes === undefined) {
    const text = texts.join('');
    return [name, isLayout(text) ? '' : text];
  }
  const beside = texts.length === 0 ? '' : texts.filter((text) => !isLayout(text)).join('');
  const fields = children ?? {};
  if (beside !== '') fields['#text'] = beside;
  return [name, attributes === undefined ? fields : { ...fields, ...attributes }];
};

/**
 * Reads a document as AWS writes them: what its root element holds. Throws for what is no XML, and for a document type. Searches for
 * marks instead of going through the characters one by one, as the SDK's parser does: that was half of the time of a look at many machines.
 */
export const parseXml = (xml: string): XmlValue => {
  const cursor: Cursor = { text: xml.includes('\r') ? xml.replaceAll(/\r\n?/g, '\n') : xml, at: 0 };
  for (skipSpace(cursor); ; skipSpace(cursor)) {
    const next = cursor.text[cursor.at + 1];
    if (cursor.text[cursor.at] !== '<') throw fault(cursor, 'no element');
    if (next !== '?' && next !== '!') return readElement(cursor)[1];
    readSpecial(cursor, { texts: [] });
  }
};
