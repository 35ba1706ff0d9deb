import type { Refusal } from './events.ts';
import type { HeldResource, KnownRequest } from './state.ts';
import { fillingResources, missingUnits, unitsOfAll, unresolvedLaunches } from './units.ts';

const refusalText = ({ code, pool, message }: Refusal): string =>
  `Error Code: ${code} (${pool})${message === '' ? '' : `: ${message}`}`;

const searchText = ({ kind, id, explained }: HeldResource): string => {
  const text = `${kind} ${id} is looking for the rest.`;
  const { shortage } = explained ?? {};
  return shortage === undefined ? text : `${text} AWS says: Error Code: ${shortage.code}: ${shortage.message}`;
};

const countText = (request: KnownRequest): string => {
  const { wanted, machines } = request;
  const units = unitsOfAll(request, [...machines.values()]);
  if (units === machines.size) return `${machines.size} of ${wanted} machines granted.`;
  return `${units} of ${wanted} units granted on ${machines.size} machines.`;
};

export const cancelledText = (reason: string): string => `Cancelled: ${reason}`;

/** What was asked and granted, and why there is less: the one sentence Host Factory's log shows the administrator. */
export const requestMessage = (request: KnownRequest): string => {
  const counts =
    request.cancelled === undefined ? countText(request) : `${cancelledText(request.cancelled)}. ${countText(request)}`;
  const unresolved = unresolvedLaunches(request);
  if (unresolved.length > 0) {
    if (unresolved.every(({ throttled = 0 }) => throttled > 0))
      return `${counts} AWS throttled the launch; it will be sent again.`;
    return `${counts} AWS has not confirmed the launch yet; it will be looked up.`;
  }
  const filling = fillingResources(request).map(searchText);
  const reasons = [...new Set(request.refusals.map(refusalText))];
  return missingUnits(request) === 0 ? counts : [counts, ...filling, ...reasons].join(' ');
};
