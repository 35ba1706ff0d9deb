import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { messageOf } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { readPlainFile } from '../json/plain-file.ts';
import type { Reference } from './file-fields.ts';
import { type FileReading, readFleetRequest } from './fleet-request.ts';
import { readLaunchTemplateData } from './launch-template-data.ts';
import { isObject, plain } from './template-entry.ts';
import { fieldNamed, type Note, typeFields, type Written } from './template-vocabulary.ts';

/** LSF's plug-in looks in `conf` of its configuration, Open Resource Broker in a folder of specifications. */
const folders = ['.', 'conf', 'specs/aws'];

/** LSF writes these in the place of numbers, without quotes; Open Resource Broker whole texts. Other fields of ours take their place. */
const placeholders = /"[^"\n]*\{\{[^"\n]*\}\}[^"\n]*"|\{\{[^\n]*?\}\}|"?\$LSF_(TOTAL|ONDEMAND|SPOT)_TARGET_CAPACITY"?/g;

/** AWS's names begin with a capital, which LSF's plug-in does not mind; what is null says nothing. */
const inAwsWords = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inAwsWords).filter((each) => each !== undefined);
  if (!isObject(value)) return value ?? undefined;
  const fields = Object.entries(value).flatMap(([name, each]) => {
    const translated = inAwsWords(each);
    return translated === undefined ? [] : [[name.slice(0, 1).toUpperCase() + name.slice(1), translated] as const];
  });
  return Object.fromEntries(fields);
};

/** Throws for what is no JSON object once the placeholders are gone. */
const parse = async (file: string): Promise<Written> => {
  const text = readPlainFile(file).toString('utf8');
  if (/\{%/.test(text)) throw new Error('it is a program of Jinja ({% … %}): write what it says into the fields');
  const value = inAwsWords(await parseJson(text.replaceAll(placeholders, 'null')));
  if (!isObject(value)) throw new Error('it must hold one JSON object');
  return value;
};

const readers: Readonly<Record<Reference['holds'], (file: Written) => FileReading>> = {
  fleet: readFleetRequest,
  launchTemplate: readLaunchTemplateData,
};

export interface Resolved {
  /** The template with what its files say in its own words. */
  readonly written: Written;
  /** The reference's name by each field that its file gives. */
  readonly names: ReadonlyMap<string, string>;
  /** Why a file cannot be served, with what to write instead. */
  readonly problems: readonly Note[];
  readonly warnings: readonly Note[];
}

/** What a file says goes before the template: with LSF and the broker it is what is sent. */
const put = (written: Written, name: string, { fields: read }: FileReading): Pick<Resolved, 'written' | 'warnings'> => {
  const isShared = Object.keys(written).some((other) =>
    /^(ondemandtargetcapacityratio|percentondemand)$/.test(plain(other)),
  );
  // A share on demand is one of a fleet that buys the rest on spot.
  const fields: Written = isShared && read['priceType'] !== undefined ? { ...read, priceType: 'spot' } : read;
  const choosesTypes = typeFields.some((field) => fields[field] !== undefined);
  const isReplaced = (other: string): boolean => {
    const field = fieldNamed(other);
    if (field === undefined) return false;
    return fields[field] !== undefined || (choosesTypes && typeFields.some((each) => each === field));
  };
  const replaced = Object.keys(written).filter(isReplaced);
  const rest = Object.entries(written).filter(([other]) => other !== name && !replaced.includes(other));
  return {
    written: { ...Object.fromEntries(rest), ...fields },
    warnings: replaced.map((field) => ({ field, rule: `is left out: the file of ${name} says it` })),
  };
};

/** Puts what the files say that a template names in place of their names. `confDir`: where relative paths begin. */
export const resolveFiles = async (
  template: Written,
  references: readonly Reference[],
  confDir: string,
): Promise<Resolved> => {
  const names = new Map<string, string>();
  const problems: Note[] = [];
  const warnings: Note[] = [];
  let written = template;
  for (const { name, holds } of references) {
    const path = template[name];
    if (typeof path !== 'string') {
      problems.push({ field: name, rule: 'must be the path of a file' });
      continue;
    }
    const places = isAbsolute(path) ? [path] : folders.map((folder) => join(confDir, folder, path));
    const file = places.find((each) => existsSync(each)) ?? places.join(' or ');
    try {
      const reading = readers[holds](await parse(file));
      const api = Object.entries(template).find(([other]) => plain(other) === 'providerapi')?.[1];
      const isOtherCall = holds === 'fleet' && api !== undefined && plain(String(api)) !== 'ec2fleet';
      if (isOtherCall) throw new Error(`a file is read for EC2Fleet alone: write its fields into the template`);
      const inFile = (note: Note): Note => ({ field: name, rule: `${file}: ${note.field} ${note.rule}` });
      problems.push(...reading.problems.map(inFile));
      const merged = put(written, name, reading);
      warnings.push(...reading.warnings.map(inFile), ...merged.warnings);
      for (const field of Object.keys(reading.fields)) names.set(field, name);
      written = merged.written;
    } catch (error) {
      problems.push({ field: name, rule: `${file} cannot be served: ${messageOf(error)}` });
    }
  }
  return { written, names, problems, warnings };
};
