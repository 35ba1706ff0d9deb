import { closestName } from '../json/closest-name.ts';
import { costlyFields, fieldByName, ignoredNames, spellings, typeReadings } from './fields/field-facts.computed.ts';
import { fileFields, referencesIn } from './file-fields.ts';
import { isObject, isSet, plain } from './template-entry.ts';

/** A template as somebody wrote it, in any of the vocabularies. */
export type Written = Readonly<Record<string, unknown>>;

export interface Note {
  readonly field: string;
  readonly rule: string;
}

export interface Normalized {
  /** Under the names of the schema, in the forms of the schema; values that say nothing are left out. */
  readonly document: Written;
  /** The name as written by the name in the schema, where they differ. */
  readonly names: ReadonlyMap<string, string>;
  /** Fields that no vocabulary has. */
  readonly unknown: readonly string[];
  /** Misspelt fields that decide about money, and what was probably meant. */
  readonly slips: ReadonlyMap<string, string>;
  /** What keeps the template from being served: to guess might cost money. */
  readonly problems: readonly Note[];
  readonly warnings: readonly Note[];
}

const byPlainName: ReadonlyMap<string, string> = new Map(Object.entries(fieldByName));
const ignored: ReadonlySet<string> = new Set(ignoredNames);

/** The schema's name for a name of any vocabulary. */
export const fieldNamed = (name: string): string | undefined => byPlainName.get(plain(name));

const isField = (name: string): boolean => byPlainName.get(plain(name)) === name;

/** The value of the form that was meant by another spelling. */
const spelled = (byShortName: Readonly<Record<string, string>>, value: unknown): unknown => {
  const short = typeof value === 'string' ? plain(value.trim()) : '';
  return Object.hasOwn(byShortName, short) ? byShortName[short] : value;
};

/** A plain value as text; nothing of lists and objects, which may have no text at all. */
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

const amount = (value: unknown): unknown =>
  typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value;

/** `{"m5.large": "2"}`, `["m5.large"]` and `"m5.large, m5.xlarge"` are types with weights too. */
const types = (value: unknown): unknown => {
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([type, weight]) => [type, amount(weight)]));
  const list: readonly unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
  if (list.some((type) => typeof type !== 'string')) return value;
  const names = list.map((type) => textOf(type).trim()).filter((type) => type !== '');
  return names.length === 0 ? value : Object.fromEntries(names.map((type) => [type, 1]));
};

/** A value in the form of its field's schema, where it is in another that is known. */
const formed = (field: string, value: unknown): unknown => {
  const reading = typeReadings[field];
  if (reading !== undefined) return reading === 'types' || isObject(value) ? types(value) : value;
  const byShortName = spellings[field];
  return byShortName === undefined ? value : spelled(byShortName, value);
};

/** LSF's `HH:MM`. */
const minutesOf = (value: unknown): number | undefined => {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(textOf(value).trim()) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
};

type Fields = Map<string, unknown>;

/** LSF's fields and Open Resource Broker's `metadata`, which say in another form what the schema has a field for. */
const translations: Readonly<Record<string, (value: unknown, fields: Fields) => void>> = {
  // LSF's plug-in launches spot where there is a spot price.
  spotprice: (value, fields) => {
    if (!(Number(textOf(value)) > 0)) return;
    if (!fields.has('maxSpotPrice')) fields.set('maxSpotPrice', value);
    if (!fields.has('priceType')) fields.set('priceType', 'spot');
  },
  requestvalidity: (value, fields) => {
    const minutes = minutesOf(value);
    if (minutes !== undefined && !fields.has('spotFleetRequestExpiry')) fields.set('spotFleetRequestExpiry', minutes);
  },
  ondemandtargetcapacityratio: (value, fields) => {
    if (!fields.has('percentOnDemand')) fields.set('percentOnDemand', Math.round(Number(textOf(value)) * 100));
  },
  metadata: (value, fields) => {
    for (const [name, each] of Object.entries(isObject(value) ? value : {})) {
      const field = byPlainName.get(plain(name));
      if (field !== undefined && isSet(each) && !fields.has(field)) fields.set(field, formed(field, each));
    }
  },
  priceinfo: (value, fields) => intoAttributes('priceInfo', value, fields),
  rank: (value, fields) => intoAttributes('rank', value, fields),
};

