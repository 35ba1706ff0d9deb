import { named } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import { listing, pageOf, requestOnRecord, requestStatus, text } from '../bus/shapes.ts';
import type { RequestRow } from '../projections/requests.ts';
import { isoTime, requestWithIsoTimes } from '../read-model/iso-times.ts';
import { type ListPorts, listRows } from '../read-model/listing.ts';

export const listRequests = defineOperation({
  name: 'ListRequests',
  bus: 'query',
  role: 'viewer',
  title: 'List requests and returns that are not archived, newest first',
  input: {
    ...listing,
    status: { ...requestStatus, description: 'Only requests with this status' },
    kind: { enum: ['create', 'return'], description: 'Only requests for machines, or only returns' },
    templateId: { ...text, description: 'Only requests of this template' },
    requester: { ...text, description: 'Only requests of this user' },
  },
  answer: named('RequestPage', pageOf(requestOnRecord, {})),
});

export type ListRequestsAnswer = AnswerOf<typeof listRequests>;

const isRow = (value: unknown): value is RequestRow =>
  typeof value === 'object' && value !== null && 'requestId' in value && 'createdAt' in value;

/** Requests on record that are not archived, newest first. */
export const listRequestsHandler =
  (ports: ListPorts): HandlerOf<typeof listRequests> =>
  async ({ status, kind, templateId, requester: userId, ...listing }) => {
    const found = await listRows(ports, 'requests', listing, { fields: { status, kind, templateId, userId }, isRow });
    return {
      ...found,
      items: found.items.map((row) => ({ ...requestWithIsoTimes(row), updatedAt: isoTime(row.updatedAt) })),
    };
  };
