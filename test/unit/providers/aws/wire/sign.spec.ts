import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Checksum } from '@smithy/types';
import { expect, it } from 'vitest';
import { sign } from '../../../../../src/providers/aws/wire/sign.ts';
import { fc } from '../../../../random.ts';

class Sha256 implements Checksum {
  private readonly hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key =
      typeof secret === 'string' || secret === undefined ? secret : Buffer.from(new Uint8Array(Object(secret)));
    this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(bytes: Uint8Array): void {
    this.hash.update(bytes);
  }
  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }
  reset(): void {
    throw new Error('not in use');
  }
}

const secret = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/);

it('signs as the SDK does', () =>
  fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '/', '/a%20b/c', '//a//b', '/a/', "/a!b'(c)*~", '/%2F/ü'),
      secret,
      fc.option(secret, { nil: undefined }),
      fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      async (body, path, secretAccessKey, token, date) => {
        const credentials = {
          accessKeyId: 'AKIA1',
          secretAccessKey,
          ...(token === undefined ? {} : { sessionToken: token }),
        };
        const url = new URL(`https://ec2.eu-west-1.amazonaws.com${path}`);
        const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-amz-target': ' two  blanks ' };
        const scope = { service: 'ec2', region: 'eu-west-1' };
        const theirs = new SignatureV4({ ...scope, credentials, sha256: Sha256, applyChecksum: false });
        const signed = await theirs.sign(
          {
            method: 'POST',
            protocol: url.protocol,
            hostname: url.hostname,
            path: url.pathname,
            headers: { ...headers, host: url.host },
            body,
          },
          { signingDate: date },
        );
        expect(sign({ url, headers, body }, { ...scope, date }, credentials)).toEqual(signed.headers);
      },
    ),
  ));
