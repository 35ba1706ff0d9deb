import { PluginError } from '../../domain/errors.ts';
import type { Handler, Message, Operation } from '../bus.ts';
import type { RequestStreams } from '../ports.ts';
import { type RequestView, viewOf } from '../views.ts';

export interface GetRequestStatus extends Message {
  readonly type: 'GetRequestStatus';
  readonly requestId: string;
  /** Default false. */
  readonly includeMachines?: boolean;
}

export type GetRequestStatusAnswer = Omit<RequestView, 'machines'> & Partial<Pick<RequestView, 'machines'>>;

/** How a create or return request stands by our records; asks AWS nothing. Throws `request.not-found`. */
export const getRequestStatusHandler =
  ({ streams }: { readonly streams: RequestStreams }): Handler<Operation<GetRequestStatus, GetRequestStatusAnswer>> =>
  async ({ requestId, includeMachines = false }) => {
    const view = viewOf(requestId, await streams.load(requestId));
    if (view === undefined) throw new PluginError('request.not-found', `no request "${requestId}"`);
    const { machines, ...rest } = view;
    return includeMachines ? { ...rest, machines } : rest;
  };
