import { agentFor, type ClientConfig } from './client-config.ts';
import { type AwsCredentials, areSame } from './credentials.ts';
import { endpointOf, signingRegion } from './endpoint.ts';
import type { Message, Received } from './exchange.ts';
import { overAgent } from './over-agent.ts';
import { overSocket } from './over-socket.ts';
import { sign } from './sign.ts';

/** The name of a service in its endpoints and signatures. */
export type ServiceName =
  | 'ec2'
  | 'autoscaling'
  | 'ssm'
  | 'sts'
  | 'servicequotas'
  | 'sqs'
  | 'events'
  | 'pricing'
  | 'dynamodb'
  | 'iam';

interface Signature {
  readonly credentials: AwsCredentials;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const post = async (
  service: ServiceName,
  client: ClientConfig,
  { headers, body }: Message,
  signal: AbortSignal,
  { credentials, at }: Signature,
): Promise<Received> => {
  const url = endpointOf(service, client);
  const scope = { service, region: signingRegion(service, client.region), date: new Date(at) };
  // Not signed: a proxy may change it.
  const signed = { ...sign({ url, headers, body }, scope, credentials), 'user-agent': 'hostfactory-aws' };
  const message = { headers: signed, body };
  if (client.exchange !== undefined) return client.exchange(url, message, signal);
  const agent = agentFor(client, url);
  return agent === undefined
    ? overSocket(client, url, message, signal)
    : overAgent(client, agent, url, message, signal);
};

/** AWS refuses signatures that are five minutes off its own clock, ms; an answer may take some time to arrive. */
const mostSkew = 4 * 60_000;

/**
 * Codes by which EC2, the other query services and the JSON services refuse credentials. RequestExpired is also said of a wrong
 * clock, and AuthFailure of an image or group of somebody else, which better credentials do not change.
 */
const refusesCredentials =
  /["#>](AuthFailure|ExpiredToken|ExpiredTokenException|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException)["<]/;

/** With what to sign again after a refusal; undefined where nothing would be different. */
const signatureAfter = async (
  { status, date, text }: Received,
  { credentials: signedWith, at }: Signature,
  { credentials }: ClientConfig,
): Promise<Signature | undefined> => {
  if (status < 400 || status >= 500) return undefined;
  const there = Date.parse(date ?? '');
  if (Math.abs(there - at) > mostSkew) return { credentials: signedWith, at: there };
  if (!refusesCredentials.test(text) || /AuthFailure<\/Code><Message>(?!AWS was not able)/.test(text)) return undefined;
  const fresh = await credentials(signedWith);
  return areSame(fresh, signedWith) ? undefined : { credentials: fresh, at };
};

/** AWS's id of a call is in a header, and in the document where a gateway takes headers away. */
export const hasRequestId = ({ requestId, text }: Received): boolean =>
  requestId !== undefined || /<requestId>/i.test(text.slice(0, 500)) || /<RequestId>/i.test(text.slice(-500));

/**
 * Posts to a service, signed; once more where AWS refuses the signature and a better one can be had: by AWS's own clock, as the
 * SDK does, or with credentials that were renewed meanwhile. What AWS refused so was not done. Throws the errors of Node's
 * connections, `TimeoutError` and `AbortError`, and what looking for credentials throws.
 */
export const postSigned = async (
  service: ServiceName,
  client: ClientConfig,
  message: Message,
  signal: AbortSignal,
): Promise<Received> => {
  const first: Signature = { credentials: await client.credentials(), at: client.clock.now() };
  const received = await post(service, client, message, signal, first);
  const again = await signatureAfter(received, first, client);
  const answer = again === undefined ? received : await post(service, client, message, signal, again);
  // A proxy's own page tells nothing of AWS's time; it has no request id of AWS's either.
  if (hasRequestId(answer)) client.clock.observe(answer.date, answer.at);
  return answer;
};
