import type { RequestCommand } from '../../domain/request/commands.ts';
import { due, isTooLate } from '../../domain/request/due.ts';
import { arrivals } from '../../domain/request/learn.ts';
import type { Look } from '../../domain/request/look.ts';
import type { KnownRequest, Request } from '../../domain/request/state.ts';
import { intentOf, type Step, withTried } from '../../domain/request/step.ts';
import { type PerformPorts, perform } from './perform.ts';
import type { LifeCyclePorts } from './ports.ts';
import { noteOutcome } from './protection.ts';
import { stepByStep } from './step-by-step.ts';
import { type DecideContext, type Decided, decideOnRequest } from './streams.ts';

export type AdvancePorts = PerformPorts & Pick<LifeCyclePorts, 'failures' | 'policy'>;

interface Advance {
  readonly id: string;
  /** The request as it was read or decided last. */
  readonly known: Decided<Request>;
  /** Others may have changed it since the look began: it is read again before AWS is told what a fleet or group is to hold. */
  readonly isStale?: boolean;
  readonly look: Look;
  /** What is recorded first. */
  readonly news: readonly RequestCommand[];
}

/** Steps without an intent on record: a conflict would not stop them, so the request is read again before. */
const unrecorded: ReadonlySet<Step['do']> = new Set(['aim', 'end-search', 'remove']);

interface Progress {
  readonly decided: Decided<Request>;
  readonly look: Look;
}

/**
 * Does what is due about a request, step by step, until nothing is: what a step means to do is on record before AWS is asked, what
 * came of it after, and the ledger is right before AWS is asked again. Answers with the request as it is then.
 */
export const advance = async (
  ports: AdvancePorts,
  context: DecideContext,
  { id, known, isStale = false, look, news }: Advance,
): Promise<Decided<Request>> => {
  const { policy, clock } = ports;
  /** What became of its machines, once they are all usable or lost. */
  const noteChange = async (before: Request, after: Request): Promise<void> => {
    if (before.stage !== 'absent' && after.stage !== 'absent') await noteOutcome(ports, before, after);
  };
  const record = async (
    before: Request,
    commands: readonly RequestCommand[],
    from: Decided<Request> | undefined,
  ): Promise<Decided<Request>> => {
    const decided = await decideOnRequest(context, id, commands, from);
    await noteChange(before, decided.state);
    return decided;
  };
  const settle = (request: Request, seen: Look): RequestCommand => {
    const noPoolLeft = request.stage !== 'absent' && (seen.noPoolLeft === true || isTooLate(request, seen, policy));
    return { type: 'Settle', now: clock(), noPoolLeft };
  };
  let isFresh = !isStale;
  /** What is due by what others have written meanwhile, if they have. */
  const readAgain = async ({ decided, look: seen }: Progress): Promise<Progress> => {
    isFresh = true;
    const now = await decideOnRequest(context, id, []);
    if (now.version !== decided.version) await noteChange(decided.state, now.state);
    return { decided: now, look: seen };
  };
  const take = async (
    { request, step }: { readonly request: KnownRequest; readonly step: Step },
    current: Progress,
  ): Promise<Progress> => {
    if (!isFresh && unrecorded.has(step.do)) return readAgain(current);
    const { decided, look: before } = current;
    const tried = withTried(before, step);
    const intent = intentOf(step, clock());
    const intended = intent.length > 0 ? await record(request, intent, decided) : decided;
    const outcome = await perform(ports, id, request, step, tried);
    const arrived = arrivals(request, outcome.look, policy);
    const commands = [...outcome.commands, ...arrived, settle(intended.state, outcome.look)];
    return { decided: await record(intended.state, commands, intended), look: outcome.look };
  };
  const nextOf = ({ decided: { state }, look: seen }: Progress) => {
    const step = state.stage === 'absent' ? undefined : due(state, seen, policy);
    return state.stage === 'absent' || step === undefined ? undefined : { request: state, step };
  };
  const first = news.length > 0 ? await record(known.state, [...news, settle(known.state, look)], known) : known;
  const { decided } = await stepByStep({ due: nextOf, take }, { decided: first, look });
  return decided;
};
