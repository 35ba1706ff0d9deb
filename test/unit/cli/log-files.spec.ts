import { appendFile, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logFilter, logTail, parseLogLine } from '../../../src/cli/log-files.ts';
import { createFileLogger } from '../../../src/telemetry/file-logger.ts';

const start = Date.parse('2026-11-28T10:00:00Z');

describe('the log of all hosts', () => {
  let folder: string;
  let now: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'log-files-'));
    now = start;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const logger = (host: string, maxBytes = 1_000_000, correlationId = 'call-1') =>
    createFileLogger({
      file: join(folder, `provider.${host}.log`),
      level: 'DEBUG',
      maxBytes,
      maxFiles: 5,
      correlationId: () => correlationId,
      clock: () => now,
    });
  const write = async (log: ReturnType<typeof logger>, text: string): Promise<void> => {
    now += 1000;
    log.info('request.created', text);
    await log.flush();
  };
  const texts = (lines: ReturnType<ReturnType<typeof logTail>['poll']>) => lines.map(({ text }) => text);

  it('is read by time, with level, code, text and fields of each line', async () => {
    const [a, b] = [logger('a'), logger('b')];
    await write(a, 'first');
    await write(b, 'second {not fields}');
    now += 1;
    a.error('call.failed', 'third', { requestId: 'req-1' });
    await a.flush();
    const lines = logTail(folder).poll();
    expect(texts(lines)).toEqual(['first', 'second {not fields}', 'third']);
    expect(lines[2]).toMatchObject({
      at: start + 2001,
      level: 'ERROR',
      code: 'call.failed',
      fields: { correlationId: 'call-1', requestId: 'req-1' },
    });
  });

  it('is followed through rotations: each line once, none lost', async () => {
    const log = logger('a', 300);
    const tail = logTail(folder);
    const [written, read]: [string[], string[]] = [[], []];
    for (let n = 0; n < 40; n++) {
      await write(log, `line ${n}`);
      written.push(`line ${n}`);
      // A look now and then: files have been set aside meanwhile, at most as many as are kept.
      if (n % 5 === 0) read.push(...texts(tail.poll()));
    }
    read.push(...texts(tail.poll()));
    expect((await readdir(folder)).length).toBeGreaterThan(4);
    expect(read).toEqual(written);
    expect(tail.poll()).toEqual([]);
  });

  it('is told in whole lines, and a file that was emptied from its beginning', async () => {
    const file = join(folder, 'provider.a.log');
    await writeFile(file, 'one\ntw');
    const tail = logTail(folder);
    expect(texts(tail.poll())).toEqual(['one']);
    await appendFile(file, 'o\n');
    expect(texts(tail.poll())).toEqual(['two']);
    await writeFile(file, 'new\n');
    expect(texts(tail.poll())).toEqual(['new']);
  });

  it('takes nothing but plain files, and the same time for a line without one', async () => {
    await writeFile(join(folder, 'secret'), 'secret\n');
    await symlink(join(folder, 'secret'), join(folder, 'provider.a.log'));
    expect(logTail(join(folder, 'none')).poll()).toEqual([]);
    await write(logger('b'), 'ours');
    await appendFile(join(folder, 'provider.b.log'), '    at somewhere\n');
    const lines = logTail(folder).poll();
    expect(texts(lines)).toEqual(['ours', '    at somewhere']);
    expect(lines[1]).toMatchObject({ at: start + 1000, level: '', code: '' });
  });

  it('is filtered by time, level, code or the beginning of one', () => {
    const line = (level: string, code: string, seconds = 0) =>
      parseLogLine(`[2026-11-28 10:00:0${seconds}.000 +00:00]-[${level}]-[${code}] text {"correlationId":"c"}`);
    const since = start;
    expect(logFilter({ since })(line('DEBUG', 'aws.call'))).toBe(true);
    expect(logFilter({ since: since + 1 })(line('DEBUG', 'aws.call'))).toBe(false);
    const grave = logFilter({ since, level: 'warn' });
    expect(['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].map((level) => grave(line(level, 'aws.call')))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    const aws = logFilter({ since, code: 'aws' });
    expect(['aws.call', 'aws', 'awsome.call'].map((code) => aws(line('INFO', code)))).toEqual([true, true, false]);
  });

  it('tells of a request also what else the call did that named it', () => {
    const isMeant = logFilter({ since: 0, requestId: 'req-1', correlations: ['known'] });
    const line = (correlationId: string, text = '') =>
      parseLogLine(`[2026-11-28 10:00:00.000 +00:00]-[INFO]-[a.b] ${text} {"correlationId":"${correlationId}"}`);
    expect(isMeant(line('known'))).toBe(true);
    expect(isMeant(line('later'))).toBe(false);
    expect(isMeant(line('later', 'of req-1'))).toBe(true);
    expect(isMeant(line('later'))).toBe(true);
    expect(isMeant(line('other'))).toBe(false);
  });
});
