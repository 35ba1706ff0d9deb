import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { OfferingMemory } from '../application/ports/memory.ts';
import { hasCode } from '../domain/errors.ts';
import { type RefusedOffering, stillCounts } from '../domain/offering.ts';
import { attempt, createEmptyFile, discard } from './atomic-file.ts';

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

  const entries = () => {
    const names = attempt(() => readdirSync(folder), []);
    return names.flatMap((name) => {
      const entry = readName(name);
      return entry === undefined ? [] : [{ name, entry }];
    });
  };
  const remove = (names: readonly string[]): void => {
    for (const name of names) discard(join(folder, name));
  };

  return {
    refused: async () => {
      const now = clock();
      return entries()
        .map(({ entry }) => entry)
        .filter((entry) => stillCounts(entry, now));
    },
    list: async () => {
      const now = clock();
      const listed = entries().filter(({ entry }) => stillCounts(entry, now));
      return listed.map(({ name, entry }) => {
        const seenAt = attempt(() => statSync(join(folder, name)).mtimeMs, now);
        return { ...entry, seenAt };
      });
    },
    remember: async (refused) => {
      const now = clock();
      const known = entries();
      for (const offering of refused) {
        const prefix = nameOf(offering).slice(0, -String(offering.expiresAt).length);
        await createEmptyFile(join(folder, nameOf(offering))).catch((error: unknown) => {
          if (!hasCode(error, 'storage.unwritable')) throw error;
        });
        const older = known.filter(({ name }) => name.startsWith(prefix) && name !== nameOf(offering));
        remove(older.map(({ name }) => name));
      }
      remove(known.filter(({ entry }) => !stillCounts(entry, now)).map(({ name }) => name));
    },
    forget: async (isMeant) => {
      const meant = entries().filter(({ entry }) => isMeant(entry));
      remove(meant.map(({ name }) => name));
      return meant.length;
    },
  };
};
