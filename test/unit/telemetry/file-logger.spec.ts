import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileLogger, type FileLoggerOptions, toLogLevel } from '../../../src/telemetry/file-logger.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const loggerIn = (folder: string, options: Partial<FileLoggerOptions> = {}) =>
  createFileLogger({
    file: join(folder, 'awsinst.log'),
    level: 'DEBUG',
    maxBytes: 1_000_000,
    maxFiles: 3,
    correlationId: () => 'c-1',
    clock: () => new Date(2026, 0, 2, 3, 4, 5, 6).getTime(),
    ...options,
  });
const read = (folder: string, name = 'awsinst.log') => readFile(join(folder, name), 'utf8');

describe('a line', () => {
  it('is of IBM’s form and tells the zone, with the correlation id and the fields', async () => {
    const folder = await temporaryFolder();
    const log = loggerIn(folder);
    log.info('request.created', '3 of 3', { requestId: 'req-1' });
    await log.flush();
    expect(await read(folder)).toMatch(
      /^\[2026-01-02 03:04:05\.006 [+-]\d\d:\d\d\]-\[INFO\]-\[request\.created\] 3 of 3 \{"correlationId":"c-1","requestId":"req-1"\}\n$/,
    );
  });

  it('is one line, whatever the text and the fields hold', async () => {
    const folder = await temporaryFolder();
    const log = loggerIn(folder);
    log.error('call.failed', 'first\n  second\r\nthird', { stack: 'a\nb' });
    await log.flush();
    const lines = (await read(folder)).split('\n');
    expect([lines.length, lines[0]]).toEqual([2, expect.stringContaining('first second third {')]);
  });

  it('is not as long as whatever is to be told', async () => {
    const folder = await temporaryFolder();
    const log = loggerIn(folder);
    const megabyte = 'x'.repeat(1_000_000);
    log.error('call.failed', megabyte, { stack: megabyte, nested: { machineIds: ['i-1', megabyte] } });
    await log.flush();
    const text = await read(folder);
    expect(text.length).toBeLessThan(40_000);
    expect(text.match(/x… \(1000000 characters\)/g)).toHaveLength(3);
    expect(text).toContain('"i-1"');
  });

  it('does nothing to a terminal that shows it', async () => {
    const folder = await temporaryFolder();
    const log = loggerIn(folder);
    log.error('call.failed', 'a\rb\u001b[31m\u0007\u2028c\u202e', { input: '\u009b1m\u2029' });
    await log.flush();
    const text = await read(folder);
    expect(text).toContain('a\\u000db\\u001b[31m\\u0007\\u2028c\\u202e {');
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ input: '\u009b1m\u2029' });
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it.each([
    ['TRACE', ['DEBUG', 'INFO', 'WARN', 'ERROR']],
    ['DEBUG', ['DEBUG', 'INFO', 'WARN', 'ERROR']],
    ['INFO', ['INFO', 'WARN', 'ERROR']],
    ['WARN', ['WARN', 'ERROR']],
    ['ERROR', ['ERROR']],
    ['FATAL', []],
  ] as const)('is written at level %s when it is of %j', async (level, written) => {
    const folder = await temporaryFolder();
    const log = loggerIn(folder, { level });
    log.debug('aws.call', 'text');
    log.info('request.created', 'text');
    log.warn('aws.fault', 'text');
    log.error('bus.failed', 'text');
    await log.flush();
    const text = await read(folder).catch(() => '');
    expect([...text.matchAll(/-\[([A-Z]+)\]-/g)].map(([, name]) => name)).toEqual(written);
  });
});

describe('the file', () => {
  it('gathers the lines of several flushes, in order', async () => {
    const folder = await temporaryFolder();
    const log = loggerIn(folder);
    for (const text of ['first', 'second']) {
      log.info('request.created', text);
      await log.flush();
    }
    expect((await read(folder)).match(/first|second/g)).toEqual(['first', 'second']);
  });

  it('is for its owner alone, and so is the folder made for it', async () => {
    const folder = join(await temporaryFolder(), 'new', 'log');
    const log = loggerIn(folder);
    log.info('request.created', 'text');
    await log.flush();
    const modes = await Promise.all([folder, join(folder, 'awsinst.log')].map(async (path) => (await stat(path)).mode));
    expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(['700', '600']);
  });

  it('is not made when there is nothing to say', async () => {
    const folder = await temporaryFolder();
    await loggerIn(folder).flush();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is never another that a link in its place leads to, and no pipe', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'victim'), '');
    await symlink(join(folder, 'victim'), join(folder, 'awsinst.log'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const log of [loggerIn(folder), loggerIn(folder, { file: join(folder, 'pipe') })]) {
      log.info('request.created', 'text');
      await log.flush();
    }
    expect(await read(folder, 'victim')).toBe('');
  });

  it('that cannot be written fails nobody', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'log'), '');
    const log = loggerIn(join(folder, 'log'));
    log.info('request.created', 'text');
    await expect(log.flush()).resolves.toBeUndefined();
  });

  it('is set aside when it is full, the eldest of those kept falling out', async () => {
    const folder = await temporaryFolder();
    for (const n of [1, 2, 3, 4, 5]) {
      const log = loggerIn(folder, { maxBytes: 1 });
      log.info('request.created', `line-${n}`);
      await log.flush();
    }
    const files = (await readdir(folder)).sort();
    expect(files).toEqual(['awsinst.log', 'awsinst.log.1', 'awsinst.log.2', 'awsinst.log.3']);
    const lines = await Promise.all(files.map(async (name) => /line-\d/.exec(await read(folder, name))?.[0]));
    expect(lines).toEqual(['line-5', 'line-4', 'line-3', 'line-2']);
  });

  it('that cannot be set aside is written on', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'awsinst.log'), 'old\n');
    await mkdir(join(folder, 'awsinst.log.1', 'in the way'), { recursive: true });
    const log = loggerIn(folder, { maxBytes: 1, maxFiles: 1 });
    log.info('request.created', 'new');
    await log.flush();
    expect(await read(folder)).toMatch(/^old\n.*\] new /);
  });
});

it.each([
  ['INFO', 'INFO'],
  ['LOG_DEBUG', 'DEBUG'],
  ['log_warn', 'WARN'],
  [' ERROR ', 'ERROR'],
  ['LOG_LOUD', undefined],
  ['', undefined],
  [undefined, undefined],
])('the level of %j is %j', (text, level) => expect(toLogLevel(text)).toBe(level));
