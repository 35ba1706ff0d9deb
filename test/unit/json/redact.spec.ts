import { expect, it } from 'vitest';
import { redaction } from '../../../src/json/redact.ts';

const { text, json } = redaction(['a-known-secret', 'x']);

it.each([
  ['a secret that is known', 'it was a-known-secret, they say'],
  ['a line of a credentials file', 'aws_secret_access_key = planted/Secret'],
  ['a session token', 'AWS_SESSION_TOKEN=planted'],
  ['a password in JSON', '{"dbPassword": "planted"}'],
  ['a header', 'Authorization: Bearer planted.token'],
  ['a signature', 'authorization: AWS4-HMAC-SHA256 Credential=planted, Signature=planted'],
  ['a bearer anywhere', 'sent bearer planted-token'],
  ['the user of a URL', 'proxy http://me:planted@proxy:3128/'],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----'],
  ['a private key cut off', '-----BEGIN PRIVATE KEY----- planted'],
  ['an access key', 'AKIAPLANTED1234567890'],
  ['a secret key of AWS alone', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYplanted123'],
  ['long base64', `${'planted0'.repeat(30)}==`],
])('%s is taken out of a text', (_what, written) => {
  const told = text(written);
  expect(told).not.toMatch(/planted|known-secret|PLANTED/i);
  expect(told).toContain('<removed>');
});

it.each([
  'req-0f0f0f0f-1111-2222-3333-444444444444 clientToken=req-0f0f.0 m5.large in subnet-0123456789abcdef0',
  'AWS_CREDENTIAL_FILE=/etc/grid/credentials AWS_KEY_FILE=/etc/keys',
  'digest 0123456789abcdef0123456789abcdef01234567 of http://proxy:3128/',
])('what is no secret stays: %s', (written) => expect(text(written)).toBe(written));

it('is taken out of JSON by the name of its field, tag or parameter', () => {
  const told = json({
    userData: 'planted',
    template: {
      instanceTags: [
        ['password', 'planted'],
        ['team', 'quant'],
      ],
    },
    Tags: [
      { Key: 'api-key', Value: 'planted' },
      { Key: 'Environment', Value: 'dev' },
    ],
    values: [
      { name: 'AWS_ROLE_EXTERNAL_ID', value: 'planted' },
      { name: 'AWS_REGION', value: 'eu-west-1' },
    ],
    clientToken: 'req-1.0',
    count: 3,
  });
  expect(JSON.stringify(told)).not.toContain('planted');
  expect(told).toMatchObject({
    template: {
      instanceTags: [
        ['password', '<removed>'],
        ['team', 'quant'],
      ],
    },
    Tags: [{ Key: 'api-key', Value: '<removed>' }, { Value: 'dev' }],
    values: [{ value: '<removed>' }, { value: 'eu-west-1' }],
    clientToken: 'req-1.0',
    count: 3,
  });
});
