import type { KnownRequest, Request } from '../../domain/request/state.ts';
import { countedDead } from '../../domain/request/units.ts';
import type { HostRef } from '../life-cycle/host-lookup.ts';
import type { Policy } from '../ports/policy.ts';
import type { ListedClaim } from '../ports/streams.ts';
import { type Finding, judgeOrphan, judgeUnclaimed, type Owned, type Requests, returnIdOf } from './orphans.ts';

/** What one look shows of what carries our ownership tag. */
export interface Found {
  /** When, ms; undefined where AWS did not give its time: then nothing has an age. */
  readonly now: number | undefined;
  readonly owned: readonly Owned[];
  /** What the capacity ledger says of requests. */
  readonly claims: readonly ListedClaim[];
  readonly requests: Requests;
  /** Returns of machines among them that are not over. */
  readonly openReturns: ReadonlySet<string>;
  /** When earlier sweeps first saw the orphans they found, ms by id. */
  readonly seenBefore: ReadonlyMap<string, number>;
  /** What could not be looked at, and why. */
  readonly warnings: readonly string[];
}

export interface Findings {
  readonly findings: readonly Finding[];
  /** Ids of the requests that the caller knows, since it holds a machine of them. */
  readonly known: readonly string[];
  /** Requests about which something is still to be done, and perhaps nobody asks any more. */
  readonly unfinished: readonly string[];
}

export const isBeingCancelled = (request: Request | undefined): boolean =>
  request?.stage === 'open' && request.cancelled !== undefined;

/** Whether it is over and a group of the administrator's still counts machines of it that died. */
const isCounted = (request: Request | undefined): boolean =>
  request?.stage === 'settled' && countedDead(request).length > 0;

/** What nobody will ever ask about, of what was found. What the caller holds is left alone. */
export const findingsOf = (
  { now, owned, requests, openReturns, seenBefore }: Found,
  held: readonly HostRef[],
  policy: Pick<Policy, 'unclaimed' | 'orphanAge'>,
): Findings => {
  if (now === undefined) return { findings: [], known: [], unfinished: [] };
  const judge = { clock: () => now, policy };
  const [heldIds, heldNames] = [new Set(held.map(({ machineId }) => machineId)), new Set(held.map(({ name }) => name))];
  const isHeld = ({ id, name }: { readonly id: string; readonly name: string }): boolean =>
    heldIds.has(id) || (name !== '' && heldNames.has(name));
  // Whoever holds a machine of it knows it.
  const isKnown = ({ machines }: KnownRequest): boolean =>
    [...machines.values()].some(({ machineId, name }) => isHeld({ id: machineId, name }));
  const isKnownId = ({ id }: Finding): boolean => {
    const request = requests.get(id);
    return request !== undefined && request.stage !== 'absent' && isKnown(request);
  };
  const suspects = judgeUnclaimed(judge, seenBefore, requests);
  const isReturning = (each: Owned): boolean => openReturns.has(returnIdOf(each, requests) ?? '');
  const tagged = new Set(owned.filter(({ kind }) => kind === 'instance').map(({ id }) => id));
  const orphans = owned
    .filter((each) => !isHeld(each))
    .flatMap((each) => judgeOrphan(judge, { seenBefore, requests, tagged, isReturning }, each));
  return {
    findings: [...suspects.filter((each) => !isKnownId(each)), ...orphans],
    known: suspects.filter(isKnownId).map(({ id }) => id),
    unfinished: [...requests].flatMap(([id, request]) => (isBeingCancelled(request) || isCounted(request) ? [id] : [])),
  };
};
