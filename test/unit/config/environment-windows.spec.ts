import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** Node's own path functions as they are on Windows, in modules that the other files of this worker do not share. */
beforeEach(() => {
  vi.resetModules();
  vi.doMock('node:path', async () => (await vi.importActual<typeof import('node:path')>('node:path')).win32);
});

afterEach(() => {
  vi.doUnmock('node:path');
  vi.resetModules();
});

it('joins the folders of Host Factory on Windows', async () => {
  const { candidates, readEnvironment } = await import('../../../src/config/environment.ts');
  const env = {
    HF_PROVIDER_CONFDIR: 'C:\\HF\\conf\\providers\\awsinst\\',
    HF_WORKDIR: 'D:/hf/work',
    HF_LOGDIR: '\\\\nas\\hf\\log',
  };
  const environment = readEnvironment(env);
  expect(environment).toMatchObject({
    confDir: 'C:\\HF\\conf\\providers\\awsinst',
    workDir: 'D:\\hf\\work\\providers\\awsinst',
    logDir: '\\\\nas\\hf\\log',
  });
  expect(candidates(environment, 'prov_config.json')[0]).toBe(
    'C:\\HF\\conf\\providers\\awsinst\\awsinstprov_config.json',
  );
});
