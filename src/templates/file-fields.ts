import { isSet, plain } from './template-entry.ts';

/** A field that names a file with a request in AWS's own words. */
export interface Reference {
  /** As written. */
  readonly name: string;
  readonly holds: 'fleet' | 'launchTemplate';
}

/** LSF's, and Open Resource Broker's two; by plain name. */
export const fileFields: Readonly<Record<string, Reference['holds']>> = {
  ec2fleetconfig: 'fleet',
  providerapispecfile: 'fleet',
  launchtemplatespecfile: 'launchTemplate',
};

/** The files that a template names. */
export const referencesIn = (written: Readonly<Record<string, unknown>>): readonly Reference[] =>
  Object.entries(written).flatMap(([name, value]) => {
    const short = plain(name);
    const holds = Object.hasOwn(fileFields, short) && isSet(value) ? fileFields[short] : undefined;
    return holds === undefined ? [] : [{ name, holds }];
  });
