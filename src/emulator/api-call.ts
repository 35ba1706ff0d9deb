import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallLog } from './calls.ts';
import { answerEc2, errorAnswer, type ServiceAnswer } from './ec2/service.ts';
import type { FaultBook, FaultEffect } from './faults.ts';
import { ServiceError } from './wire/service-error.ts';
import type { World } from './world.ts';

/** What becomes of a call's connection: an answer, a cut, or silence. */
export type Reply =
  | { readonly kind: 'answer'; readonly requestId: string; readonly answer: ServiceAnswer }
  | { readonly kind: 'cut' }
  | { readonly kind: 'silence' };

export interface ApiCalls {
  readonly world: World;
  readonly log: CallLog;
  readonly faults: FaultBook;
  /** Told after every action that may have changed the world. */
  readonly changed: () => void;
}

const accessKeyOf = (authorization: string | undefined): string | undefined =>
  /Credential=([^/,\s]+)/.exec(authorization ?? '')?.[1];

const injectedError = (effect: FaultEffect & { readonly kind: 'error' }, requestId: string): ServiceAnswer => {
  const { code, message = `Injected fault ${code}`, httpStatus } = effect;
  return errorAnswer(new ServiceError(code, message, httpStatus), requestId);
};

/** Performs one API call as a form-encoded body gives it, or what an injected fault makes of it. Always recorded. */
export const performCall = async (
  { world, log, faults, changed }: ApiCalls,
  body: string,
  authorization: string | undefined,
): Promise<Reply> => {
  const form = new Map(new URLSearchParams(body));
  const action = form.get('Action') ?? '(none)';
  const requestId = randomUUID();
  const end = log.begin(action, world.now(), form);
  const effect = faults.meet(action);
  if (effect !== undefined) end({ fault: effect.kind });
  if (effect?.kind === 'hang') return { kind: 'silence' };
  if (effect?.kind === 'drop-before') return { kind: 'cut' };
  if (effect?.kind === 'delay') await delay(effect.ms, undefined, { ref: false });

  const answer =
    effect?.kind === 'error'
      ? injectedError(effect, requestId)
      : answerEc2(world, { action, form, accessKeyId: accessKeyOf(authorization) }, requestId);
  if (!action.startsWith('Describe')) changed();
  end({ httpStatus: answer.status, ...(answer.errorCode !== undefined && { errorCode: answer.errorCode }) });
  return effect?.kind === 'drop-after' ? { kind: 'cut' } : { kind: 'answer', requestId, answer };
};
