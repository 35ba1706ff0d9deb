import { jsonAnswer } from './aws-answer.ts';
import { type CallContext, callAws, type RetryPolicy } from './call.ts';
import type { ClientConfig } from './client-config.ts';
import { postSigned, type ServiceName } from './post-signed.ts';

export interface JsonConnection extends CallContext {
  readonly client: ClientConfig;
  readonly reads: RetryPolicy;
}

/** An action of a service that speaks AWS's JSON protocol. */
export interface JsonAction {
  readonly service: ServiceName;
  /** As in the header `x-amz-target`: `AmazonSSM.GetParameter`. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** The connection's for reads unless said. */
  readonly retry?: RetryPolicy;
  /** Codes of errors that are answers to the caller. */
  readonly answers?: readonly string[];
}

const wholeAnswer = (answer: unknown): unknown => (typeof answer === 'object' ? answer : undefined);

/**
 * Calls an action; its answer, or what `find` takes out of it, without which it is no answer of AWS's. Throws `provider.*`.
 */
export const jsonCall = (
  { client, reads, ...context }: JsonConnection,
  { service, target, version, retry = reads, answers = [] }: JsonAction,
  input: object,
  find = wholeAnswer,
): Promise<unknown> => {
  const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': target };
  const message = { headers, body: JSON.stringify(input) };
  return callAws(
    context,
    retry,
    target.replace(/^.*\./, ''),
    async (signal) => jsonAnswer(await postSigned(service, client, message, signal), find, answers),
    input,
  );
};
