import { createHash, createHmac } from 'node:crypto';
import type { AwsCredentials } from './credentials.ts';
import { encode } from './query-codec.ts';

/** A POST to a query service: no query string, and every header is signed. */
export interface Unsigned {
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Scope {
  readonly service: string;
  readonly region: string;
  readonly date: Date;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** As AWS reads a path: without empty parts, and what is encoded already once more. */
const canonicalPath = ({ pathname }: URL): string => {
  const parts = pathname.split('/').filter((part) => part !== '');
  const end = parts.length > 0 && pathname.endsWith('/') ? '/' : '';
  return `/${parts.map(encode).join('/')}${end}`;
};

let lastKey: { readonly of: string; readonly key: Buffer } | undefined;

/** The same all day for one service: four hashes less for each further call of a process. */
const signingKey = (secret: string, scope: readonly string[]): Buffer => {
  const of = [secret, ...scope].join('\n');
  if (lastKey?.of !== of) {
    const [day = '', ...rest] = scope;
    lastKey = { of, key: rest.reduce(hmac, hmac(`AWS4${secret}`, day)) };
  }
  return lastKey.key;
};

/** The headers of a request with AWS's Signature Version 4. */
export const sign = (
  { url, headers, body }: Unsigned,
  { service, region, date }: Scope,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
): Readonly<Record<string, string>> => {
  const time = date.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const token = sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken };
  const all: Record<string, string> = { ...headers, ...token, host: url.host, 'x-amz-date': time };
  const names = Object.keys(all).sort();
  const lines = names.map((name) => `${name}:${all[name]?.trim().replaceAll(/\s+/g, ' ')}\n`);
  const canonical = ['POST', canonicalPath(url), '', lines.join(''), names.join(';'), sha256(body)].join('\n');
  const scopes = [day, region, service, 'aws4_request'];
  const scope = scopes.join('/');
  const key = signingKey(secretAccessKey, scopes);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...all, authorization };
};
