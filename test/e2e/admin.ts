import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runAdministrator } from '../../src/boot/administrator.ts';
import type { Terminal } from '../../src/cli/context.ts';
import { home, type Plugin } from './plugin.ts';

export interface Said {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program as an administrator runs it, its output not on a terminal. */
export const hfAws = (
  { env, directory, installed = home }: Pick<Plugin, 'env' | 'directory'> & { readonly installed?: string },
  args: readonly string[],
  input?: string,
): Promise<Said> => {
  const child = spawn('node', [join(installed, 'dist', 'hf-aws.cjs'), ...args], { env, cwd: directory });
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return new Promise((resolve, reject) =>
    child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, stdout, stderr })),
  );
};

const runHere = async (
  { env }: Pick<Plugin, 'env'>,
  args: readonly string[],
  terminal: Terminal | undefined,
): Promise<Said> => {
  let [stdout, stderr] = ['', ''];
  // Each call watches them to the end of the process.
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  const exitCode = await runAdministrator(args, {
    env,
    home,
    ...(terminal === undefined ? {} : { terminal }),
    stdout: {
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
      },
    },
  });
  return { exitCode, stdout, stderr };
};

/** The same without a process of its own, in the folder of the tests: for what is not about the process. */
export const hfAwsHere = (plugin: Pick<Plugin, 'env'>, args: readonly string[]): Promise<Said> =>
  runHere(plugin, args, undefined);

/** The same with somebody who answers questions. */
export const hfAwsAsking = (plugin: Pick<Plugin, 'env'>, args: readonly string[], terminal: Terminal): Promise<Said> =>
  runHere(plugin, args, terminal);

/** The same with --json. */
export const hfAwsJson = async (plugin: Pick<Plugin, 'env'>, ...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await hfAwsHere(plugin, [...args, '--json']);
  const body: unknown = JSON.parse(stdout);
  return { exitCode, stderr, body: Object.fromEntries(Object.entries(Object(body))) };
};

/** Compares with a file that was looked at by a person; GOLDEN=write writes it anew. */
export const expectGolden = async (name: string, text: string): Promise<void> => {
  const file = join(import.meta.dirname, 'golden', name);
  if (process.env['GOLDEN'] === 'write') await writeFile(file, text);
  expect(text).toBe(await readFile(file, 'utf8'));
};
