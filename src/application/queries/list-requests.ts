import type { Handler, Message, Operation } from '../bus.ts';
import type { RequestStreams } from '../ports.ts';
import { type RequestStatus, type RequestView, viewOf } from '../views.ts';

export interface ListRequests extends Message {
  readonly type: 'ListRequests';
  readonly status?: RequestStatus;
  readonly templateId?: string;
  readonly limit?: number;
  readonly offset?: number;
}

export type ListRequestsAnswer = readonly RequestView[];

/** All requests on record, newest first. */
export const listRequestsHandler =
  ({ streams }: { readonly streams: RequestStreams }): Handler<Operation<ListRequests, ListRequestsAnswer>> =>
  async ({ status, templateId, limit, offset = 0 }) => {
    const views: RequestView[] = [];
    for (const id of await streams.ids()) {
      const view = viewOf(id, await streams.load(id));
      if (view !== undefined) views.push(view);
    }
    return views
      .filter((view) => status === undefined || view.status === status)
      .filter((view) => templateId === undefined || view.templateId === templateId)
      .sort((a, b) => b.createdAt - a.createdAt || a.requestId.localeCompare(b.requestId))
      .slice(offset, limit === undefined ? undefined : offset + limit);
  };
