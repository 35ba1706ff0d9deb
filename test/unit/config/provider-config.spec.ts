import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProviderConfig } from '../../../src/config/provider-config.ts';
import { configurationFolder } from './configuration-folder.ts';

const readText = async (text: string) => {
  const { environment, confDir } = await configurationFolder({ 'awsinstprov_config.json': text });
  return { ...(await readProviderConfig(environment)), confDir, file: join(confDir, 'awsinstprov_config.json') };
};
const read = (document: object) => readText(JSON.stringify(document));
const readOne = async (name: string, value: unknown) => {
  const { config, warnings } = await read({ [name]: value });
  return { value: new Map<string, unknown>(Object.entries(config)).get(name), warnings };
};

const defaults = {
  AWS_CREDENTIAL_RENEW_MARGIN: 1770,
  AWS_CONNECTION_TIMEOUT_MS: 10_000,
  AWS_REQUEST_RETRY_ATTEMPTS: 2,
  AWS_INSTANCE_PENDING_TIMEOUT_SEC: 180,
  AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS: 2,
  AWS_DESCRIBE_REQUEST_INTERVAL: 0,
  ACCEPT_PROPAGATED_LOG_SETTING: false,
  LogLevel: 'INFO',
  AWS_SPOT_TERMINATE_ON_RECLAIM: false,
  INSTANCE_CREATION_TIMEOUT: 10,
  AWS_TAG_InstanceID: false,
  clusterName: 'hostfactory',
  actionTimeoutSeconds: 240,
  consistencyWindowSeconds: 120,
  unclaimedRequestMinutes: 60,
  orphanMinutes: 15,
  sweepIntervalMinutes: 15,
  fullLookMinutes: 5,
  rebalance: 'ignore',
  notify: {},
  useServer: true,
  rankBy: 'none',
  recordCalls: false,
  recordCallsDays: 7,
  recordCallsMegabytes: 1000,
  retentionDays: 30,
  archiveDays: 90,
  ncpusAreCores: false,
  protectAfterFailures: 10,
  protectMinutes: 60,
  machineTypes: { x86_64: 'X86_64' },
  templateDefaults: {},
  templateDefaultsByApi: {},
};

describe('the place', () => {
  it.each([
    ['awsinstprov_config.json', ['awsprov_config.json', 'conf/awsinstprov_config.json', 'conf/awsprov_config.json']],
    ['awsprov_config.json', ['conf/awsinstprov_config.json', 'conf/awsprov_config.json']],
    ['conf/awsinstprov_config.json', ['conf/awsprov_config.json']],
    ['conf/awsprov_config.json', []],
  ])('%s goes before %j', async (first, others) => {
    const files = Object.fromEntries(others.map((name) => [name, '{"clusterName":"other"}']));
    const { environment } = await configurationFolder({ ...files, [first]: '{"clusterName":"first"}' });
    expect((await readProviderConfig(environment)).config.clusterName).toBe('first');
  });

  it('may be empty: then all is default', async () => {
    const { environment } = await configurationFolder();
    expect(await readProviderConfig(environment)).toEqual({ config: defaults, written: [], warnings: [] });
  });
});

describe('a number', () => {
  it.each([
    ['AWS_CREDENTIAL_RENEW_MARGIN', 0, 900_000, -1],
    ['AWS_CONNECTION_TIMEOUT_MS', 1, 2_147_483_647, 0],
    ['AWS_CONNECTION_TIMEOUT_MS', 1, 2_147_483_647, 2_147_483_648],
    ['AWS_REQUEST_RETRY_ATTEMPTS', 0, 10, 11],
    ['AWS_REQUEST_RETRY_ATTEMPTS', 0, 10, -1],
    ['AWS_INSTANCE_PENDING_TIMEOUT_SEC', 180, 10_000, 179],
    ['AWS_INSTANCE_PENDING_TIMEOUT_SEC', 180, 10_000, 10_001],
    ['AWS_DESCRIBE_REQUEST_RETRY_ATTEMPTS', 0, 10, 11],
    ['AWS_DESCRIBE_REQUEST_INTERVAL', 0, 10_000, 10_001],
    ['INSTANCE_CREATION_TIMEOUT', 1, 600, 0],
    ['actionTimeoutSeconds', 5, 3600, 4],
    ['actionTimeoutSeconds', 5, 3600, 3601],
    ['consistencyWindowSeconds', 0, 600, 601],
  ])('%s is from %i to %i, and %i is replaced by the default with a warning', async (name, least, most, out) => {
    for (const good of [least, most, String(least), ` ${most} `]) {
      expect(await readOne(name, good)).toEqual({ value: Number(good), warnings: [] });
    }
    const { value, warnings } = await readOne(name, out);
    expect(value).toBe(new Map<string, unknown>(Object.entries(defaults)).get(name));
    expect(warnings).toEqual([expect.stringContaining(name)]);
  });

  it.each(['ten', '1.5', 1.5, true, [3], { a: 1 }, '1e1'])('is not %j', async (value) => {
    expect(await readOne('AWS_REQUEST_RETRY_ATTEMPTS', value)).toEqual({
      value: 2,
      warnings: [expect.stringMatching(/AWS_REQUEST_RETRY_ATTEMPTS must be integer; 2 is used$/)],
    });
  });
});

