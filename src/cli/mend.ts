import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { messageOf } from '../domain/errors.ts';
import type { Fix } from '../domain/finding.ts';

const commandOf = ({ does, paths, mode = '' }: Fix): string =>
  `${does === 'chmod' ? `chmod ${mode}` : 'rm'} ${paths.join(' ')}`;

/** Asks at the terminal; no unless it is said. */
export const askYesOrNo = async (question: string): Promise<boolean> => {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal that goes away answers no more.
  const gone = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([terminal.question(`${question}? [y/N] `), gone]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
};

export const askToMend = (fix: Fix): Promise<boolean> => askYesOrNo(commandOf(fix));

/** Whether somebody answers by now. */
const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

const mendOne = async ({ does, mode = '600' }: Fix, path: string): Promise<string | undefined> => {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return `left alone: ${path} is a link`;
  if (does === 'chmod') chmodSync(path, Number.parseInt(mode, 8));
  else if (!found.isSocket()) return `left alone: ${path} is no socket`;
  else if (await isAnswered(path)) return `left alone: a server answers at ${path} by now`;
  else unlinkSync(path);
  return undefined;
};

/** Does it, and reports what came of it. A link is followed nowhere. */
export const mend = async (fix: Fix): Promise<string> => {
  try {
    for (const path of fix.paths) {
      const why = await mendOne(fix, path);
      if (why !== undefined) return why;
    }
    return `done: ${commandOf(fix)}`;
  } catch (error) {
    return `not done: ${commandOf(fix)}: ${messageOf(error)}`;
  }
};
