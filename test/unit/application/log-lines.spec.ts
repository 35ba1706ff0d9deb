import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { logLines } from '../../../src/application/ports/log-lines.ts';
import type { Logger } from '../../../src/application/ports/telemetry.ts';

it('a line whose code is not registered, or at another level, does not compile', () => {
  const lines = (log: Logger) => {
    // @ts-expect-error nobody knows what it means
    log.warn('weather.bad', 'it rains');
    // @ts-expect-error it is an error
    log.warn('bus.failed', 'CreateRequest');
  };
  expect(lines).toBeTypeOf('function');
});

it('every registered line can be logged', async () => {
  const source = join(import.meta.dirname, '..', '..', '..', 'src');
  const files = (await readdir(source, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('log-lines.ts'),
  );
  const text = (await Promise.all(files.map((name) => readFile(join(source, name), 'utf8')))).join();
  expect(Object.keys(logLines).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});
