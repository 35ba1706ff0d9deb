import { isPluginError, messageOf } from '../../domain/errors.ts';
import { isReturnId } from '../../domain/ids.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { learn } from '../../domain/request/learn.ts';
import type { KnownRequest, Request } from '../../domain/request/state.ts';
import { fillingResources, liveMachines } from '../../domain/request/units.ts';
import type { RequestStreams } from '../ports/streams.ts';
import type { Logger } from '../ports/telemetry.ts';
import { advance } from './advance.ts';
import { advanceReturn } from './advance-return.ts';
import { knownRequests } from './known-requests.ts';
import { lookAt, lookOf, type OpenCreate, type OpenReturn } from './look.ts';
import type { LifeCyclePorts } from './ports.ts';
import { type DecideContext, type Decided, foldRequest, foldReturn } from './streams.ts';

/** What came of bringing requests up to date. */
export interface CaughtUp {
  /** The latest state of each create request, by id; those that could not be read are missing. */
  readonly requests: ReadonlyMap<string, Decided<Request>>;
  /** Requests that could not be updated, and why: their last known state still counts. */
  readonly unverified: ReadonlyMap<string, string>;
}

/**
 * Brings open requests and returns up to date with AWS: one batched look for all of them, then per request what follows from it.
 * A fault while reading changes nothing; trouble with one holds up no other. `news` is recorded along with what is seen.
 */
export const catchUpOpen = async (
  ports: LifeCyclePorts,
  context: DecideContext,
  { creates, returns }: { readonly creates: readonly OpenCreate[]; readonly returns: readonly OpenReturn[] },
  news: readonly RequestCommand[] = [],
): Promise<CaughtUp> => {
  const requests = new Map<string, Decided<Request>>();
  const unverified = new Map<string, string>();
  try {
    const look = await lookAt(ports, creates, returns);
    const advanceOne = async (open: OpenCreate): Promise<void> => {
      const { id, request, version } = open;
      const seen = lookOf(ports.log, look, open);
      const decided = await advance(ports, context, {
        id,
        known: { state: request, version },
        // What a fleet is to hold is decided with what has been returned during the look.
        isStale: fillingResources(request).length > 0,
        look: seen,
        news: [...news, ...learn(request, seen, ports.policy)],
      });
      requests.set(id, decided);
    };
    const requestsOfMachines = knownRequests(context);
    const advanceOneReturn = async ({ id, request, version }: OpenReturn): Promise<void> => {
      const { at: now, isAwsTime, seen } = look;
      const consistencyWindow = isAwsTime ? ports.policy.consistencyWindow : undefined;
      const observed = { type: 'Observe', now, seen: [...seen.values()], consistencyWindow } as const;
      const known = { state: request, version };
      const { unrecorded, unsent } = await advanceReturn(ports, context, {
        id,
        known,
        news: observed,
        requests: requestsOfMachines,
      });
      const fault = unrecorded ?? unsent;
      if (fault !== undefined) throw fault;
    };
    const works = [
      ...creates.map((open) => ({ id: open.id, run: () => advanceOne(open) })),
      ...returns.map((open) => ({ id: open.id, run: () => advanceOneReturn(open) })),
    ];
    for (const { id, run } of works)
      await run().catch((error: unknown) => unverified.set(id, passingTrouble(ports.log, error)));
  } catch (error) {
    const reason = passingTrouble(ports.log, error);
    for (const { id } of [...creates, ...returns]) unverified.set(id, reason);
  }
  return { requests, unverified };
};

/** Reads the requests and returns and brings those that are open up to date; `includeSettled` looks at the machines of others too. */
export const catchUp = async (
  ports: LifeCyclePorts & { readonly streams: RequestStreams },
  context: DecideContext,
  requestIds: readonly string[],
  { includeSettled = false, news = [] }: { includeSettled?: boolean; news?: readonly RequestCommand[] } = {},
): Promise<CaughtUp> => {
  const unreadable = new Map<string, string>();
  const requests = new Map<string, Decided<Request>>();
  const creates: OpenCreate[] = [];
  const returns: OpenReturn[] = [];
  for (const [id, stream] of await ports.streams.loadAll(requestIds)) {
    if (isPluginError(stream)) {
      ports.log.error('sync.unreadable', stream.message, { requestId: id });
      unreadable.set(id, stream.message);
      continue;
    }
    if (isReturnId(id)) {
      const request = foldReturn(stream);
      if (request.stage === 'open') returns.push({ id, request, version: stream.version });
      continue;
    }
    const decided = { state: foldRequest(stream), version: stream.version };
    requests.set(id, decided);
    const { state } = decided;
    if (state.stage === 'open' || (state.stage === 'settled' && includeSettled))
      creates.push(openOf(id, { ...decided, state }));
  }
  const caughtUp = await catchUpOpen(ports, context, { creates, returns }, news);
  return {
    requests: new Map([...requests, ...caughtUp.requests]),
    unverified: new Map([...unreadable, ...caughtUp.unverified]),
  };
};

/** A request and the machines of it that are worth a look. */
export const openOf = (id: string, { state: request, version }: Decided<KnownRequest>): OpenCreate => {
  const machines =
    request.stage === 'open'
      ? [...request.machines.values()].filter(({ state }) => state !== 'terminated')
      : liveMachines(request);
  return { id, request, version, asked: machines.map(({ machineId }) => machineId) };
};

/** Trouble with one request or with AWS is logged: Host Factory asks again. */
export const passingTrouble = (log: Logger, error: unknown): string => {
  if (!isPluginError(error)) throw error;
  log.warn('sync.unverified', messageOf(error), { aws: error.aws });
  return messageOf(error);
};
