import type { Handler, Message, Operation } from '../bus.ts';
import type { RequestStreams } from '../ports.ts';
import { readAll } from '../streams.ts';
import { type RequestStatus, type RequestView, viewOf } from '../views.ts';

export interface ListRequests extends Message {
  readonly type: 'ListRequests';
  readonly status?: RequestStatus;
  readonly templateId?: string;
  readonly limit?: number;
  readonly offset?: number;
}

export interface ListRequestsAnswer {
  readonly requests: readonly RequestView[];
  /** Records that could not be read, and why. */
  readonly warnings: readonly string[];
}

/** All requests on record, newest first. */
export const listRequestsHandler =
  ({ streams }: { readonly streams: RequestStreams }): Handler<Operation<ListRequests, ListRequestsAnswer>> =>
  async ({ status, templateId, limit, offset = 0 }) => {
    const { read, warnings } = await readAll(streams, await streams.ids());
    const requests = read
      .flatMap(({ id, stream }) => viewOf(id, stream) ?? [])
      .filter((view) => status === undefined || view.status === status)
      .filter((view) => templateId === undefined || view.templateId === templateId)
      .sort((a, b) => b.createdAt - a.createdAt || a.requestId.localeCompare(b.requestId))
      .slice(offset, limit === undefined ? undefined : offset + limit);
    return { requests, warnings };
  };
