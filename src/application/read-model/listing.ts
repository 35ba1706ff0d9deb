import { isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import type { Template } from '../../domain/template/template.ts';
import type { FromSchema } from '../bus/json-schema.ts';
import type { listing } from '../bus/shapes.ts';
import type { Projected, ReadModel } from '../ports/read-model.ts';
import type { Logger } from '../ports/telemetry.ts';
import type { MachineRow } from '../projections/machines.ts';
import type { RequestRow } from '../projections/requests.ts';

/** What every list understands. Both ways of paging; `offset` and `limit` win over `page` and `pageSize`. */
export type Listing = { readonly [K in keyof typeof listing]?: FromSchema<(typeof listing)[K]> | undefined };

export interface Paginated<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
  readonly total_pages: number;
  /** Records missing from the list, and why. */
  readonly warnings: readonly string[];
  /** Why the whole answer may not be what the caller expects. */
  readonly _warning?: string;
}

/** What each list can be sorted by; templates are filtered by the same. */
export const listFields = {
  requests: [
    'createdAt',
    'updatedAt',
    'settledAt',
    'requestId',
    'kind',
    'status',
    'templateId',
    'wanted',
    'userId',
    'version',
    'message',
  ],
  machines: [
    'machineId',
    'name',
    'status',
    'result',
    'launchTime',
    'instanceType',
    'priceType',
    'privateIpAddress',
    'publicIpAddress',
    'requestId',
    'templateId',
    'message',
  ],
  templates: [
    'templateId',
    'maxNumber',
    'priceType',
    'providerApi',
    'fleetType',
    'vmType',
    'imageId',
    'subnetIds',
    'securityGroupIds',
    'keyName',
    'instanceProfile',
    'fleetRole',
    'autoScalingGroupName',
    'launchTemplateId',
    'placementGroupName',
    'tenancy',
    'volumeType',
    'rootDeviceVolumeSize',
    'maxSpotPrice',
    'percentOnDemand',
    'allocationStrategy',
    'interfaceType',
    'ebsOptimized',
    'allOrNothing',
  ],
} as const satisfies {
  readonly requests: readonly (keyof RequestRow)[];
  readonly machines: readonly (keyof MachineRow)[];
  readonly templates: readonly (keyof Template)[];
};

/** Throws `input.invalid` for a field that is not one of the list's. */
export const checkFields = (known: readonly string[], ...names: readonly (string | undefined)[]): void => {
  const unknown = names.find((field) => field !== undefined && !known.includes(camel(field)));
  if (unknown !== undefined)
    throw new PluginError('input.invalid', `there is no field "${unknown}" here; there are ${known.join(', ')}`);
};

const defaultPageSize = 20;

const frameOf = ({ limit, offset, page, pageSize }: Listing): { readonly from: number; readonly size: number } => {
  const size = Math.max(1, limit ?? pageSize ?? defaultPageSize);
  return { from: offset ?? (Math.max(1, page ?? 1) - 1) * size, size };
};

/** One page of what was found. */
export const paginate = <T>(found: readonly T[], listing: Listing): Omit<Paginated<T>, 'warnings'> => {
  const { from, size } = frameOf(listing);
  return {
    items: found.slice(from, from + size),
    total: found.length,
    page: Math.floor(from / size) + 1,
    page_size: size,
    total_pages: Math.ceil(found.length / size),
  };
};

const contains = (value: unknown, query: string): boolean => {
  if (typeof value === 'string') return value.toLowerCase().includes(query);
  return typeof value === 'object' && value !== null && Object.values(value).some((each) => contains(each, query));
};

const order = (a: unknown, b: unknown): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''));
};

/** `created_at` is `createdAt`. */
/** `machine_id` as `machineId`. */
export const camel = (field: string): string =>
  field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What answers the search, sorted as asked, else in the order given. */
export const arrange = <T extends object>(items: readonly T[], { query, sortBy, sortOrder }: Listing): readonly T[] => {
  const needle = query?.toLowerCase();
  const found = needle === undefined ? items : items.filter((item) => contains(item, needle));
  if (sortBy === undefined) return found;
  const field = camel(sortBy);
  const key = (item: T): unknown => new Map<string, unknown>(Object.entries(item)).get(field);
  const sign = sortOrder === 'asc' ? 1 : -1;
  return [...found].sort((a, b) => sign * order(key(a), key(b)));
};

/** Rows whose fields have these values. They are found in the row's JSON text, where a quoted pair cannot be mistaken. */
const having = (rows: readonly string[], fields: Readonly<Record<string, string | undefined>>): readonly string[] => {
  const needles = Object.entries(fields).flatMap(([field, value]) =>
    value === undefined ? [] : [`${JSON.stringify(field)}:${JSON.stringify(value)}`],
  );
  return needles.length === 0 ? rows : rows.filter((row) => needles.every((needle) => row.includes(needle)));
};

/** Leaves out most of what a search does not find before anything is parsed. */
const mayContain = (query: string | undefined): ((row: string) => boolean) => {
  if (query === undefined) return () => true;
  const needle = JSON.stringify(query.toLowerCase()).slice(1, -1);
  return (row) => row.toLowerCase().includes(needle);
};

export interface ListPorts {
  readonly readModel: Pick<ReadModel, 'read'>;
  readonly log: Logger;
}

const withoutRows =
  (log: Logger) =>
  (error: unknown): Projected => {
    if (!isPluginError(error)) throw error;
    log.error('list.unreadable', messageOf(error), { code: error.code });
    return { rows: [], warnings: [], stale: messageOf(error) };
  };

/** One page of a projection. Only what is on it is parsed, unless its order or a search needs all of it. */
export const listRows = async <T extends object>(
  { readModel, log }: ListPorts,
  name: 'requests' | 'machines',
  listing: Listing,
  {
    fields,
    isRow,
  }: {
    readonly fields: Readonly<Record<string, string | undefined>>;
    readonly isRow: (value: unknown) => value is T;
  },
): Promise<Paginated<T>> => {
  checkFields(listFields[name], listing.sortBy);
  const { rows, warnings, stale } = await readModel.read(name, listing.expected).catch(withoutRows(log));
  const found = having(rows, fields).filter(mayContain(listing.query));
  const parse = (row: string): readonly T[] => {
    const value: unknown = JSON.parse(row);
    return isRow(value) ? [value] : [];
  };
  const rest = { warnings, ...(stale === undefined ? {} : { _warning: stale }) };
  const isAsStored = listing.sortBy === undefined || camel(listing.sortBy) === 'createdAt';
  if (listing.query !== undefined || !isAsStored) {
    return { ...paginate(arrange(found.flatMap(parse), listing), listing), ...rest };
  }
  const { items, ...page } = paginate(listing.sortOrder === 'asc' ? found.toReversed() : found, listing);
  return { items: items.flatMap(parse), ...page, ...rest };
};

/** Ids of returns that are not over. */
export const openReturns = async (readModel: Pick<ReadModel, 'read'>): Promise<readonly string[]> => {
  const { rows } = await readModel.read('requests');
  return having(rows, { kind: 'return', status: 'running' }).flatMap((row) => {
    const value: unknown = JSON.parse(row);
    const isRow = typeof value === 'object' && value !== null && 'requestId' in value;
    return isRow ? [String(value.requestId)] : [];
  });
};
