import { join } from 'node:path';
import { Low } from 'lowdb';
import type { InstanceTypes } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import type { InstanceTypeTable } from '../domain/instance-type.ts';
import { replaceableDocument } from './json-documents.ts';

/** As the file has them: `{"m5.large": ["x86_64", 2, 1, 8192]}`, architecture, vCPUs, cores, MiB. */
type Rows = Readonly<Record<string, readonly [architecture: string, vcpus: number, cores: number, memoryMiB: number]>>;

const isRows = (value: unknown): value is Rows =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every(
    (row: unknown) =>
      Array.isArray(row) &&
      row.length === 4 &&
      typeof row[0] === 'string' &&
      row.slice(1).every((each) => typeof each === 'number'),
  );

/**
 * Facts about instance types: the table shipped in `shippedFile`, or the one last asked of EC2, in `cache/instance-types.json` of the
 * work directory.
 */
export const createInstanceTypes = (workDirectory: string, shippedFile: string): InstanceTypes => {
  const open = (file: string): Low<Rows> => new Low<Rows>(replaceableDocument(file, isRows), {});
  const refreshed = open(join(workDirectory, 'cache', 'instance-types.json'));
  const read = async (document: Low<Rows>): Promise<InstanceTypeTable> => {
    await document.read().catch((error: unknown) => {
      // What cannot be read is as good as never asked for; the shipped table stands in.
      if (!hasCode(error, 'storage.unreadable')) throw error;
    });
    const entries = Object.entries(document.data).map(
      ([name, [architecture, vcpus, cores, memoryMiB]]) => [name, { architecture, vcpus, cores, memoryMiB }] as const,
    );
    return new Map(entries);
  };
  return {
    table: async () => {
      const own = await read(refreshed);
      return own.size > 0 ? own : read(open(shippedFile));
    },
    replace: async (table) => {
      refreshed.data = Object.fromEntries(
        [...table].map(([name, { architecture, vcpus, cores, memoryMiB }]) => [
          name,
          [architecture, vcpus, cores, memoryMiB],
        ]),
      );
      await refreshed.write();
    },
  };
};
