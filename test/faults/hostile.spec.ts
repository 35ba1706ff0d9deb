import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Application, compose } from '../../src/boot/composition.ts';
import { readEnvironment } from '../../src/config/environment.ts';
import { providerConfigSchema } from '../../src/config/provider-config.schema.ts';
import { readProviderConfig } from '../../src/config/provider-config.ts';
import { isPluginError } from '../../src/domain/errors.ts';
import { isOperation, operationOf } from '../../src/hostfactory/operations.ts';
import { templateSchema } from '../../src/templates/template.schema.ts';
import { createTemplateCatalog } from '../../src/templates/template-catalog.ts';
import { type EmulatorBackend, emulatorBackend } from '../e2e/backends.ts';
import { createPlugin, home, hostOf, type Json, type Plugin, tablesAt } from '../e2e/plugin.ts';
import { testTemplates } from '../e2e/templates.ts';
import { fc, runs } from '../random.ts';
import { catalogFacts } from '../unit/catalog-facts.ts';
import { createRecordingLog } from '../unit/recording-log.ts';

const operations = [
  'getAvailableTemplates',
  'requestMachines',
  'getRequestStatus',
  'requestReturnMachines',
  'getReturnRequests',
];

let backend: EmulatorBackend;
let plugin: Plugin;
let application: Application;

beforeAll(async () => {
  backend = await emulatorBackend();
  plugin = await createPlugin(
    { AWS_ENDPOINT_URL: backend.url, AWS_CONNECTION_TIMEOUT_MS: 1000 },
    testTemplates(backend.place),
  );
  application = await compose({ env: plugin.env, home });
});
afterAll(async () => {
  await plugin.remove();
  await backend.close();
});

const nasty = fc.constantFrom(
  '../../../etc/passwd',
  '..',
  '/',
  '$(touch pwned)',
  '`touch pwned`',
  '; touch pwned',
  '__proto__',
  'constructor',
  'i-0123456789abcdef0',
  'req-00000000-0000-4000-8000-000000000000',
  'req-../../../../tmp/x',
  'a\u0000b',
  '\ud800',
  '%s%n',
  'x'.repeat(5000),
  'od',
);
const leaf = fc.oneof(nasty, fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null));
const names = fc.constantFrom(
  ...['machines', 'requests', 'template', 'templateId', 'machineCount', 'requestId', 'name', 'machineId', 'rc_account'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'length'],
);
const { any } = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('any'), { maxLength: 4 }), tie('record')),
  record: fc.array(fc.tuple(names, tie('any')), { maxLength: 5 }).map((entries) => {
    // As JSON.parse makes it: "__proto__" is an own property.
    const made: object = JSON.parse('{}');
    for (const [name, value] of entries)
      Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
    return made;
  }),
}));

const input = fc.oneof(
  any,
  fc.record({
    template: fc.record({ templateId: leaf, machineCount: fc.oneof(leaf, fc.integer({ min: -1, max: 3 })) }),
    rc_account: leaf,
  }),
  fc.record({ requests: fc.array(fc.oneof(leaf, fc.record({ requestId: leaf })), { maxLength: 5 }) }),
  fc.record({ machines: fc.array(fc.oneof(leaf, fc.record({ name: leaf, machineId: leaf })), { maxLength: 5 }) }),
);

const prototypes = (): string =>
  JSON.stringify([Object, Array, String].map((each) => Object.getOwnPropertyNames(each.prototype)));

/** Everything in the folder of the provider instance that the product may write. */
const rooms = 'requests|archive|appending|cache|failures|projections|answers|offerings|usage|groups';
const allowed = new RegExp(
  `^(work(/(server\\.(sock|calls|[-0-9a-f]{36}(/.*)?)|store-id|(${rooms})(/.*)?|live(/(od|all|few|none|endless)(/req-[-0-9a-f]{36}~\\d+)?)?))?|log(/.*)?|conf(/[\\w.]+)?|credentials|hf_in_\\d+|[\\w-]+\\.json)$`,
);
const filesBeside = async (): Promise<readonly string[]> =>
  (await readdir(plugin.directory, { recursive: true })).filter((name) => !allowed.test(name));