describe('a boolean', () => {
  const names = ['ACCEPT_PROPAGATED_LOG_SETTING', 'AWS_SPOT_TERMINATE_ON_RECLAIM', 'AWS_TAG_InstanceID'];

  it.each(names)('%s may be written as a string', async (name) => {
    for (const yes of [true, 'true', 'True', ' TRUE ']) expect((await readOne(name, yes)).value).toBe(true);
    for (const no of [false, 'false', 'FALSE']) expect((await readOne(name, no)).value).toBe(false);
  });

  it.each(names)('%s is false, with a warning, for anything else', async (name) => {
    for (const odd of ['yes', 1, 'on']) {
      const { value, warnings } = await readOne(name, odd);
      expect([value, warnings.length]).toEqual([false, 1]);
    }
  });
});

describe('a text', () => {
  it.each(['us-east-1', 'us-gov-west-1', 'ap-southeast-4', 'us-isob-east-1', 'eusc-de-east-1'])(
    'AWS_REGION may be %s',
    async (region) => expect(await readOne('AWS_REGION', region)).toEqual({ value: region, warnings: [] }),
  );

  it.each(['http://127.0.0.1:5000', 'https://vpce-1.ec2.us-east-1.vpce.amazonaws.com'])(
    'AWS_ENDPOINT_URL may be %s',
    async (url) => expect((await readOne('AWS_ENDPOINT_URL', url)).value).toBe(url),
  );

  it.each(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'])('LogLevel may be %s', async (level) =>
    expect(await readOne('LogLevel', level)).toEqual({ value: level, warnings: [] }),
  );

  it('LogLevel of another name is INFO with a warning that tells the names', async () =>
    expect(await readOne('LogLevel', 'LOUD')).toEqual({
      value: 'INFO',
      warnings: [expect.stringContaining('must be one of TRACE, DEBUG, INFO, WARN, ERROR, FATAL; INFO is used')],
    }));

  it('clusterName is the default where it is left empty', async () =>
    expect((await readOne('clusterName', '')).value).toBe('hostfactory'));

  it.each(['AWS_CREDENTIAL_FILE', 'AWS_CREDENTIAL_SCRIPT', 'AWS_KEY_FILE'])(
    '%s is a path, relative to the conf folder',
    async (name) => {
      const { config, confDir } = await read({ [name]: 'data/it' });
      expect(Object.entries(config)).toContainEqual([name, join(confDir, 'data/it')]);
      expect((await readOne(name, '/etc/it')).value).toBe('/etc/it');
    },
  );
});

describe('a proxy', () => {
  it('is a host and a port', async () =>
    expect((await read({ AWS_PROXY_HOST: 'proxy', AWS_PROXY_PORT: '3128' })).config).toMatchObject({
      AWS_PROXY_HOST: 'proxy',
      AWS_PROXY_PORT: 3128,
    }));

  it('without a port is refused', async () =>
    expect(read({ AWS_PROXY_HOST: 'proxy' })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining('AWS_PROXY_HOST needs AWS_PROXY_PORT'),
    }));
});

describe('the role', () => {
  it.each(['AWS_ROLE_EXTERNAL_ID', 'AWS_ROLE_SESSION_NAME'])('is missed where there is %s alone', async (name) =>
    expect(read({ [name]: 'grid-7' })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(`${name} needs AWS_ROLE_ARN`),
    }),
  );
});