const intoAttributes = (name: string, value: unknown, fields: Fields): void => {
  const attributes = fields.get('attributes') ?? {};
  if (isObject(attributes)) fields.set('attributes', { [name]: value, ...attributes });
};

/** The parts of a template that choose instance types: what one of them says takes the place of the others. */
export const typeFields = ['vmType', 'vmTypes', 'abisInstanceRequirements'] as const;

/** What is left to decide once all fields have their names. */
const settle = (fields: Fields): readonly Note[] => {
  const warnings: Note[] = [];
  const vmType = fields.get('vmType');
  if (typeof vmType === 'string' && vmType.includes(',')) {
    fields.delete('vmType');
    if (!fields.has('vmTypes')) fields.set('vmTypes', types(vmType));
  }
  if (fields.has('abisInstanceRequirements')) {
    for (const field of ['vmType', 'vmTypes']) {
      if (!fields.delete(field)) continue;
      warnings.push({ field, rule: 'has no effect beside abisInstanceRequirements, which choose the types' });
    }
  }
  // Where an API is named, a share on demand is that of one fleet or group. IBM's heterogeneous has no use for it.
  if (fields.get('priceType') === 'heterogeneous' && fields.has('providerApi') && fields.has('percentOnDemand')) {
    fields.set('priceType', 'spot');
  }
  const fleetType = fields.get('fleetType');
  if (fields.get('priceType') === 'heterogeneous' && (fleetType === 'instant' || fleetType === 'maintain')) {
    fields.delete('fleetType');
    const rule = `${fleetType} has no effect with heterogeneous, for which a fleet of type request looks; with percentOnDemand one fleet has both markets`;
    warnings.push({ field: 'fleetType', rule });
  }
  return warnings;
};

/** Puts the fields under their names; where two names of one field are written, that of the schema counts. */
const named = (
  written: Written,
): { readonly fields: Fields; readonly names: Map<string, string>; readonly twice: readonly Note[] } => {
  const fields: Fields = new Map();
  const names = new Map<string, string>();
  const twice: Note[] = [];
  const exactFirst = Object.entries(written).sort(([one], [other]) => Number(isField(other)) - Number(isField(one)));
  for (const [name, value] of exactFirst) {
    const field = byPlainName.get(plain(name));
    if (field === undefined || !isSet(value)) continue;
    if (fields.has(field)) {
      twice.push({ field: name, rule: `is left out: ${names.get(field) ?? field} says the same` });
      continue;
    }
    if (name !== field) names.set(field, name);
    fields.set(field, formed(field, value));
  }
  return { fields, names, twice };
};

const isUnknown = (name: string): boolean => {
  const short = plain(name);
  const isKnown = Object.hasOwn(translations, short) || Object.hasOwn(fileFields, short);
  return !byPlainName.has(short) && !isKnown && !ignored.has(short);
};

/** A misspelt name of what decides about money must not be passed over. */
const costlySlips = (unknown: readonly string[], fields: Fields): ReadonlyMap<string, string> => {
  const absent = costlyFields.filter((name) => !fields.has(name));
  return new Map(
    unknown.flatMap((field) => {
      const closest = closestName(field.replaceAll('_', ''), absent);
      return closest === undefined ? [] : [[field, closest] as const];
    }),
  );
};

const switchedOff = (written: Written): readonly Note[] =>
  Object.entries(written)
    .filter(([name, value]) => plain(name) === 'isactive' && /^false$/i.test(textOf(value)))
    .map(([field]) => ({ field, rule: 'is false: the template is switched off' }));

/** Open Resource Broker takes the script itself. */
const inlineScript = (written: Written, fields: Fields): readonly Note[] => {
  const other = Object.entries(written).find(
    ([name, value]) => plain(name) === 'userdata' && textOf(value).startsWith('#!'),
  );
  if (other !== undefined)
    return [{ field: other[0], rule: 'is a script: write it to a file that userDataScript names' }];
  const script = fields.get('userDataScript');
  if (typeof script !== 'string' || !script.startsWith('#!')) return [];
  fields.delete('userDataScript');
  return [{ field: 'userDataScript', rule: 'is a script: write it to a file and name the file here' }];
};

