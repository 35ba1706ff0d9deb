import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaunchFailures } from '../application/ports.ts';
import { hasCode } from '../domain/errors.ts';
import { createMark } from './atomic-file.ts';

/**
 * Machines that never became usable since one last did, an empty file each in `failures/<templateId>/`. A memory that cannot be kept
 * is no reason to fail a request.
 */
export const createLaunchFailures = (workDirectory: string): LaunchFailures => {
  const folderOf = (templateId: string): string => join(workDirectory, 'failures', templateId);
  return {
    of: async (templateId) => {
      const machineIds = await readdir(folderOf(templateId)).catch(() => []);
      if (machineIds.length === 0) return { machineIds, latest: 0 };
      const known = await stat(folderOf(templateId)).catch(() => undefined);
      return { machineIds, latest: known?.mtimeMs ?? 0 };
    },
    note: async (templateId, machineIds) => {
      for (const machineId of machineIds) {
        await createMark(join(folderOf(templateId), machineId)).catch((error: unknown) => {
          if (!hasCode(error, 'storage.unwritable')) throw error;
        });
      }
    },
    clear: async (templateId) => {
      await rm(folderOf(templateId), { recursive: true, force: true }).catch(() => undefined);
    },
    templateIds: async () => readdir(join(workDirectory, 'failures')).catch(() => []),
  };
};
