import type { Handler, Operation } from '../bus/bus.ts';
import type { RequestRow } from '../projections/requests.ts';
import { type Listing, type ListPorts, listRows, type Paginated } from '../read-model/listing.ts';
import type { RequestStatus } from '../read-model/views.ts';

export interface ListRequests extends Listing {
  readonly type: 'ListRequests';
  readonly status?: RequestStatus | undefined;
  readonly kind?: 'create' | 'return' | undefined;
  readonly templateId?: string | undefined;
  /** Who asked for them. */
  readonly requester?: string | undefined;
}

const isRow = (value: unknown): value is RequestRow =>
  typeof value === 'object' && value !== null && 'requestId' in value && 'createdAt' in value;

/** Requests on record that are not archived, newest first. */
export const listRequestsHandler =
  (ports: ListPorts): Handler<Operation<ListRequests, Paginated<RequestRow>>> =>
  ({ status, kind, templateId, requester: userId, ...listing }) =>
    listRows(ports, 'requests', listing, { fields: { status, kind, templateId, userId }, isRow });