/** Brings names and forms of all vocabularies into those of the schema; what the values mean is for others to judge. */
export const normalize = (written: Written): Normalized => {
  const { fields, names, twice } = named(written);
  for (const [name, value] of Object.entries(written)) {
    const short = plain(name);
    if (byPlainName.has(short) || !isSet(value) || !Object.hasOwn(translations, short)) continue;
    const before = new Set(fields.keys());
    translations[short]?.(value, fields);
    for (const field of fields.keys()) if (!before.has(field)) names.set(field, name);
  }
  const warnings = [...twice, ...settle(fields)];
  const unknown = Object.keys(written).filter(isUnknown);
  const slips = costlySlips(unknown, fields);
  const scripts = inlineScript(written, fields);
  return {
    document: Object.fromEntries(fields),
    names,
    slips,
    unknown: unknown.filter((field) => !slips.has(field)),
    problems: [
      ...referencesIn(written).map(({ name: field }) => ({
        field,
        rule: 'names a file, which is read for a template alone',
      })),
      ...switchedOff(written),
      ...[...slips].map(([field, closest]) => ({ field, rule: `is unknown; did you mean ${closest}?` })),
      ...scripts,
    ],
    warnings,
  };
};

/** Values for fields that a template leaves out. */
export interface TemplateDefaults {
  readonly all: Written;
  /** By `providerApi`; these go before those for all. */
  readonly byApi: Readonly<Record<string, unknown>>;
}

/** Tags by their keys, however they are written; undefined for a key without a value. */
export const tagsOf = (value: unknown): Written => {
  if (isObject(value)) return value;
  const pairs = typeof value === 'string' ? value.split(';').filter((pair) => pair.trim() !== '') : [];
  return Object.fromEntries(
    pairs.map((pair) => {
      const split = pair.indexOf('=');
      return split < 0 ? [pair.trim(), undefined] : [pair.slice(0, split).trim(), pair.slice(split + 1).trim()];
    }),
  );
};

/** Fields over others: the types as a whole, attributes and tags one by one. */
const over = (below: Written, above: Written): Written => {
  const choosesTypes = typeFields.some((field) => above[field] !== undefined);
  const rest = Object.entries(below).filter(([field]) => !choosesTypes || !typeFields.some((each) => each === field));
  const joined: Record<string, unknown> = { ...Object.fromEntries(rest), ...above };
  const [attributes, others] = [above['attributes'], below['attributes']];
  if (isObject(attributes) && isObject(others)) joined['attributes'] = { ...others, ...attributes };
  const [tags, more] = [above['instanceTags'], below['instanceTags']];
  if (tags !== undefined && more !== undefined) joined['instanceTags'] = { ...tagsOf(more), ...tagsOf(tags) };
  return joined;
};

/** What says something of a template, from the nearest on. */
interface Layer {
  readonly name: string;
  readonly fields: Written;
}

/** A normalized template and the defaults for it; the defaults are normalized once. */
export const layersOf = ({ all, byApi }: TemplateDefaults): ((document: Written) => readonly Layer[]) => {
  const common = { name: 'templateDefaults', fields: normalize(all).document };
  const ofApis = Object.entries(byApi).map(([api, fields]) => ({
    api: formed('providerApi', api),
    name: `templateDefaultsByApi.${api}`,
    fields: isObject(fields) ? normalize(fields).document : {},
  }));
  return (document) => {
    const api = document['providerApi'] ?? common.fields['providerApi'];
    const own = ofApis.filter((each) => each.api === api).slice(0, 1);
    return [{ name: 'template', fields: document }, ...own, common];
  };
};

/** Fills in what a normalized template leaves out. */
export const withDefaults = (defaults: TemplateDefaults): ((document: Written) => Written) => {
  const layers = layersOf(defaults);
  return (document) => {
    const filled = layers(document).reduceRight<Written>((below, { fields }) => over(below, fields), {});
    const fields: Fields = new Map(Object.entries(filled));
    settle(fields);
    return Object.fromEntries(fields);
  };
};
