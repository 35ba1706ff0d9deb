import { createHmac } from 'node:crypto';

/** Key of a secret: of one that begins with `whsec_` what its base64 stands for, else its own bytes. */
const keyOf = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);

export interface SignedBody {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly body: string;
}

/** The headers of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time and body. */
export const webhookHeaders = (
  { id, timestamp, body }: SignedBody,
  secret: string,
): Readonly<Record<string, string>> => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
});
