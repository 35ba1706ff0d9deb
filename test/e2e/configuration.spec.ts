import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, type Json, type Plugin, tablesAt } from './plugin.ts';
import { testTemplates } from './templates.ts';

describe('broken surroundings', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeAll(async () => {
    backend = await emulatorBackend();
  });
  afterAll(() => backend.close());
  beforeEach(async () => {
    backend.emulator.reset();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  });
  afterEach(() => plugin.remove());

  const ask = { template: { templateId: 'od', machineCount: 1 } };
  const conf = (name: string): string => join(plugin.directory, 'conf', `awsinstprov_${name}.json`);

  const expectRefusal = async (operation: string, input: Json, message: string): Promise<void> => {
    const { exitCode, body } = await plugin.call(operation, input);
    expect(exitCode).toBe(1);
    expect(body['message']).toContain(message);
    expect(backend.emulator.instances()).toEqual([]);
  };

  it.each(['config', 'templates'])('names file, line and column of a %s file that is not JSON', async (name) => {
    await writeFile(conf(name), '{\n  "templates": [\n    { "templateId": "od" "maxNumber": 1 }\n  ]\n}\n');
    await expectRefusal('getAvailableTemplates', {}, `${conf(name)} is not JSON: line 3, column 26`);
    await expectRefusal('requestMachines', ask, `${conf(name)} is not JSON: line 3, column 26`);
  });

  it('serves the good templates next to a bad one, and says in the log what is wrong with it', async () => {
    const [good] = testTemplates(backend.place);
    await plugin.offer([
      { ...good, templateId: 'bad', maxNumber: 'many', vmType: undefined },
      { ...good, unheard: 'of' },
    ]);
    const { exitCode, body } = await plugin.call('getAvailableTemplates', {});
    expect(exitCode).toBe(0);
    expect(body).toMatchObject({
      message: '1 templates. 1 invalid and left out: see the log.',
      templates: [{ templateId: 'od' }],
    });
    await expectRefusal(
      'requestMachines',
      { template: { templateId: 'bad', machineCount: 1 } },
      'maxNumber must be integer',
    );
    expect(await logOf(plugin)).toMatch(/bad in .*: maxNumber must be integer/);
    expect(await logOf(plugin)).toContain('unheard is unknown and ignored');
  });

  it('fails rather than offering nothing, which would make Host Factory drop the provider', async () => {
    await plugin.offer([]);
    await expectRefusal('getAvailableTemplates', {}, 'has no valid template (it lists none)');
    await rm(conf('templates'));
    await expectRefusal('getAvailableTemplates', {}, 'no templates file; looked for');
  });

  it('needs a Region', async () => {
    await plugin.configure({ AWS_REGION: '' });
    await expectRefusal('requestMachines', ask, 'AWS_REGION is set neither');
  });

  it.each([
    ['that is missing', undefined, 'AWS_CREDENTIAL_FILE cannot be read'],
    ['without keys', '[other]\naws_access_key_id = x\n', 'gives no aws_access_key_id'],
  ])('names a credentials file %s', async (_what, text, message) => {
    const file = join(plugin.directory, 'other-credentials');
    if (text !== undefined) await writeFile(file, text);
    await plugin.configure({ AWS_CREDENTIAL_FILE: file });
    await expectRefusal('requestMachines', ask, message);
  });

  it('takes credentials from a program, in both forms, and does not run it at every call', async () => {
    const script = join(plugin.directory, 'credentials.sh');
    const runs = join(plugin.directory, 'runs');
    const forms = [
      '{"AccessKeyId":"AKIAJSON","SecretAccessKey":"s","SessionToken":"t"}',
      '[default]\naws_access_key_id = AKIAINI\naws_secret_access_key = s',
    ];
    for (const form of forms) {
      await rm(join(plugin.workDir, 'cache'), { recursive: true, force: true });
      await writeFile(script, `#!/bin/sh\necho run >> ${runs}\ncat <<'EOF'\n${form}\nEOF\n`, { mode: 0o755 });
      await plugin.configure({ AWS_CREDENTIAL_FILE: '', AWS_CREDENTIAL_SCRIPT: script });
      await plugin.request('od', 1);
      await plugin.request('od', 1);
    }
    expect(await readFile(runs, 'utf8')).toBe('run\nrun\n');
  });

  it('refuses to launch when the work directory cannot be written', async () => {
    await rm(plugin.workDir, { recursive: true });
    await writeFile(plugin.workDir, 'in the way');
    await expectRefusal('requestMachines', ask, plugin.workDir);
    expect(backend.emulator.countCalls()).toEqual({});
  });

  it('takes no later refusal for the answer to a launch whose own answer was lost', async () => {
    await plugin.configure({ consistencyWindowSeconds: 0 });
    backend.emulator.addFault({ action: 'RunInstances', nth: 1, effect: { kind: 'drop-after' } });
    const denied = { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 } as const;
    backend.emulator.addFault({ action: 'RunInstances', nth: 2, effect: denied });
    const requestId = await plugin.request('od', 2);
    expect((await plugin.settled(requestId)).machines).toHaveLength(2);
    expect(backend.emulator.instances()).toHaveLength(2);
  });

  it.skipIf(tablesAt !== undefined)('names a damaged record, leaves it alone and answers for the others', async () => {
    const [damaged, whole] = [await plugin.request('od', 1), await plugin.request('od', 1)];
    const file = join(plugin.workDir, 'requests', damaged, '000000000.json');
    const before = (await readFile(file, 'utf8')).slice(0, 100);
    await writeFile(file, before);
    const entries = await plugin.status(damaged, whole);
    expect(entries[0]).toMatchObject({ requestId: damaged, status: 'running', machines: [] });
    expect(entries[0]?.message).toContain(file);
    expect(entries[1]?.machines).toHaveLength(1);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('reads numbers and booleans written as strings, warns of what it does not know, and replaces what is out of range', async () => {
    await plugin.configure({
      AWS_CONNECTION_TIMEOUT_MS: '5000',
      ACCEPT_PROPAGATED_LOG_SETTING: 'false',
      Nonsense: 1,
      AWS_REQUEST_RETRY_ATTEMPTS: 11,
    });
    expect((await plugin.call('getAvailableTemplates', {})).exitCode).toBe(0);
    const log = await logOf(plugin);
    expect(log).toContain('unknown parameter Nonsense is ignored');
    expect(log).toContain('AWS_REQUEST_RETRY_ATTEMPTS must be at most 10; 2 is used');
    expect(log).not.toContain('AWS_CONNECTION_TIMEOUT_MS');
  });

  it("finds IBM's file names in their order, and LSF's variables", async () => {
    const [good] = testTemplates(backend.place);
    const { HF_PROVIDER_CONFDIR, HF_PROVIDER_WORKDIR, HF_PROVIDER_LOGDIR, HF_PROVIDER_NAME, ...rest } = plugin.env;
    const env = {
      ...rest,
      PROVIDER_NAME: 'aws',
      PRO_CONF_DIR: `${HF_PROVIDER_CONFDIR}`,
      PRO_DATA_DIR: `${HF_PROVIDER_WORKDIR}`,
      PRO_LSF_LOGDIR: `${HF_PROVIDER_LOGDIR}`,
    };
    await writeFile(
      join(plugin.directory, 'conf', 'awsprov_templates.json'),
      JSON.stringify({ templates: [{ ...good, templateId: 'lsf' }] }),
    );
    const lsf = await plugin.run('getAvailableTemplates', ['--data', '{}'], { env });
    expect(lsf.body).toMatchObject({ templates: [{ templateId: 'lsf' }] });
    const hf = await plugin.run('getAvailableTemplates', ['--data', '{}'], {
      env: { ...plugin.env, HF_PROVIDER_NAME: `${HF_PROVIDER_NAME}` },
    });
    expect(hf.body).toMatchObject({ message: '5 templates.' });
  });

  it('sends every call through the configured proxy', async () => {
    const seen: string[] = [];
    const proxy = createServer((incoming, response) => {
      const { method, url = '', headers } = incoming;
      seen.push(url);
      const onward = request(url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = proxy.address();
    const AWS_PROXY_PORT = typeof address === 'object' && address !== null ? address.port : 0;
    await plugin.configure({ AWS_ENDPOINT_URL: backend.url, AWS_PROXY_HOST: '127.0.0.1', AWS_PROXY_PORT });
    await plugin.settled(await plugin.request('od', 1));
    proxy.close();
    expect(seen.length).toBeGreaterThan(1);
    const asked = [backend.url, tablesAt].filter((url) => url !== undefined);
    expect(new Set(seen)).toEqual(new Set(asked.map((url) => `${url}/`)));
  });
});

const logOf = async (plugin: Plugin): Promise<string> => {
  const { hostname } = await import('node:os');
  return readFile(join(plugin.logDir, `awsinst-provider.${hostname()}.log`), 'utf8');
};
