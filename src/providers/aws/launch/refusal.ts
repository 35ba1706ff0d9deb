import type { OfferingMemory } from '../../../application/ports/memory.ts';
import { isPluginError, messageOf } from '../../../domain/errors.ts';
import { type Offering, type RefusedOffering, refusedOffering } from '../../../domain/offering.ts';
import type { PreparedLaunch, Refusal, RefusalFault } from '../../../domain/request/events.ts';
import { kindOfCode, scopeOfCode } from '../wire/error-codes.ts';
import { optional } from './launch-data.ts';

const refusalFaults: ReadonlySet<string> = new Set<RefusalFault>([
  'provider.capacity',
  'provider.quota',
  'provider.denied',
  'provider.misconfigured',
  'provider.missing',
  'provider.unreachable',
]);

export const isRefusalFault = (code: string): code is RefusalFault => refusalFaults.has(code);

/** An error that leaves no doubt as what was not given; any other error is passed on. */
export const refusalOf = (error: unknown, { count, pool }: PreparedLaunch): Refusal => {
  if (!isPluginError(error) || !isRefusalFault(error.code)) throw error;
  const { code = error.code, awsRequestId } = error.aws ?? {};
  const message = messageOf(error).replace(/^.*?Error Code: [^:]*: /s, '');
  return { missing: count, code, fault: error.code, message, pool, ...optional('awsRequestId', awsRequestId) };
};

/** Kinds of refusals: those first that stay until somebody does something about them. */
const byGravity: readonly RefusalFault[] = [
  'provider.denied',
  'provider.misconfigured',
  'provider.missing',
  'provider.quota',
  'provider.capacity',
];

/** The kind of a refusal that AWS tells by its code alone. What passes is as if there were no capacity for now. */
export const refusalFaultOf = (code: string, unknown: RefusalFault): RefusalFault => {
  const kind = kindOfCode(code) ?? unknown;
  return isRefusalFault(kind) ? kind : 'provider.capacity';
};

/** Of several errors of one launch the first of the gravest kind: a lack of capacity may only follow from it. */
export const gravest = <T extends { readonly ErrorCode?: string | undefined }>(
  errors: readonly T[],
  unknown: RefusalFault,
): { readonly error: T; readonly code: string; readonly fault: RefusalFault } | undefined => {
  const known = errors.map((error) => {
    const code = error.ErrorCode ?? '';
    return { error, code, fault: refusalFaultOf(code, unknown) };
  });
  return known.toSorted((a, b) => byGravity.indexOf(a.fault) - byGravity.indexOf(b.fault))[0];
};

/** What a refusal teaches about an offering; most are about something else. */
export const lessonOf = (
  offering: Offering,
  { code, message = '' }: { readonly code: string; readonly message?: string },
  now: number,
): RefusedOffering | undefined => {
  const scope = scopeOfCode(code);
  // A placement group that is full has the code of a type that is sold out: only its words tell that other templates get the type.
  if (/placement group/i.test(message)) return undefined;
  return scope === undefined ? undefined : refusedOffering(offering, { code, scope }, now);
};

/** Remembers what was refused; where nothing was, forgets the refusals of what was granted. */
export const learn = async (
  { offerings }: { readonly offerings: Pick<OfferingMemory, 'remember' | 'forget'> },
  refused: readonly RefusedOffering[],
  isGranted: ((offering: Offering) => boolean) | undefined,
): Promise<void> => {
  if (refused.length > 0) await offerings.remember(refused);
  else if (isGranted !== undefined) await offerings.forget(isGranted);
};
