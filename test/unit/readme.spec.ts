import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { pages, withTables } from '../../scripts/dev/readme-tables.ts';

const root = join(import.meta.dirname, '..', '..');

it('documents parameters, template fields, operations and log lines in the words of the program (npm run docs)', async () => {
  const texts = await Promise.all(pages.map((page) => readFile(page, 'utf8')));
  expect(texts.map((text) => text.match(/<!-- table: /g)?.length)).toEqual([3, 1, 1]);
  expect(texts).toEqual(texts.map(withTables));
});

it('explains every error code', async () => {
  const codesIn = async (file: string, type: string): Promise<readonly string[]> => {
    const source = await readFile(join(root, 'src', file), 'utf8');
    const [, union = ''] = new RegExp(`export type ${type} =([^;]*);`).exec(source) ?? [];
    const found = [...union.matchAll(/'([^']+)'/g)].map(([, code = '']) => code);
    expect(found.length, file).toBeGreaterThan(3);
    return found;
  };
  const codes = [
    ...(await codesIn('domain/errors.ts', 'ErrorCode')),
    ...(await codesIn('api/problems.ts', 'HttpCode')),
  ];
  const handbook = await readFile(join(root, 'src', 'cli', 'README.md'), 'utf8');
  expect(codes.length).toBeGreaterThan(15);
  expect(codes.filter((code) => !handbook.includes(`\n| \`${code}\` | `))).toEqual([]);
});

/** As GitHub makes them of headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

it('has no link that leads nowhere', async () => {
  const all = (await readdir(root, { recursive: true })).filter(
    (name) => name.endsWith('README.md') && !name.includes('node_modules'),
  );
  expect(all.length).toBeGreaterThan(6);
  const broken = await Promise.all(
    all.map(async (page) => {
      const text = await readFile(join(root, page), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
      const wrong = links.map(async ([link, path = '', anchor]) => {
        const target = path === '' ? join(root, page) : join(root, dirname(page), path);
        const aim = await readFile(target, 'utf8').catch(() => undefined);
        const headings = [...(aim ?? '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
        return aim === undefined || (anchor !== undefined && !headings.includes(anchor)) ? [`${page}: ${link}`] : [];
      });
      return (await Promise.all(wrong)).flat();
    }),
  );
  expect(broken.flat()).toEqual([]);
});

it('opens with one page that is read in a minute', async () => {
  expect((await readFile(join(root, 'README.md'), 'utf8')).length).toBeLessThan(7 * 1024);
});
