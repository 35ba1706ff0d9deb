import { PluginError } from '../../../domain/errors.ts';
import { kindOfCode } from './error-codes.ts';
import type { Received } from './exchange.ts';
import { hasRequestId } from './post-signed.ts';
import { contentOf, rootOf } from './query-codec.ts';

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;

/** The first words of whatever came, for people: no markup, no control characters, nothing that may be a secret. */
const firstWords = (text: string): string => {
  const words = text
    .slice(0, 2000)
    .replaceAll(/<[^>]*>?/g, ' ')
    .replaceAll(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, ' ')
    .replaceAll(/\?\S*/g, '?')
    .replaceAll(/(token|key|secret|password|signature|credential)["']?[:=] ?\S*/gi, '$1…')
    .replaceAll(/[\w+/=-]{20,}/g, '…')
    .trim();
  return words.length > 80 ? `${words.slice(0, 80)}…` : words;
};

const described = ({ status, contentType = 'without a content type', text }: Received): string => {
  const words = firstWords(text);
  return `HTTP ${status}, ${contentType.replaceAll(/[^\w/;=. +-]/g, '').slice(0, 60)}, ${words === '' ? 'no text' : `"${words}"`}`;
};

/**
 * What came is no answer of AWS's, and no refusal either, whatever its status: nobody knows what became of the call. Only where a
 * proxy answered in place of a connection it is certain that AWS never heard of it.
 */
export const unexpected = (received: Received, what = "the answer is not AWS's"): Error => {
  if (received.isFromProxy) {
    const text = `the proxy does not let the call through (${described(received)}): check AWS_PROXY_HOST and what it needs`;
    return Object.assign(new Error(text), { name: 'ProxyRefused' });
  }
  const text = `${what} (${described(received)}); is there a proxy or gateway in between?`;
  return Object.assign(new Error(text), { name: 'UnexpectedAnswer' });
};

/** AWS's words in place of an answer, as the SDK throws them. */
const serviceError = ({ status, requestId }: Received, code: string, message: unknown): Error =>
  Object.assign(new Error(String(message ?? `HTTP ${status}`)), {
    name: code,
    Code: code,
    $fault: status < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: status, requestId },
  });

/** An element's text, also where it has attributes; the first of several. */
const textOf = (value: unknown): string | undefined => {
  const [first]: readonly unknown[] = Array.isArray(value) ? value : [value];
  const text = typeof first === 'object' ? fieldOf(first, '#text') : first;
  return typeof text === 'string' ? text : undefined;
};

/** EC2 says `Errors.Error`, the other services `Error`. */
const errorIn = (content: unknown): unknown => {
  const found = fieldOf(fieldOf(content, 'Errors'), 'Error') ?? fieldOf(content, 'Error');
  return Array.isArray(found) ? found[0] : found;
};

const readable = (xml: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return contentOf(xml);
  } catch {
    return undefined;
  }
};

/**
 * The content of a query service's answer to an action: that of its `<Action>Response`, and of nothing else. Throws AWS's error,
 * with whatever status it comes, and for anything else that came an error that leaves the outcome open.
 */
export const queryAnswer = (action: string, received: Received): Readonly<Record<string, unknown>> => {
  const { status, text, isFromProxy } = received;
  const root = rootOf(text);
  const isError = root === 'ErrorResponse' || root === 'Response';
  if (isFromProxy || !(isError || (root === `${action}Response` && status < 300))) throw unexpected(received);
  const content = readable(text);
  if (content === undefined) throw unexpected(received, 'the answer cannot be read to its end');
  if (!isError) return content;
  const error = errorIn(content);
  const code = textOf(fieldOf(error, 'Code')) ?? '';
  // Others have error documents too: a code that is not known as AWS's needs AWS's id of the call.
  const isAws = code !== '' && (kindOfCode(code) !== undefined || hasRequestId(received));
  throw !isAws ? unexpected(received) : serviceError(received, code, textOf(fieldOf(error, 'Message')));
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** `Unauthorized`, or with the namespace before or an address behind: `com.amazonaws.ssm#Unauthorized:http://...`. */
const plainCode = (type: unknown): string =>
  String(type ?? '')
    .replace(/:.*$/s, '')
    .replace(/^.*#/s, '');

/**
 * The same of a JSON service: the value that `find` takes out of the answer, without which it is none. Errors of the codes in
 * `answers` are answers too.
 */
export const jsonAnswer = (
  received: Received,
  find: (body: unknown) => unknown,
  answers: readonly string[] = [],
): unknown => {
  const { status, text, contentType = '', errorType, isFromProxy } = received;
  const body = /\bjson\b|-json/.test(contentType) ? parsed(text) : undefined;
  const code = plainCode(errorType ?? fieldOf(body, '__type'));
  if (isFromProxy || (body === undefined && errorType === undefined)) throw unexpected(received);
  if (answers.includes(code) && body !== undefined) return body;
  if (code !== '') throw serviceError(received, code, fieldOf(body, 'message') ?? fieldOf(body, 'Message'));
  const found = status < 300 ? find(body) : undefined;
  if (found === undefined || found === null) throw unexpected(received);
  return found;
};

/** Without what it must tell, an answer leaves open what AWS did. */
export const required = <T>(action: string, what: string, value: T | undefined): T => {
  if (value !== undefined && value !== '') return value;
  const code = 'UnexpectedAnswer';
  const text = `${action} failed. Error Code: ${code}: the answer tells no ${what}`;
  throw new PluginError('provider.transient', text, { aws: { code, action } });
};
