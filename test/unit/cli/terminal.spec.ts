import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { openTerminal } from '../../../src/cli/terminal.ts';

const person = async () => {
  const stream = () => Object.assign(new PassThrough(), { isTTY: true });
  const [input, output] = [stream(), stream()];
  const terminal = await openTerminal(input, output);
  if (terminal === undefined) throw new Error('no terminal');
  return { input, terminal, written: () => String(output.read()) };
};

it.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
])('%s in place of an answer ends the line of the question', async (_key, sent) => {
  const { input, terminal, written } = await person();
  const answer = terminal.ask('Region: ');
  input.write(sent);
  await expect(answer).rejects.toThrow('the questions were not answered');
  expect(written()).toMatch(/Region: [^\n]*\n$/);
});

it('nothing is written where the questions are over', async () => {
  const { input, terminal, written } = await person();
  const answer = terminal.ask('Region: ');
  input.write('eu-central-1\r');
  expect(await answer).toBe('eu-central-1');
  expect(written()).toContain('Region: ');
  terminal.close();
  expect(written()).not.toContain('\n');
});

it('without a terminal nobody is asked', async () => {
  expect(await openTerminal(new PassThrough(), new PassThrough())).toBeUndefined();
});
