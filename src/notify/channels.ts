import { type ChildProcess, spawn } from 'node:child_process';
import { type Agent, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../domain/errors.ts';
import { redaction } from '../json/redact.ts';
import { webhookHeaders } from './sign.ts';

/** What is sent: its id stays the same over repeated tries. */
export interface Letter {
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/** A way to somebody. Throws, telling why, where it does not get through. */
export type Channel = (letter: Letter) => Promise<void>;

/** ms */
const [webhookTime, commandTime] = [10_000, 30_000];
/** How long a program that has failed may go on saying why, ms. */
const lastWords = 500;
/** Between two tries of a webhook. */
const defaultPauses = [1000, 4000] as const;

const isWorthAnotherTry = (status: number): boolean => status >= 500 || status === 408 || status === 429;

interface Webhook {
  readonly url: string;
  readonly secret: string;
  /** Seconds since the epoch. */
  readonly clock: () => number;
  /** The way through a proxy; none: straight. */
  readonly agent?: Agent | undefined;
  /** ms */
  readonly pauses?: readonly number[];
}

interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly agent: Agent | undefined;
}

/** The status that was answered. Not `fetch`, which knows no agents. Redirects are not followed: what is signed for one address is for no other. */
const statusOf = (url: URL, { body, ...options }: Post): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? secureRequest : plainRequest;
    const sent = request(url, { ...options, method: 'POST', signal: AbortSignal.timeout(webhookTime) }, (answer) => {
      resolve(answer.statusCode ?? 0);
      answer.destroy();
    });
    sent.on('error', reject).end(body);
  });

/** Posts the letter, signed anew with each try. Faults of the network and of the other side are tried again. */
export const webhookChannel = ({ url, secret, clock, agent, pauses = defaultPauses }: Webhook): Channel => {
  const post = async ({ id, body }: Letter): Promise<{ readonly fault?: string; readonly isFinal: boolean }> => {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'hostfactory-aws',
      ...webhookHeaders({ id, timestamp: clock(), body }, secret),
    };
    try {
      const status = await statusOf(new URL(url), { headers, body, agent });
      if (status >= 200 && status < 300) return { isFinal: true };
      return { fault: `it answered ${status}`, isFinal: !isWorthAnotherTry(status) };
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      return { fault: messageOf(cause), isFinal: false };
    }
  };
  return async (letter) => {
    for (const pause of [...pauses, undefined]) {
      const { fault, isFinal } = await post(letter);
      if (fault === undefined) return;
      if (isFinal || pause === undefined) throw new Error(`the webhook was not reached: ${fault}`);
      await wait(pause);
    }
  };
};

/** With whatever it has started. */
const endGroup = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
};

interface Command {
  /** A program and its arguments; no shell reads them. */
  readonly line: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** ms */
  readonly limit?: number;
}

/** Runs a program with the letter on its standard input. */
export const commandChannel =
  ({ line: [program, ...args], env, limit = commandTime }: Command): Channel =>
  ({ body }) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { env, detached: true, stdio: ['pipe', 'ignore', 'pipe'] });
      const failed = (why: string): void => reject(new Error(`${program} ${why}`));
      let output = '';
      const timer = setTimeout(() => {
        endGroup(child);
        failed(`had not ended after ${limit / 1000} s`);
      }, limit);
      child.stderr.on('data', (chunk) => {
        if (output.length < 1000) output += String(chunk);
      });
      child.on('error', (error) => {
        clearTimeout(timer);
        failed(`cannot be run: ${messageOf(error)}`);
      });
      // What it leaves in the background may hold its standard error for long.
      child.on('exit', (status, signal) => {
        clearTimeout(timer);
        if (status === 0) {
          child.stderr.destroy();
          resolve();
          return;
        }
        const report = (): void => {
          clearTimeout(late);
          child.stderr.destroy();
          const [first = ''] = redaction([]).text(output).trim().split('\n');
          failed(`ended with ${status ?? signal}${first === '' ? '' : `: ${first.slice(0, 200)}`}`);
        };
        const late = setTimeout(report, lastWords);
        child.on('close', report);
      });
      // A program that does not read is told by how it ends.
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${body}\n`);
    });
