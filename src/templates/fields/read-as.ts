import { plain } from '../template-entry.ts';
import { fieldByName } from './field-facts.computed.ts';
import { type ForeignField, foreignFields } from './foreign-fields.ts';

const foreignByName: ReadonlyMap<string, ForeignField> = new Map(
  Object.entries(foreignFields).map(([name, field]) => [plain(name), field]),
);

/** How a name of any vocabulary is taken: as a field of ours, or in another way; undefined for an unknown one. */
export const readAs = (name: string): { readonly field: string } | ForeignField | undefined => {
  const short = plain(name);
  const field = Object.hasOwn(fieldByName, short) ? fieldByName[short] : undefined;
  return field === undefined ? foreignByName.get(short) : { field };
};

/** What to write instead of a field of another vocabulary that means nothing here. */
export const insteadOf = (name: string): string | undefined => {
  const meaning = foreignByName.get(plain(name));
  return meaning !== undefined && 'instead' in meaning ? meaning.instead : undefined;
};
