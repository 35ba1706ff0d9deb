import { readdirSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CapacityClaim, CapacityLedger } from '../application/ports/streams.ts';
import { PluginError } from '../domain/errors.ts';
import { createEmptyFile, errnoOf } from './atomic-file.ts';

const claimName = /^(req-[0-9a-f-]{36})~(\d+)$/;
const nameOf = ({ requestId, units }: CapacityClaim): string => `${requestId}~${units}`;

const unlessGone = <T>(path: string, action: () => T): T | undefined => {
  try {
    return action();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new PluginError('storage.unwritable', `cannot write the ledger at ${path} (${errnoOf(error)})`, {
      cause: error,
    });
  }
};

const tries = 4;
/** A claim may be renamed while it is looked for, but not time and again. */
const looks = 5;
/** Two claims that see each other may both withdraw; a random pause lets one go first. */
const pauseMs = (): number => 5 + Math.random() * 20;

/**
 * The ledger of requests with machines: one empty file per request, `live/<templateId>/<requestId>~<units>`. The name says it all, so
 * counting is listing one folder. A claim is put in the ledger before it is counted: of two that together exceed the limit
 * at least one sees the other.
 */
export const createCapacityLedger = (workDirectory: string): CapacityLedger => {
  const root = join(workDirectory, 'live');

  const claimsOf = (templateId: string): readonly CapacityClaim[] => {
    const names = unlessGone(join(root, templateId), () => readdirSync(join(root, templateId))) ?? [];
    return names.flatMap((name) => {
      const [, requestId, units] = claimName.exec(name) ?? [];
      return requestId === undefined ? [] : [{ templateId, requestId, units: Number(units) }];
    });
  };

  const pathOf = (claim: CapacityClaim): string => join(root, claim.templateId, nameOf(claim));

  const reserve = async (claim: CapacityClaim, limit: number | undefined) => {
    for (let attempt = 1; ; attempt++) {
      await createEmptyFile(pathOf(claim));
      const claims = claimsOf(claim.templateId);
      const live = claims.reduce((sum, { units }) => sum + units, 0);
      if (limit === undefined || live <= limit) return { granted: true, live };
      unlessGone(pathOf(claim), () => unlinkSync(pathOf(claim)));
      if (attempt === tries) return { granted: false, live: live - claim.units };
      await (await import('node:timers/promises')).setTimeout(pauseMs());
    }
  };

  const isThere = (claim: CapacityClaim): boolean => statSync(pathOf(claim), { throwIfNoEntry: false }) !== undefined;
  const remove = (claim: CapacityClaim): void => void unlessGone(pathOf(claim), () => unlinkSync(pathOf(claim)));

  /** By its name alone, where the ledger says `before`; false where it does not. */
  const move = (claim: CapacityClaim, before: number): boolean => {
    const [from, to] = [pathOf({ ...claim, units: before }), pathOf(claim)];
    if (claim.units === before) return claim.units === 0 || isThere(claim);
    if (before === 0) return false;
    const step = () => {
      if (claim.units === 0) unlinkSync(from);
      else renameSync(from, to);
      return true;
    };
    return unlessGone(from, step) ?? false;
  };

  /** Whatever the ledger says. */
  const state = async (claim: CapacityClaim): Promise<void> => {
    const [known, ...more] = claimsOf(claim.templateId).filter(({ requestId }) => requestId === claim.requestId);
    for (const each of more) if (each.units !== claim.units || claim.units === 0) remove(each);
    if (known === undefined) {
      if (claim.units > 0) await createEmptyFile(pathOf(claim));
    } else if (claim.units === 0) remove(known);
    else if (known.units !== claim.units) unlessGone(pathOf(known), () => renameSync(pathOf(known), pathOf(claim)));
  };

  const update = async (claim: CapacityClaim, before?: number): Promise<void> => {
    if (before !== undefined && move(claim, before)) return;
    // Another process may rename it meanwhile.
    for (let look = 1; look <= looks; look++) {
      await state(claim);
      if (claim.units === 0 || isThere(claim)) return;
    }
  };

  const datedClaims = (templateId: string): readonly (CapacityClaim & { readonly since: number })[] => {
    for (;;) {
      const claims = claimsOf(templateId);
      const dated = claims.flatMap((claim) => {
        const known = unlessGone(pathOf(claim), () => statSync(pathOf(claim)));
        return known === undefined ? [] : [{ ...claim, since: known.mtimeMs }];
      });
      // Gone since: another process has renamed it, perhaps, and the request would be missing here although it lives.
      if (dated.length === claims.length) return dated;
    }
  };

  const list = async (templateId?: string) => {
    const templateIds = templateId === undefined ? (unlessGone(root, () => readdirSync(root)) ?? []) : [templateId];
    return templateIds.flatMap(datedClaims);
  };

  return { reserve, update, list };
};
