/**
 * Ids of requests. The prefix tells create from return requests, which Host Factory never does; the rest is a UUID, so an id is
 * also safe as a file name and leaves room for the client token's index within EC2's 64 characters.
 */
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const createId = new RegExp(`^req-${uuid}$`);
const returnId = new RegExp(`^ret-${uuid}$`);
const instanceId = /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/;

export const isCreateId = (id: string): boolean => createId.test(id);
export const isReturnId = (id: string): boolean => returnId.test(id);

/** Whether EC2 could have given out this id: `i-` and 8 or 17 hexadecimal digits. */
export const isInstanceId = (id: string): boolean => instanceId.test(id);

/** The id of an instance in the form EC2 gives out, however it was typed; undefined where it is none. */
export const asInstanceId = (id: string): string | undefined => {
  const lower = id.toLowerCase();
  return isInstanceId(lower) ? lower : undefined;
};

/** Whether this is meant to be the id of an instance. */
export const looksLikeInstanceId = (id: string): boolean => /^i-/i.test(id);

export const createIdOf = (commandId: string): string => `req-${commandId}`;
export const returnIdOf = (commandId: string): string => `ret-${commandId}`;

/** The client token of a request's n-th launch call (facts: at most 64 ASCII characters). */
export const clientTokenOf = (requestId: string, n: number): string => `${requestId}.${n}`;
