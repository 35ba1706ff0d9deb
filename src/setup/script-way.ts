import { lstatSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { MetricValues } from '../application/ports/telemetry.ts';
import type { Environment } from '../config/environment.ts';
import type { Diagnosis } from '../domain/finding.ts';

export interface ScriptWay {
  readonly env: Environment;
  readonly workDir: string;
  readonly useServer: boolean;
  /** What was counted lately, and since when, ms since the epoch. */
  readonly recent: () => Promise<{ readonly since: number; readonly metrics: MetricValues }>;
}

const subject = 'script calls';

const isThere = (path: string): boolean => {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
};

/** Milliseconds for a server to say how it is. */
const patience = 2000;

const ask = (socketPath: string): Promise<Readonly<Record<string, unknown>> | undefined> =>
  new Promise((resolve) => {
    const none = (): void => resolve(undefined);
    const asked = request({ socketPath, path: '/health', timeout: patience }, (response) => {
      let text = '';
      response.on('error', none).on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => {
        try {
          resolve({ ...JSON.parse(text) });
        } catch {
          none();
        }
      });
    });
    asked
      .on('error', none)
      .on('timeout', () => asked.destroy())
      .end();
  });

const bucketForm = /^call_duration_ms_bucket\{.*way="(\w+)".*\}$/;
const sumForm = /^call_duration_ms_sum\{.*way="(\w+)".*\}$/;

const sumOf = (metrics: MetricValues, form: RegExp, way: string): number =>
  Object.entries(metrics).reduce((sum, [name, value]) => (form.exec(name)?.[1] === way ? sum + value : sum), 0);

/** How many calls went each way, and how long they took; empty where there were none. */
const countsText = (metrics: MetricValues, since: number): string => {
  const ways = { server: 'by the server', process: 'by processes of their own' };
  const parts = Object.entries(ways).flatMap(([way, text]) => {
    const count = sumOf(metrics, bucketForm, way);
    return count === 0 ? [] : [`${count} ${text}, ${Math.round(sumOf(metrics, sumForm, way) / count)} ms each`];
  });
  if (parts.length === 0) return '';
  return `; since ${new Date(since).toISOString().slice(11, 16)} UTC ${parts.join(', ')}`;
};

/** Which way the calls of Host Factory's scripts take, and how many went which way lately. */
export const diagnoseScriptWay = async ({
  env,
  workDir,
  useServer,
  recent,
}: ScriptWay): Promise<readonly Diagnosis[]> => {
  const { since, metrics } = await recent();
  const counts = countsText(metrics, since);
  const path = join(workDir, 'server.sock');
  const alone = (why: string): readonly Diagnosis[] => [
    { subject, status: 'ok', what: `each is a process of its own: ${why}${counts}` },
  ];
  if (env['HF_AWS_SERVER'] === 'off') return alone('HF_AWS_SERVER=off');
  if (!useServer) return alone('useServer is false');
  if (!isThere(path)) return alone('no server runs');
  const health = await ask(path);
  if (health !== undefined)
    return [
      { subject, status: 'ok', what: `the server answers them, process ${String(health['pid'])} at ${path}${counts}` },
    ];
  return [
    {
      subject,
      status: 'warning',
      code: 'server.stale',
      what: `nobody answers at ${path}: each is a process of its own${counts}`,
      why: 'each call asks there in vain first',
      cure: `start the server again, or rm ${path}`,
      fix: { does: 'remove-socket', paths: [path] },
    },
  ];
};