describe('whatever an input holds', () => {
  it.each(operations)('%s answers with an object or refuses in its own words', async (name) => {
    if (!isOperation(name)) throw new Error(name);
    const before = prototypes();
    const run = fc.asyncProperty(input, async (value) => {
      try {
        const { body } = await operationOf(name).run(application, value);
        expect(JSON.parse(JSON.stringify(body))).toBeTypeOf('object');
      } catch (error) {
        if (!isPluginError(error)) throw error;
      }
    });
    await fc.assert(run, { numRuns: runs(150) });
    expect(prototypes()).toBe(before);
    expect(await filesBeside()).toEqual([]);
  });

  it('the scripts print one JSON object and end with 0 or 1, also for what is no JSON', async () => {
    const texts = [
      '',
      'null',
      '"text"',
      '[]',
      '{"requests": [{"requestId": "$(touch pwned)"}]}',
      '{"__proto__": {"polluted": true}, "requests": []}',
      '['.repeat(100_000),
      '{"a":'.repeat(50_000),
      '\u0000\u0001',
      '{"machines": [{"name": "\\ud800"}]}',
      `{"machines": [${'{"name":"x"},'.repeat(2000)}{"name":"y"}]}`,
    ];
    for (const [index, text] of texts.entries()) {
      const file = join(plugin.directory, `hostile-${index}.json`);
      await writeFile(file, text);
      const { exitCode } = await plugin.run(operations[index % operations.length] ?? '', ['-f', file]);
      expect([0, 1], text.slice(0, 40)).toContain(exitCode);
    }
    const bytes = join(plugin.directory, 'bytes.json');
    await writeFile(bytes, Buffer.from([0xff, 0xfe, 0x00, 0x7b, 0xc3, 0x28]));
    expect((await plugin.run('requestMachines', ['-f', bytes])).exitCode).toBe(1);
    expect((await plugin.run('getRequestStatus', ['-f', '/dev/zero'])).body['message']).toContain('larger than');
    expect(await filesBeside()).toEqual([]);
  });

  it('50 MB of it are refused in little memory', async () => {
    const file = join(plugin.directory, 'large.json');
    await writeFile(file, `{"machines": [${'{"name":"0123456789"},'.repeat(2_400_000)}{}]}`);
    const env = { ...plugin.env, NODE_OPTIONS: '--max-old-space-size=48' };
    const { exitCode, body } = await plugin.run('getReturnRequests', ['-f', file], { env });
    expect([exitCode, body['message']]).toEqual([1, expect.stringContaining('larger than')]);
  });
});

describe('whatever a file of the configuration holds', () => {
  const environment = () => readEnvironment({ ...plugin.env, HF_PROVIDER_CONFDIR: join(plugin.directory, 'fuzz') });
  const write = (name: string, value: unknown) =>
    writeFile(join(plugin.directory, 'fuzz', `awsinstprov_${name}.json`), JSON.stringify(value));
  const fieldsOf = (properties: object) =>
    fc.dictionary(fc.constantFrom(...Object.keys(properties), 'unheard', '__proto__'), any, { maxKeys: 8 });
  beforeAll(() => mkdir(join(plugin.directory, 'fuzz')));

  const refusesOnly = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      expect(isPluginError(error) && error.code.startsWith('configuration.'), String(error)).toBe(true);
    }
  };

  it('the provider configuration is read or refused', () =>
    fc.assert(
      fc.asyncProperty(fc.oneof(any, fieldsOf(providerConfigSchema.properties)), async (value) => {
        await write('config', value);
        await refusesOnly(() => readProviderConfig(environment()));
      }),
      { numRuns: runs(150) },
    ));

  it('templates are served or left out', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          any,
          fc.array(fieldsOf(templateSchema.properties), { maxLength: 3 }).map((templates) => ({ templates })),
        ),
        async (value) => {
          await write('templates', value);
          await refusesOnly(() =>
            createTemplateCatalog(environment(), catalogFacts(plugin.workDir), createRecordingLog()).read(),
          );
        },
      ),
      { numRuns: runs(150) },
    ));
});

/** One place of a JSON value replaced, or taken out. */
const damaged = (value: unknown, path: readonly number[], instead: unknown): unknown => {
  const [first = 0, ...rest] = path;
  if (path.length === 0 || typeof value !== 'object' || value === null) return instead;
  const keys = Object.keys(value);
  const key = keys[first % Math.max(1, keys.length)];
  if (key === undefined) return instead;
  const copy = structuredClone(value);
  const old: unknown = Reflect.get(copy, key);
  if (rest.length === 0 && instead === undefined) Reflect.deleteProperty(copy, key);
  else Reflect.set(copy, key, damaged(old, rest, instead));
  return copy;
};

