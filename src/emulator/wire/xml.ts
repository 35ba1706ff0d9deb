/** What an action answers with: names to values, lists as arrays; an undefined value leaves its element out. */
export type XmlValue = string | number | boolean | undefined | readonly XmlValue[] | XmlFields;
export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' };

const escaped = (text: string): string => text.replace(/[&<>\r]/g, (character) => entities[character] ?? character);

const isList = (value: XmlValue): value is readonly XmlValue[] => Array.isArray(value);

/** The elements of `fields` one after the other; `item` names those of a list: EC2 says `item`, others `member`. */
export const fieldsToXml = (fields: XmlFields, item: string): string => {
  const content = (value: Exclude<XmlValue, undefined>): string => {
    if (isList(value)) return value.map((one) => element(item, one)).join('');
    return typeof value === 'object' ? ofFields(value) : escaped(String(value));
  };
  const element = (name: string, value: XmlValue): string =>
    value === undefined ? '' : `<${name}>${content(value)}</${name}>`;
  const ofFields = (some: XmlFields): string => {
    let xml = '';
    for (const name of Object.keys(some)) xml += element(name, some[name]);
    return xml;
  };
  return ofFields(fields);
};
