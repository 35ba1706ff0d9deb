/** What an action answers with: names to values, lists as arrays; an undefined value leaves its element out. */
type XmlValue = string | number | boolean | undefined | XmlValue[] | XmlFields;
export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' };

const escaped = (text: string): string => text.replace(/[&<>\r]/g, (character) => entities[character] ?? character);

const content = (value: Exclude<XmlValue, undefined>): string => {
  if (Array.isArray(value)) return value.map((item) => element('item', item)).join('');
  return typeof value === 'object' ? fieldsToXml(value) : escaped(String(value));
};

const element = (name: string, value: XmlValue): string =>
  value === undefined ? '' : `<${name}>${content(value)}</${name}>`;

/** The elements of `fields` one after the other; the items of a list are `<item>` elements, as EC2 writes them. */
export const fieldsToXml = (fields: XmlFields): string => {
  let xml = '';
  for (const name of Object.keys(fields)) xml += element(name, fields[name]);
  return xml;
};
