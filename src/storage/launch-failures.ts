import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchFailures } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { attempt, createEmptyFile } from './atomic-file.ts';

/** A file server's clock may differ by so much, ms, from this host's. */
const clockTolerance = 60_000;

/**
 * Machines that never became usable since one last did, an empty file each in `failures/<templateId>/`. A memory that cannot be kept
 * is no reason to fail a request. `clock` is the one that dates the files.
 */
export const createLaunchFailures = (workDirectory: string, clock: () => number): LaunchFailures => {
  const folderOf = (templateId: string): string => join(workDirectory, 'failures', templateId);
  return {
    of: async (templateId) => {
      const machineIds = attempt(() => readdirSync(folderOf(templateId)), []);
      if (machineIds.length === 0) return { machineIds, age: Number.POSITIVE_INFINITY };
      const age = attempt(() => clock() - statSync(folderOf(templateId)).mtimeMs, 0);
      // Noted at a time that lies ahead: by a clock that was wrong.
      return { machineIds, age: age < -clockTolerance ? Number.POSITIVE_INFINITY : age };
    },
    note: async (templateId, machineIds) => {
      for (const machineId of machineIds) {
        await createEmptyFile(join(folderOf(templateId), machineId)).catch((error: unknown) => {
          if (!hasCode(error, 'storage.unwritable')) throw error;
        });
      }
    },
    clear: async (templateId) => {
      attempt(() => rmSync(folderOf(templateId), { recursive: true, force: true }), undefined);
    },
    templateIds: async () => attempt(() => readdirSync(join(workDirectory, 'failures')), []),
  };
};
