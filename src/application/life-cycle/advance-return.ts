import { isPluginError, type PluginError } from '../../domain/errors.ts';
import { decideReturn, type ReturnCommand } from '../../domain/return/decide.ts';
import { due, newReturn, type ReturnLook, type ReturnStep } from '../../domain/return/due.ts';
import type { ReturnItem } from '../../domain/return/events.ts';
import { absentReturn, evolveReturn, type KnownReturn, type ReturnRequest } from '../../domain/return/state.ts';
import type { KnownRequests } from './known-requests.ts';
import { leave, type ReturnPorts, tag, tellRequests, terminate } from './perform-return.ts';
import { stepByStep } from './step-by-step.ts';
import { type DecideContext, type Decided, decideOnReturn } from './streams.ts';

interface AdvanceReturn {
  readonly id: string;
  /** As it is on record; a new one is not. */
  readonly known?: Decided<KnownReturn>;
  /** What was asked for or seen. */
  readonly news: ReturnCommand;
  /** The requests that launched its hosts. */
  readonly requests: KnownRequests;
}

/** What came of a return's steps. */
export interface AdvancedReturn {
  /** Its state after the last step, recorded where that was possible. */
  readonly decided: Decided<ReturnRequest>;
  /** Items that EC2 or their groups have taken on to end. */
  readonly accepted: readonly ReturnItem[];
  /** Why the disk did not take the record, or the hosts could not be terminated. */
  readonly unrecorded?: PluginError;
  readonly unsent?: PluginError;
}

interface Progress extends AdvancedReturn {
  readonly look: ReturnLook;
}

const unlessFault = async <T>(work: Promise<T>): Promise<{ readonly done: T } | { readonly fault: PluginError }> => {
  try {
    return { done: await work };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    return { fault: error };
  }
};

/**
 * Does what is due about a return, step by step, until nothing is. Money before bookkeeping: hosts go even if the disk refuses the
 * record. Faults of the disk and of EC2 are answered, not thrown; what is neither is thrown.
 */
export const advanceReturn = async (
  ports: ReturnPorts,
  context: DecideContext,
  { id, known, news, requests }: AdvanceReturn,
): Promise<AdvancedReturn> => {
  const { now } = news;
  const onRecord: Decided<ReturnRequest> = known ?? { state: absentReturn, version: 0 };
  const record = async (current: Progress): Promise<Progress> => {
    const recorded = await unlessFault(decideOnReturn(context, id, [news], onRecord));
    if ('done' in recorded) return { ...current, decided: recorded.done };
    return { ...current, unrecorded: recorded.fault, look: { ...current.look, isUnrecorded: true } };
  };
  const send = async (current: Progress, items: readonly ReturnItem[]): Promise<Progress> => {
    const { decided, look, unrecorded } = current;
    const sent = await unlessFault(terminate(ports, requests, items));
    if ('fault' in sent) return { ...current, unsent: sent.fault };
    const { accepted, refused } = sent.done;
    const after = { ...current, accepted, look: { ...look, accepted } };
    for (const [machineId, reason] of refused) ports.log.warn('return.refused', reason, { returnId: id, machineId });
    if (refused.size === 0 || unrecorded !== undefined) return after;
    const recorded = await unlessFault(decideOnReturn(context, id, [{ type: 'Refuse', now, refused }], decided));
    return 'done' in recorded ? { ...after, decided: recorded.done } : { ...after, unsent: recorded.fault };
  };
  const perform = async (step: ReturnStep, current: Progress): Promise<Progress> => {
    switch (step.do) {
      case 'record':
        return record(current);
      case 'tag':
        await tag(ports, requests, step.items);
        return current;
      case 'terminate':
        return send(current, step.items);
      case 'tell-requests':
        await tellRequests(ports, requests, { returnId: id, now, items: step.items });
        return current;
      case 'leave':
        await leave(ports, requests, now, step.items);
        return current;
    }
  };
  const state = decideReturn(news, onRecord.state).reduce(evolveReturn, onRecord.state);
  const { look: _look, ...advanced } = await stepByStep<Progress, ReturnStep>(
    {
      due: ({ decided, look }) => (decided.state.stage === 'absent' ? undefined : due(decided.state, look)),
      take: (step, current) => {
        const tried = new Set([...current.look.tried, step.do]);
        return perform(step, { ...current, look: { ...current.look, tried } });
      },
    },
    {
      decided: { state, version: onRecord.version },
      accepted: [],
      look: { ...newReturn, known: known?.state.items },
    },
  );
  return advanced;
};