it.skipIf(tablesAt !== undefined)(
  'whatever a stored document holds, it is named or read, and the other requests are answered',
  async () => {
    const whole = await plugin.request('od', 1);
    const requestId = await plugin.request('od', 2);
    const { machines } = await plugin.settled(requestId);
    const returnId = await plugin.giveBack(machines.slice(0, 1).map(hostOf));
    const files = (await plugin.state()).filter(
      (file) => (file.includes(requestId) && file.endsWith('.json')) || file.includes(returnId),
    );
    const originals = new Map(
      await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)),
    );
    const place = fc.array(fc.nat(8), { minLength: 1, maxLength: 6 });
    const run = fc.asyncProperty(
      fc.constantFrom(...files),
      place,
      fc.option(leaf, { nil: undefined }),
      async (file, path, instead) => {
        const original = originals.get(file) ?? '';
        await writeFile(file, JSON.stringify(damaged(JSON.parse(original), path, instead)) ?? '');
        try {
          const ask = { requests: [whole, requestId, returnId].map((id) => ({ requestId: id })) };
          const { body } = await operationOf('getRequestStatus').run(application, ask);
          expect(body).toMatchObject({ requests: [{ requestId: whole }, { requestId }, { requestId: returnId }] });
          await operationOf('getReturnRequests').run(application, { machines: machines.map(hostOf) });
        } finally {
          const state = (await plugin.state()).filter((each) => each.includes(requestId) || each.includes(returnId));
          for (const each of state) if (!originals.has(each) && /\d{9}\.json$/.test(each)) await rm(each);
          await writeFile(file, original);
        }
      },
    );
    await fc.assert(run, { numRuns: runs(200) });
  },
);

it('state and logs are private, secrets and user data in no log and no answer, however much is logged', async () => {
  const userData = join(plugin.directory, 'user-data.json');
  await writeFile(userData, 'planted-user-data');
  await plugin.offer([{ ...testTemplates(backend.place)[0], userDataScript: userData }]);
  const answers: string[] = [];
  const call = async (operation: string, value: Json) => {
    const { stdout, body } = await plugin.call(operation, value);
    answers.push(stdout);
    return body;
  };
  const ask = { template: { templateId: 'od', machineCount: 1 } };
  const { requestId } = await call('requestMachines', ask);
  backend.emulator.addFault({
    action: 'RunInstances',
    effect: { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 },
  });
  await call('requestMachines', ask);
  backend.emulator.addFault({ action: 'RunInstances', effect: { kind: 'error', code: 'InvalidParameterValue' } });
  await call('requestMachines', ask);
  await call('getRequestStatus', { requests: [{ requestId }] });
  await call('getAvailableTemplates', {});
  await plugin.offer(testTemplates(backend.place));
  const logs = await readdir(plugin.logDir);
  for (const log of logs) answers.push(await readFile(join(plugin.logDir, log), 'utf8'));
  expect(answers.join()).toContain('RunInstances');
  for (const secret of ['planted-secret', 'planted-user-data', Buffer.from('planted-user-data').toString('base64')])
    expect(answers.join()).not.toContain(secret);
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  // A server's pipes come and go.
  const entries = await readdir(plugin.workDir, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter(({ parentPath }) => !parentPath.includes('/server.')))
    expect(await modeOf(join(entry.parentPath, entry.name)), entry.name).toBe(entry.isDirectory() ? '700' : '600');
  for (const log of logs) expect(await modeOf(join(plugin.logDir, log))).toBe('600');
});

it('many writers of one log tear no line, and keep to the sizes that Host Factory set', async () => {
  const other = await createPlugin(
    { AWS_ENDPOINT_URL: backend.url, ACCEPT_PROPAGATED_LOG_SETTING: true },
    testTemplates(backend.place),
  );
  Object.assign(other.env, { HF_LOGLEVEL: 'LOG_TRACE', HF_LOG_MAX_FILE_SIZE: '0.004', HF_LOG_MAX_ROTATE: '3' });
  for (let round = 0; round < 3; round++)
    await Promise.all(Array.from({ length: 10 }, () => other.call('getAvailableTemplates', {})));
  const logs = (await readdir(other.logDir)).filter((name) => name.includes('.log'));
  expect(logs.length).toBeGreaterThan(1);
  expect(logs.length).toBeLessThanOrEqual(4);
  for (const log of logs) {
    const lines = (await readFile(join(other.logDir, log), 'utf8')).split('\n').filter(Boolean);
    expect(lines.filter((line) => !/^\[[-\d]+ [\d:.]+ [+-][\d:]+\]-\[\w+\]-\[[\w.-]+\] .*\}$/.test(line))).toEqual([]);
  }
  await other.remove();
});
