import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { logOf, runCli, startServer } from './entries.ts';
import { createPlugin, hostOf, type Plugin } from './plugin.ts';
import { testTemplates } from './templates.ts';

const keys = (accessKeyId: string): string =>
  `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = s3cr3t\n`;

describe('credentials that AWS takes no longer', () => {
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeEach(async () => {
    backend = await emulatorBackend();
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.close();
  });

  it.each(['file', 'program'])('are replaced by those that a %s has now, while a server runs', async (source) => {
    const file = join(plugin.directory, 'credentials');
    const program = join(plugin.directory, 'credentials.sh');
    await writeFile(program, `#!/bin/sh\ncat '${file}'\n`, { mode: 0o755 });
    if (source === 'program') await plugin.configure({ AWS_CREDENTIAL_FILE: '', AWS_CREDENTIAL_SCRIPT: program });
    await writeFile(file, keys('AKIAOLD'));
    const server = await startServer(plugin);
    const order = { body: { template_id: 'od', max_number: 1 } };
    expect((await server.call('POST', '/requests', order)).status).toBe(201);

    await writeFile(file, keys('AKIANEW'));
    backend.emulator.configure({ deniedAccessKeys: ['AKIAOLD'] });
    expect((await server.call('POST', '/requests', order)).status).toBe(201);
    expect(await server.stop()).toBe(0);
    expect(backend.emulator.instances()).toHaveLength(2);
  });

  it('are asked for again by a script, though their time is not over', async () => {
    const program = join(plugin.directory, 'credentials.sh');
    const says = (id: string) =>
      writeFile(program, `#!/bin/sh\necho '{"AccessKeyId":"${id}","SecretAccessKey":"s3cr3t"}'\n`, { mode: 0o755 });
    await plugin.configure({ AWS_CREDENTIAL_FILE: '', AWS_CREDENTIAL_SCRIPT: program });
    await says('AKIAOLD');
    await plugin.request('od', 1);
    await says('AKIANEW');
    backend.emulator.configure({ deniedAccessKeys: ['AKIAOLD'] });
    await plugin.request('od', 1);
    expect(backend.emulator.instances()).toHaveLength(2);
  });
});

describe('a role that the credentials assume', () => {
  const role = 'arn:aws:iam::210987654321:role/grid';
  let backend: EmulatorBackend;
  let plugin: Plugin;

  beforeEach(async () => {
    backend = await emulatorBackend();
    backend.emulator.configure({ roles: { [role]: 'bank-7' } });
    plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
  });
  afterEach(async () => {
    await plugin.remove();
    await backend.close();
  });

  it('serves all scripts of a life cycle, asked for once, and is told by doctor', async () => {
    await plugin.configure({ AWS_ROLE_ARN: role, AWS_ROLE_EXTERNAL_ID: 'bank-7' });
    const requestId = await plugin.request('od', 1);
    // From here on only the role's own credentials are good.
    backend.emulator.configure({ deniedAccessKeys: ['AKIATEST'] });
    const { machines } = await plugin.settled(requestId);
    expect(machines.map(({ result }) => result)).toEqual(['succeed']);
    const returned = await plugin.giveBack(machines.map(hostOf));
    expect((await plugin.settled(returned)).machines.map(({ result }) => result)).toEqual(['succeed']);
    expect(backend.emulator.countCalls()).toMatchObject({ AssumeRole: 1, RunInstances: 1, TerminateInstances: 1 });
    const said = (await runCli(plugin, 'doctor')).stdout;
    expect(said).toContain('arn:aws:sts::210987654321:assumed-role/grid/hf-awsinst, assumed by AWS_ROLE_ARN');
  });

  it('that does not trust them launches nothing, and says who may not assume what', async () => {
    await plugin.configure({ AWS_ROLE_ARN: role, AWS_ROLE_EXTERNAL_ID: 'bank-8' });
    const { exitCode, body } = await plugin.call('requestMachines', {
      template: { templateId: 'od', machineCount: 1 },
    });
    expect(exitCode).toBe(1);
    expect(body['message']).toContain(
      `AWS_ROLE_ARN ${role} may not be assumed by arn:aws:iam::123456789012:user/emulated`,
    );
    expect(backend.emulator.countCalls()).toEqual({ AssumeRole: 1 });
    expect((await runCli(plugin, 'doctor')).stdout).toContain('the trust policy of AWS_ROLE_ARN');
  });
});

describe('a host whose clock differs from AWS', () => {
  it('launches and tells of it in the log and in doctor', async () => {
    const behind = 20 * 60_000;
    const backend = await emulatorBackend({ now: () => Date.now() - behind });
    backend.emulator.configure({ signatureMinutes: 5 });
    const plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url }, testTemplates(backend.place));
    try {
      const entry = await plugin.settled(await plugin.request('od', 2));
      expect(entry.machines.map(({ result }) => result)).toEqual(['succeed', 'succeed']);
      const told = (await logOf(plugin)).filter((line) => line.includes('clock.differs'));
      expect(told.join('\n')).toMatch(/the clock of this host is 1\d\d\d s ahead of AWS/);
      expect((await runCli(plugin, 'doctor')).stdout).toMatch(/ERROR +clock: this host is 1\d\d\d s ahead of AWS/);
    } finally {
      await plugin.remove();
      await backend.close();
    }
  });
});
