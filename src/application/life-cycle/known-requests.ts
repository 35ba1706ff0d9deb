import type { RequestCommand } from '../../domain/request/commands.ts';
import type { Request } from '../../domain/request/state.ts';
import { type DecideContext, type Decided, decideOnRequest } from './streams.ts';

/** Requests as they were last read or decided by one call, which reads each once. */
export interface KnownRequests {
  readonly read: (id: string) => Promise<Request>;
  /** Decides on what is known, or on what another process has written since. */
  readonly decide: (id: string, commands: readonly RequestCommand[]) => Promise<Request>;
}

export const knownRequests = (context: DecideContext): KnownRequests => {
  const known = new Map<string, Decided<Request>>();
  const decide: KnownRequests['decide'] = async (id, commands) => {
    const decided = await decideOnRequest(context, id, commands, known.get(id));
    known.set(id, decided);
    return decided.state;
  };
  return { decide, read: (id) => decide(id, []) };
};
