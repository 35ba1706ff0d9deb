import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readInput } from '../../../src/hostfactory/input.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const fileOf = async (text: string): Promise<string> => {
  const path = join(await temporaryFolder(), 'hf_in_tvXQSo');
  await writeFile(path, text);
  return path;
};
const withStandardInput = (text: string, isTTY = false): void => {
  const original = Object.getOwnPropertyDescriptor(process, 'stdin');
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    value: Object.assign(Readable.from(text === '' ? [] : [text]), { isTTY }),
  });
  onTestFinished(() => {
    if (original !== undefined) Object.defineProperty(process, 'stdin', original);
  });
};

describe('the input', () => {
  it('is the file Host Factory wrote, tabs and all', async () => {
    const path = await fileOf('{\n\t"template" : \n\t{\n\t\t"machineCount" :   3\n\t}\n}\n');
    expect(await readInput('requestMachines', ['-f', path], false)).toEqual({
      name: path,
      value: { template: { machineCount: 3 } },
    });
  });

  it('leaves the file as it is: it is Host Factory’s', async () => {
    const path = await fileOf('{broken');
    await expect(readInput('requestMachines', ['-f', path], false)).rejects.toThrow();
    expect(await readFile(path, 'utf8')).toBe('{broken');
  });

  it('may be named by --file', async () => {
    const path = await fileOf('{}');
    expect(await readInput('requestMachines', ['--file', path], false)).toMatchObject({ value: {} });
  });

  it('may be given on the command line', async () =>
    expect(await readInput('requestMachines', ['--data', '{"a":1}'], false)).toEqual({
      name: '--data',
      value: { a: 1 },
    }));

  it('may come on standard input', async () => {
    withStandardInput('\uFEFF{"a":1}');
    expect(await readInput('requestMachines', [], false)).toEqual({ name: 'standard input', value: { a: 1 } });
  });

  it.each(['', '  \n'])('may be %j where it is optional', async (text) => {
    withStandardInput(text);
    expect(await readInput('getAvailableTemplates', [], true)).toMatchObject({ value: {} });
    expect(await readInput('getAvailableTemplates', ['-f', await fileOf(text)], true)).toMatchObject({ value: {} });
  });
});

describe('an input that is no use', () => {
  it('because it is empty is told by its file', async () => {
    const path = await fileOf('');
    await expect(readInput('requestMachines', ['-f', path], false)).rejects.toMatchObject({
      code: 'input.invalid',
      message: `the input ${path} is not JSON: it is empty`,
    });
  });

  it('because it is broken is told by line and column, also where it is optional', async () => {
    const path = await fileOf('{\n"a" 1}');
    await expect(readInput('getReturnRequests', ['-f', path], true)).rejects.toMatchObject({
      code: 'input.invalid',
      message: `the input ${path} is not JSON: line 2, column 5 (ColonExpected)`,
    });
  });

  it('because the file is not there is told by its path', async () =>
    expect(readInput('requestMachines', ['-f', '/nowhere/in.json'], true)).rejects.toMatchObject({
      code: 'input.unreadable',
      message: expect.stringContaining('/nowhere/in.json'),
    }));

  it('because the file is a folder is told by its path', async () => {
    const path = join(await temporaryFolder(), 'folder');
    await mkdir(path);
    await expect(readInput('requestMachines', ['-f', path], false)).rejects.toMatchObject({ code: 'input.unreadable' });
  });

  it.each([
    [['-f']],
    [['--data']],
    [['in.json']],
    [['-x', 'in.json']],
    [['-f', 'a', 'b']],
    [['-f', 'a', '--data', '{}']],
  ])('because it was called with %j is told with the usage', async (args) =>
    expect(readInput('requestMachines', args, true)).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining('usage: requestMachines.sh -f <file>'),
    }),
  );

  it('because a person typed no input is told with the usage, at once', async () => {
    withStandardInput('', true);
    await expect(readInput('requestMachines', [], false)).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringMatching(/^usage: requestMachines\.sh/),
    });
  });
});
