import type { RequestCommand } from '../../domain/request/commands.ts';
import { due, isTooLate } from '../../domain/request/due.ts';
import { arrivals } from '../../domain/request/learn.ts';
import type { Look } from '../../domain/request/look.ts';
import type { Request } from '../../domain/request/state.ts';
import { intentOf, withTried } from '../../domain/request/step.ts';
import { bookkeeper } from './bookkeeping.ts';
import { type PerformPorts, perform } from './perform.ts';
import type { LifeCyclePorts } from './ports.ts';
import { type DecideContext, type Decided, decideOnRequest } from './streams.ts';

export type AdvancePorts = PerformPorts & Pick<LifeCyclePorts, 'failures' | 'live' | 'policy'>;

interface Advance {
  readonly id: string;
  /** The request as it was read or decided last. */
  readonly known: Decided<Request>;
  /** Others may have changed it since: it is read again. */
  readonly isStale?: boolean;
  readonly look: Look;
  /** What is recorded first. */
  readonly news: readonly RequestCommand[];
  /** Units on the books of its template, where that is known. */
  readonly booked?: number;
}

/**
 * Does what is due about a request, step by step, until nothing is: what a step means to do is on record before AWS is asked, what
 * came of it after, and the books are right before AWS is asked again. Answers with the request as it then stands.
 */
export const advance = async (
  ports: AdvancePorts,
  context: DecideContext,
  { id, known, isStale = false, look: first, news, booked }: Advance,
): Promise<Decided<Request>> => {
  const { policy, clock } = ports;
  const keep = bookkeeper(ports, id, booked);
  let decided = known;
  let look = first;
  const record = async (commands: readonly RequestCommand[], from: Decided<Request> | undefined): Promise<void> => {
    const before = decided.state;
    decided = await decideOnRequest(context, id, commands, from);
    await keep(before, decided.state);
  };
  const settle = (request: Request): RequestCommand => {
    const noPoolLeft = request.stage !== 'absent' && (look.noPoolLeft === true || isTooLate(request, look, policy));
    return { type: 'Settle', now: clock(), noPoolLeft };
  };
  if (news.length > 0) await record([...news, settle(known.state)], isStale ? undefined : known);
  for (;;) {
    const request = decided.state;
    const step = request.stage === 'absent' ? undefined : due(request, look, policy);
    if (request.stage === 'absent' || step === undefined) return decided;
    look = withTried(look, step);
    const intent = intentOf(step, clock());
    if (intent.length > 0) await record(intent, decided);
    const outcome = await perform(ports, id, request, step, look);
    look = outcome.look;
    const arrived = arrivals(request, look, policy);
    await record([...outcome.commands, ...arrived, settle(decided.state)], decided);
  }
};
