import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { OfferingMemory } from '../application/ports.ts';
import { hasCode } from '../domain/errors.ts';
import type { RefusedOffering } from '../domain/offering.ts';
import { createMark } from './atomic-file.ts';

const nameForm = /^(spot|ondemand)~([a-z0-9.-]*)~([a-z0-9-]*)~([A-Za-z.]+)~(\d+)$/;

const nameOf = ({ market, instanceType = '', subnetId = '', code, expiresAt }: RefusedOffering): string =>
  [market, instanceType, subnetId, code, expiresAt].join('~');

const readName = (name: string): Omit<RefusedOffering, 'seenAt'> | undefined => {
  const [, market, instanceType, subnetId, code = '', expiresAt] = nameForm.exec(name) ?? [];
  if (market !== 'spot' && market !== 'ondemand') return undefined;
  return {
    market,
    ...(instanceType ? { instanceType } : {}),
    ...(subnetId ? { subnetId } : {}),
    code,
    expiresAt: Number(expiresAt),
  };
};

/**
 * Refused offerings as empty files in `offerings/`, whose names say it all: any process adds and removes single ones, and reading
 * them is listing one folder. A memory that cannot be kept is no reason to fail a launch.
 */
export const createOfferingMemory = (workDirectory: string, clock: () => number): OfferingMemory => {
  const folder = join(workDirectory, 'offerings');

  const entries = async () => {
    const names = await readdir(folder).catch(() => []);
    return names.flatMap((name) => {
      const entry = readName(name);
      return entry === undefined ? [] : [{ name, entry }];
    });
  };
  const remove = async (names: readonly string[]): Promise<void> => {
    await Promise.all(names.map((name) => unlink(join(folder, name)).catch(() => undefined)));
  };

  return {
    refused: async () => {
      const now = clock();
      return (await entries()).map(({ entry }) => entry).filter(({ expiresAt }) => expiresAt > now);
    },
    list: async () => {
      const now = clock();
      const listed = (await entries()).filter(({ entry }) => entry.expiresAt > now);
      const dated = listed.map(async ({ name, entry }) => {
        const known = await stat(join(folder, name)).catch(() => undefined);
        return { ...entry, seenAt: known?.mtimeMs ?? now };
      });
      return Promise.all(dated);
    },
    remember: async (refused) => {
      const now = clock();
      const known = await entries();
      for (const offering of refused) {
        const prefix = nameOf(offering).replace(/\d+$/, '');
        await createMark(join(folder, nameOf(offering))).catch((error: unknown) => {
          if (!hasCode(error, 'storage.unwritable')) throw error;
        });
        const older = known.filter(({ name }) => name.startsWith(prefix) && name !== nameOf(offering));
        await remove(older.map(({ name }) => name));
      }
      await remove(known.filter(({ entry }) => entry.expiresAt <= now).map(({ name }) => name));
    },
    forget: async (isMeant) => {
      const meant = (await entries()).filter(({ entry }) => isMeant(entry));
      await remove(meant.map(({ name }) => name));
      return meant.length;
    },
  };
};
