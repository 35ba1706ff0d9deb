import { expect, it } from 'vitest';
import { redaction, secretsIn } from '../../../src/json/redact.ts';

const { text, json } = redaction(['a-known-secret', 'a "known-secret"', 'x']);

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
  ['a quoted value with spaces', 'password="planted and planted", then'],
  ['a value with commas', 'password=planted,planted;planted'],
  ['JSON in JSON', String.raw`{\"password\":\"planted\",\"a\":1}`],
  ['an option of a command', 'psql --password planted'],
  ['a short name', 'MYSQL_PWD=planted DB_PASS=planted access_key=planted'],
  ['a signed URL', 'https://s3/x?a=1&X-Amz-Signature=planted&sv=1'],
  ['a token as the user of a URL', 'http://planted@proxy:3128/'],
  ['a password with @ in a URL', 'http://me:p@planted@proxy:3128/'],
  ['the second cookie', 'Cookie: a=planted; b=planted'],
  ['a digest', 'Authorization: Digest username="planted", response="planted"'],
  ['an element of XML', '<Credentials><SecretAccessKey>planted</SecretAccessKey></Credentials>'],
  ['a JSON Web Token', 'eyJhbGciplanted.eyJzdWIplanted.planted'],
  ['a webhook of Slack', 'https://hooks.slack.com/services/T000/B000/planted'],
  ['a secret that says so', 'whsec_planted00 ghp_planted00 xoxb-planted-planted'],
  ['a known secret in JSON', JSON.stringify({ text: 'a "known-secret"' })],
  ['a known secret in a URL', `https://x/${encodeURIComponent('a "known-secret"')}`],
  ['long base64', `${'planted0'.repeat(30)}==`],
])('%s is taken out of a text', (_what, written) => {
  const told = text(written);
  expect(told).not.toMatch(/planted|known-secret|PLANTED/i);
  expect(told).toContain('<removed>');
});

it.each([
  'req-0f0f0f0f-1111-2222-3333-444444444444 clientToken=req-0f0f.0 m5.large in subnet-0123456789abcdef0',
  'secretFile=/etc/grid/hook passwordPath: /etc/x bypass=yes https://npm/@scope/x --user ana --wait 5s',
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
    variables: [{ Name: 'DB_PASSWORD', Value: 'planted' }],
    filters: [{ Name: 'tag:password', Values: ['planted'] }],
    others: { instanceTags: 'team=quant;password=planted and planted;more=1', KeyMaterial: 'planted' },
    notify: {
      webhook: 'https://chat.example/hooks/planted',
      secretFile: '/etc/hook',
      command: ['/bin/tell', '--token', 'planted'],
    },
    named: { 'a-known-secret': 1 },
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
    others: { instanceTags: 'team=quant;password=<removed>;more=1' },
    notify: {
      webhook: 'https://chat.example/<removed>',
      secretFile: '/etc/hook',
      command: ['/bin/tell', '--token', '<removed>'],
    },
    named: { '<removed>': '<removed>' },
    clientToken: 'req-1.0',
    count: 3,
  });
});

it('secrets of an environment and of a credentials file are known, the Region in it and folders are not', () => {
  const env = {
    db_password: 'in lower case',
    HTTPS_PROXY: 'http://me:p%40ss/word@proxy:3128',
    PWD: '/home/egoadmin',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token',
  };
  const file = '[default]\nregion = us-east-1\naws_secret_access_key = abc=\n';
  expect(secretsIn(env, file)).toEqual(['abc=', 'in lower case', 'p%40ss/word']);
});
