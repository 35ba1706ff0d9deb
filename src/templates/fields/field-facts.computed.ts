import { plain } from '../template-entry.ts';
import { foreignFields } from './foreign-fields.ts';
import { fieldEntries } from './template-fields.ts';

// Plain data: the build puts the values in the place of their making, so that the scripts load no word written for people.

/** Fields by every name they go by, in plain spelling. */
export const fieldByName: Readonly<Record<string, string>> = Object.fromEntries(
  fieldEntries.flatMap(([field, { names = [] }]) => [...names, field].map((name) => [plain(name), field])),
);

/** Other values that a field takes, by field and plain spelling. */
export const spellings: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.fromEntries(
  fieldEntries.flatMap(([field, { form, spellings: others = {} }]) => {
    const values: readonly string[] = 'enum' in form && Array.isArray(form.enum) ? form.enum.map(String) : [];
    const all = [...values.map((value) => [value, value] as const), ...Object.entries(others)];
    return all.length === 0 ? [] : [[field, Object.fromEntries(all.map(([word, value]) => [plain(word), value]))]];
  }),
);

/** How fields with numbers by instance type are read. */
export const typeReadings: Readonly<Record<string, 'types' | 'amounts'>> = Object.fromEntries(
  fieldEntries.flatMap(([field, { reads }]) => (reads === undefined ? [] : [[field, reads]])),
);

/** Fields that decide about money or the market. */
export const costlyFields: readonly string[] = fieldEntries.flatMap(([field, { decides }]) =>
  decides === undefined ? [] : [field],
);

/** Numbers and booleans, which may be written as texts. */
export const scalars: Readonly<Record<string, { readonly type: string }>> = Object.fromEntries(
  fieldEntries.flatMap(([field, { form }]) =>
    'type' in form && (form.type === 'integer' || form.type === 'boolean') ? [[field, { type: form.type }]] : [],
  ),
);

/** Names that tools write, in plain spelling. */
export const ignoredNames: readonly string[] = Object.entries(foreignFields).flatMap(([name, field]) =>
  'isIgnored' in field ? [plain(name)] : [],
);
