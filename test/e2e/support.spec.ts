import { execFile } from 'node:child_process';
import { appendFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hfAwsHere } from './admin.ts';
import { type EmulatorBackend, emulatorBackend } from './backends.ts';
import { createPlugin, home, type Plugin } from './plugin.ts';

const run = promisify(execFile);

let backend: EmulatorBackend;
let plugin: Plugin;
let [about, other] = ['', ''];

beforeAll(async () => {
  backend = await emulatorBackend();
  const [AWS_ROLE_ARN, AWS_ROLE_EXTERNAL_ID] = ['arn:aws:iam::123456789012:role/grid', 'planted-external-id'];
  backend.emulator.configure({ roles: { [AWS_ROLE_ARN]: AWS_ROLE_EXTERNAL_ID } });
  plugin = await createPlugin({ AWS_ENDPOINT_URL: backend.url, AWS_ROLE_ARN, AWS_ROLE_EXTERNAL_ID }, []);
  const userDataScript = join(plugin.directory, 'boot.sh');
  await writeFile(userDataScript, '#!/bin/sh\nexport DB_PASSWORD=planted-in-user-data\n');
  const instanceTags = { password: 'planted-in-a-tag', team: 'quant' };
  await plugin.offer([
    { templateId: 'od', maxNumber: 9, vmType: 'm5.large', userDataScript, instanceTags, ...backend.place },
  ]);
  about = await plugin.request('od', 1);
  await plugin.settled(about);
  other = await plugin.request('od', 1);
  const [log = ''] = (await readdir(plugin.logDir)).filter((name) => name.endsWith('.log'));
  const lines = [
    'Authorization: Bearer planted-bearer',
    'aws_session_token=planted-session-token',
    'proxy http://me:planted-proxy@proxy:3128',
    '-----BEGIN PRIVATE KEY----- planted-key',
  ];
  await appendFile(join(plugin.logDir, log), lines.map((line) => `${about} ${line}\n`).join(''));
}, 60_000);
afterAll(async () => {
  await plugin.remove();
  await backend.close();
});

const bundle = async (name: string, ...args: readonly string[]) => {
  const file = join(plugin.directory, name);
  const said = await hfAwsHere(plugin, ['support', '--out', file, ...args]);
  expect(said).toMatchObject({ exitCode: 0, stderr: '' });
  const names = (await run('tar', ['-tzf', file])).stdout.trim().split('\n');
  return { file, names, text: (await run('tar', ['-xzOf', file], { maxBuffer: 50_000_000 })).stdout };
};

const common = ['versions', 'configuration', 'templates', 'templates-validate', 'doctor', 'events'];

it('a bundle about a request holds what tells of it, and none of the secrets there are', async () => {
  const { file, names, text } = await bundle('one.tar.gz', '--request', about.slice(0, 12));
  expect(names).toEqual([...common, 'request', 'explain'].map((name) => `${name}.json`).concat('log.txt'));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  for (const told of [about, '"type": "CapacityGranted"', '"isWell"', 'i-', '"AWS_REGION"', '"quant"', process.version])
    expect(text).toContain(told);
  expect(text).not.toContain(other);
  expect(text).not.toMatch(/planted|AKIATEST|DB_PASSWORD/);
});

it('a bundle of the last hours holds what happened in them', async () => {
  const [log = ''] = (await readdir(plugin.logDir)).filter((name) => name.endsWith('.log'));
  await appendFile(join(plugin.logDir, log), '[2020-01-01 00:00:00.000 +00:00]-[INFO]-[call.started] long ago\n');
  const { names, text } = await bundle('hours.tar.gz', '--since', '2h', '--no-aws');
  expect(names).toEqual([...common.map((name) => `${name}.json`), 'log.txt']);
  for (const told of [about, other]) expect(text).toContain(told);
  expect(text).toContain('[request.created]');
  expect(text).not.toContain('long ago');
  expect(text).not.toMatch(/planted|AKIATEST|DB_PASSWORD/);
});

it('a file that is there is not replaced', async () => {
  const file = join(plugin.directory, 'there.tar.gz');
  await writeFile(file, 'mine');
  const said = await hfAwsHere(plugin, ['support', '--no-aws', '--out', file]);
  expect(said).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^input\.invalid: cannot write .*EEXIST/) });
});

it('a file that does not fit on the disk is not left there in part', async () => {
  const file = join(plugin.directory, 'part.tar.gz');
  const within = 'ulimit -f 4; exec "$0" "$1" support --no-aws --out "$2"';
  const told = run('sh', ['-c', within, process.execPath, join(home, 'dist', 'hf-aws.cjs'), file], { env: plugin.env });
  await expect(told).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot write .*EFBIG/) });
  expect(await readdir(plugin.directory)).not.toContain('part.tar.gz');
});