describe('a value without a harmless stand-in', () => {
  it.each([
    ['AWS_REGION', 'us-east'],
    ['AWS_REGION', 'US-EAST-1'],
    ['AWS_REGION', 'us-east-1a'],
    ['AWS_ENDPOINT_URL', 'ec2.internal'],
    ['AWS_PROXY_PORT', 0],
    ['AWS_PROXY_PORT', 65_536],
    ['AWS_PROXY_PORT', 'http'],
    ['AWS_PROXY_HOST', 3],
    ['AWS_CREDENTIAL_FILE', 3],
    ['AWS_ROLE_ARN', 'grid'],
    ['AWS_ROLE_ARN', 'arn:aws:iam::123456789012:user/grid'],
    ['clusterName', 'a b'],
    ['clusterName', 'a/b'],
    ['clusterName', 'x'.repeat(65)],
  ])('is refused by its name: %s %j', async (name, value) =>
    expect(read({ [name]: value })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(`awsinstprov_config.json: ${name} must `),
    }),
  );

  it.each([1, 65_535, '3128'])('is a proxy port: %j is one', async (port) =>
    expect((await readOne('AWS_PROXY_PORT', port)).value).toBe(Number(port)),
  );
});

describe('the file', () => {
  it('with unknown parameters is taken, with a warning for each', async () => {
    const { config, warnings, file } = await read({ clusterName: 'c', AWS_COLOUR: 'red', toString: 1 });
    expect(config).toEqual({ ...defaults, clusterName: 'c' });
    expect(warnings).toEqual([
      `${file}: unknown parameter AWS_COLOUR is ignored`,
      `${file}: unknown parameter toString is ignored`,
    ]);
  });

  it('may leave parameters empty, as IBM’s sample does', async () => {
    const empty = { AWS_REGION: '', AWS_PROXY_HOST: '', AWS_PROXY_PORT: '', AWS_KEY_FILE: null, LogLevel: '' };
    const { config, warnings } = await read(empty);
    expect([config, warnings]).toEqual([defaults, []]);
  });

  it('may begin with a byte order mark', async () =>
    expect((await readText('\uFEFF{"clusterName":"c"}')).config.clusterName).toBe('c'));

  it('that is not JSON is refused with line and column', async () =>
    expect(readText('{\n  "LogLevel": "INFO",\n  "clusterName" "c"\n}')).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringMatching(/awsinstprov_config\.json is not JSON: line 3, column 17 \(ColonExpected\)$/),
    }));

  it.each(['', '  \n', '[]', '"text"', 'null', '3'])('that holds %j is refused by its name', async (text) =>
    expect(readText(text)).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining('awsinstprov_config.json'),
    }),
  );

  it('that cannot be read is refused, not passed over for the next', async () => {
    const { environment } = await configurationFolder({
      'awsinstprov_config.json/a-folder': '',
      'awsprov_config.json': '{}',
    });
    await expect(readProviderConfig(environment)).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining('cannot read'),
    });
  });
});

describe('the way to AWS', () => {
  it.each([
    ['http://proxy', 'a host name alone'],
    ['proxy/path', 'a host name alone'],
    ['proxy:3128', 'a host name alone'],
    ['two words', 'a host name alone'],
  ])('AWS_PROXY_HOST %j is refused', async (host, text) =>
    expect(read({ AWS_PROXY_HOST: host, AWS_PROXY_PORT: 3128 })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining(text),
    }),
  );

  it.each(['proxy', 'proxy.example', '10.0.0.1', '[::1]', 'user:pass%40word@proxy'])(
    'AWS_PROXY_HOST %j is taken',
    async (host) =>
      expect((await read({ AWS_PROXY_HOST: host, AWS_PROXY_PORT: 3128 })).config.AWS_PROXY_HOST).toBe(host),
  );

  it.each(['http://', 'https://x?a=b', 'https://x/#a', 'https://u:p@x', 'https://x?'])(
    'AWS_ENDPOINT_URL %j is refused',
    async (url) =>
      expect(read({ AWS_ENDPOINT_URL: url })).rejects.toMatchObject({
        code: 'configuration.invalid',
        message: expect.stringContaining('AWS_ENDPOINT_URL must be http or https'),
      }),
  );
});

describe('defaults of templates', () => {
  const file = (fields: object) => read({ AWS_REGION: 'us-east-1', ...fields });

  it('that misspell what decides about money are refused', async () =>
    expect(file({ templateDefaults: { maxSpotPrise: 1 } })).rejects.toMatchObject({
      code: 'configuration.invalid',
      message: expect.stringContaining('templateDefaults.maxSpotPrise is unknown; did you mean maxSpotPrice?'),
    }));

  it('that no template has are told, by API too', async () =>
    expect((await file({ templateDefaultsByApi: { ASG: { colour: 'red' } } })).warnings).toEqual([
      expect.stringContaining('unknown template field templateDefaultsByApi.ASG.colour is ignored'),
    ]));
});
