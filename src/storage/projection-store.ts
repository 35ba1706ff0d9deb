import { join } from 'node:path';
import type { ProjectionName, ProjectionStore, StoredProjection } from '../application/ports/read-model.ts';
import { isPluginError } from '../domain/errors.ts';
import { readIfPresent, replaceFile } from './atomic-file.ts';

/** Changes with every change of what projections hold: a file of another version is built again. */
const format = 4;

/**
 * `projections/<name>.ndjson`: two lines of checkpoints, then a line per row. A list shows a page of its rows: while nothing is new
 * the rest is never parsed, which is most of the time with many requests. Private to its owner; safe to delete.
 */
export const createProjectionStore = (workDirectory: string): ProjectionStore => {
  const pathOf = (name: ProjectionName): string => join(workDirectory, 'projections', `${name}.ndjson`);
  return {
    load: async (name) => {
      try {
        const text = await readIfPresent(pathOf(name));
        return text === undefined ? undefined : parse(text);
      } catch {
        return undefined;
      }
    },
    // What cannot be kept is built again: an answer does not fail for it.
    save: (name, projection) =>
      replaceFile(pathOf(name), print(projection)).catch((error: unknown) => {
        if (!isPluginError(error)) throw error;
      }),
  };
};

const print = ({ streams, rows, failures, position }: StoredProjection): string => {
  const checkpoints = [...streams].map(([id, stream]) => [
    id,
    stream.stamp,
    stream.version,
    stream.since,
    stream.rows.length,
  ]);
  return [
    JSON.stringify({ format, rows: rows.length, position, failures }),
    JSON.stringify(checkpoints),
    ...rows,
    '',
  ].join('\n');
};

type Head = Pick<StoredProjection, 'failures' | 'position'> & { readonly rows: number };

const isHead = (value: unknown): value is Head =>
  typeof value === 'object' && value !== null && 'format' in value && value.format === format;

const parse = (text: string): StoredProjection | undefined => {
  const [first = '', checkpoints = '', ...rows] = text.split('\n');
  // Without the end of its last line it is not whole.
  if (rows.pop() !== '') return undefined;
  const head: unknown = JSON.parse(first);
  if (!isHead(head) || head.rows !== rows.length) return undefined;
  let streams: StoredProjection['streams'] | undefined;
  return {
    position: head.position,
    failures: head.failures,
    rows,
    get streams() {
      streams ??= parseStreams(checkpoints, rows);
      return streams;
    },
  };
};

type Checkpoint = readonly [id: string, stamp: number, version: number, since: number, rows: number];

const isCheckpoint = (value: unknown): value is Checkpoint => Array.isArray(value) && value.length === 5;

const parseStreams = (text: string, rows: readonly string[]): StoredProjection['streams'] => {
  const checkpoints: unknown = JSON.parse(text);
  let next = 0;
  const streams = (Array.isArray(checkpoints) ? checkpoints.filter(isCheckpoint) : []).map(
    ([id, stamp, version, since, count]) => {
      const from = next;
      next += count;
      return [id, { stamp, version, since, rows: rows.slice(from, next) }] as const;
    },
  );
  return new Map(streams);
};
