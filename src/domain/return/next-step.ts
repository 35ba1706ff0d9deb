import { listed, nothingDue } from '../request/next-step.ts';
import { due, newReturn, type ReturnStep } from './due.ts';
import type { ReturnRequest } from './state.ts';

/** What is done about a return next, where AWS shows nothing new; undefined where it is over. */
export const nextReturnStep = (
  request: ReturnRequest,
): { readonly do: ReturnStep['do'] | 'look'; readonly text: string } | undefined => {
  if (request.stage !== 'open') return undefined;
  const step = due(request, { ...newReturn, known: request.items, tried: new Set(['record']) });
  if (step === undefined || step.do === 'record') return nothingDue;
  const machines = listed(step.items.map(({ machineId }) => machineId));
  return { do: step.do, text: step.do === 'tag' ? `see that ${machines} carry our tag` : `terminate ${machines}` };
};
