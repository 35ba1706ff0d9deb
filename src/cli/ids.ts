import type { ApplicationService } from '../application/bus/application-service.ts';
import { PluginError } from '../domain/errors.ts';
import { isCreateId, isReturnId } from '../domain/ids.ts';
import type { CommonOptions } from './context.ts';
import { originOptions } from './run.ts';

/** People write the beginning of an id, or a name. */
export const idDescriptions = {
  requestId: 'Id of a request or return, or the beginning of one',
  machineId: 'Id, the beginning of one, or name',
  id: 'Id of a request, return or machine, or the beginning of one',
} as const;

/** More than one answer can be ambiguous in. */
const most = 10_000;

const only = (written: string, found: readonly string[], unknown: PluginError): string => {
  const [first, ...more] = [...new Set(found)];
  if (first === undefined) throw unknown;
  if (more.length === 0) return first;
  const few = [first, ...more].slice(0, 4).join(', ');
  const rest = more.length > 3 ? ` and ${more.length - 3} more` : '';
  throw new PluginError('input.invalid', `"${written}" could be ${few}${rest}: write more of the id`);
};

const isWhole = (id: string): boolean => isCreateId(id) || isReturnId(id);

/** The id of a request or return by its beginning, with or without `req-`; a whole one is taken as it is. */
export const requestIdOf = async (
  service: ApplicationService,
  options: CommonOptions,
  written: string,
): Promise<string> => {
  if (isWhole(written)) return written;
  const unknown = new PluginError(
    'request.not-found',
    `no request begins with "${written}": hf-aws requests list shows them (archived ones need the whole id)`,
  );
  const [, kind = '', beginning = ''] = /^(re[qt]-)?([0-9a-f][0-9a-f-]{0,35})$/.exec(written) ?? [];
  if (beginning === '') throw unknown;
  const { items } = await service.listRequests({ query: beginning, limit: most, ...originOptions(options) });
  const ids = items.map(({ requestId }) => requestId);
  const isMeant = (id: string): boolean => id.startsWith(kind) && id.slice('req-'.length).startsWith(beginning);
  return only(written, ids.filter(isMeant), unknown);
};

/** Whole, as EC2 gives them out today; eight digits may also be the beginning of one. */
const wholeMachineId = /^i-[0-9a-f]{17}$/;

/** The id of a machine by its beginning, `i-...`, or by its name; one that is not on record is taken as it is. */
export const machineIdOf = async (
  service: ApplicationService,
  options: CommonOptions,
  written: string,
): Promise<string> => {
  if (wholeMachineId.test(written) || written === '') return written;
  const { items } = await service.listMachines({ query: written, limit: most, ...originOptions(options) });
  if (items.some(({ machineId }) => machineId === written)) return written;
  const found = items.filter(({ machineId, name }) =>
    written.startsWith('i-') ? machineId.startsWith(written) : name === written || name.startsWith(`${written}.`),
  );
  const unknown = new PluginError('machine.not-found', `no machine "${written}" is on record`);
  return only(
    written,
    found.map(({ machineId }) => machineId),
    unknown,
  );
};

/** The id of a request, return or machine. */
export const anyIdOf = (service: ApplicationService, options: CommonOptions, written: string): Promise<string> =>
  /^(re[qt]-|[0-9a-f-]+$)/.test(written)
    ? requestIdOf(service, options, written)
    : machineIdOf(service, options, written);

/** The first eight digits, or as many more as tell these apart. */
const shortened = (ids: readonly string[], prefix: RegExp): ((id: string) => string) => {
  const bare = [...new Set(ids)].map((id) => id.replace(prefix, ''));
  let length = 8;
  while (length < 36 && new Set(bare.map((id) => id.slice(0, length))).size < bare.length) length++;
  return (id) => id.replace(prefix, '').slice(0, length);
};

/** Short ids of requests as tables show them, and every command takes them; whole ones where all is shown. */
export const shortIds = (ids: readonly string[], { wide }: CommonOptions = {}): ((id: string) => string) =>
  wide === true ? String : shortened(ids, /^re[qt]-/);

/** The same of machines, with their `i-`. */
export const shortMachineIds = (ids: readonly string[], { wide }: CommonOptions = {}): ((id: string) => string) => {
  const short = shortened(ids, /^i-/);
  return (id) => (wide !== true && id.startsWith('i-') ? `i-${short(id)}` : id);
};
