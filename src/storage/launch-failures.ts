import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchFailures } from '../application/ports.ts';
import { hasCode } from '../domain/errors.ts';
import { attempt, createMark } from './atomic-file.ts';

/**
 * Machines that never became usable since one last did, an empty file each in `failures/<templateId>/`. A memory that cannot be kept
 * is no reason to fail a request.
 */
export const createLaunchFailures = (workDirectory: string): LaunchFailures => {
  const folderOf = (templateId: string): string => join(workDirectory, 'failures', templateId);
  return {
    of: async (templateId) => {
      const machineIds = attempt(() => readdirSync(folderOf(templateId)), []);
      if (machineIds.length === 0) return { machineIds, latest: 0 };
      return { machineIds, latest: attempt(() => statSync(folderOf(templateId)).mtimeMs, 0) };
    },
    note: async (templateId, machineIds) => {
      for (const machineId of machineIds) {
        await createMark(join(folderOf(templateId), machineId)).catch((error: unknown) => {
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
