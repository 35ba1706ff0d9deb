import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jsonForm } from './account.ts';
import type { CallLog } from './calls.ts';
import type { FaultBook } from './faults.ts';
import { answerCall, errorAnswer, type ServiceAnswer } from './service.ts';
import { ServiceError } from './wire/service-error.ts';
import type { World } from './world.ts';

/** What becomes of a call's connection: an answer, a cut, or silence. */
type Reply =
  | { readonly kind: 'answer'; readonly action: string; readonly requestId: string; readonly answer: ServiceAnswer }
  | { readonly kind: 'cut' }
  | { readonly kind: 'silence' };

/** A moment of a call: it has arrived, its work is done, its answer has left. */
export interface Moment {
  readonly action: string;
  readonly at: 'arrived' | 'acted' | 'answered';
}

/** Sees every call at its moments, at once. `cut` ends it there: nothing more is done, nothing answered. */
export type Watcher = (moment: Moment) => 'cut' | undefined;

export interface ApiCalls {
  readonly world: World;
  readonly log: CallLog;
  readonly faults: FaultBook;
  /** Told after every action that may have changed the world. */
  readonly changed: () => void;
  readonly watch: Watcher;
}

const accessKeyOf = (authorization: string | undefined): string | undefined =>
  /Credential=([^/,\s]+)/.exec(authorization ?? '')?.[1];

// Auto Scaling writes lists another way than EC2, for which filters and tags are read; see the API references.
const readForm = (body: string): ReadonlyMap<string, string> =>
  new Map(
    [...new URLSearchParams(body)].map(([name, value]) => [
      name.replace(/\b(Filter|Value|Tag)s\.member\./g, '$1.').replaceAll('.member.', '.'),
      value,
    ]),
  );

interface CallHeaders {
  readonly authorization: string | undefined;
  /** X-Amz-Date. */
  readonly date: string | undefined;
  readonly target: string | undefined;
  /** X-Amz-Security-Token. */
  readonly token: string | undefined;
}

/** e.g. 20261128T041500Z; NaN for what is none. */
const timeOf = (date = ''): number =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** Performs one API call as its body and headers give it, or what an injected fault makes of it. Always recorded. */
export const performCall = async (
  { world, log, faults, changed, watch }: ApiCalls,
  body: string,
  { authorization, date, target, token }: CallHeaders,
): Promise<Reply> => {
  const form = target === undefined ? readForm(body) : jsonForm(target, body);
  const action = form.get('Action') ?? '(none)';
  const requestId = randomUUID();
  const end = log.begin(action, world.now(), form);
  if (watch({ action, at: 'arrived' }) === 'cut') return { kind: 'cut' };
  const effect = faults.meet(action);
  if (effect !== undefined) end({ fault: effect.kind });
  if (effect?.kind === 'hang') return { kind: 'silence' };
  if (effect?.kind === 'drop-before') return { kind: 'cut' };
  if (effect?.kind === 'delay') await delay(effect.ms, undefined, { ref: false });

  const { lastNumber } = world;
  const answer =
    effect?.kind === 'error'
      ? errorAnswer(
          form,
          new ServiceError(effect.code, effect.message ?? `Injected fault ${effect.code}`, effect.httpStatus),
          requestId,
        )
      : answerCall(
          world,
          {
            action,
            form,
            accessKeyId: accessKeyOf(authorization),
            sessionToken: token,
            signedAt: timeOf(date),
          },
          requestId,
        );
  if (!action.startsWith('Describe') || world.lastNumber !== lastNumber) changed();
  end({ httpStatus: answer.status, ...(answer.errorCode !== undefined && { errorCode: answer.errorCode }) });
  const isCut = watch({ action, at: 'acted' }) === 'cut' || effect?.kind === 'drop-after';
  return isCut ? { kind: 'cut' } : { kind: 'answer', action, requestId, answer };
};
