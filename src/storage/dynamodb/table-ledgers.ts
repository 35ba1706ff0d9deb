import { setTimeout as wait } from 'node:timers/promises';
import type { LaunchFailures } from '../../application/ports/memory.ts';
import type { CapacityClaim, CapacityLedger } from '../../application/ports/streams.ts';
import { isCreateId } from '../../domain/ids.ts';
import { type Item, type Key, number, numberIn, type Table, textIn, textsIn } from './table.ts';

const tries = 4;
/** Two claims that see each other may both withdraw; a random pause lets one go first. */
const pauseMs = (): number => 5 + Math.random() * 20;

/** A host's clock may differ by so much, ms. */
const clockTolerance = 60_000;

type DatedClaim = CapacityClaim & { readonly since: number };

const claimIn = (item: Item): readonly DatedClaim[] => {
  const [templateId = '', requestId = ''] = (textIn(item, 'sk') ?? '').split('~');
  const [units, since] = [numberIn(item, 'u'), numberIn(item, 'at')];
  if (!isCreateId(requestId) || units === undefined || since === undefined) return [];
  return [{ templateId, requestId, units, since }];
};

/** Milliseconds for which what was shown along with a count answers the question that follows it. */
const goodFor = 2000;

/** Beside the claims of a template, so that one look brings both. */
const failuresKey = (templateId: string): string => `${templateId}~!`;

interface LedgerOptions {
  readonly table: Table;
  readonly pk: string;
  readonly clock: () => number;
}

/**
 * The capacity ledger: an item each, `<template>~<request>`. A claim is put in the ledger before it is counted, by a look that
 * shows all that was put before: of two that together exceed the limit at least one sees the other.
 */
const ledgerOf = (
  { table, pk, clock }: LedgerOptions,
  heard: (templateId: string, items: readonly Item[]) => void = () => undefined,
): CapacityLedger => {
  const keyOf = ({ templateId, requestId }: CapacityClaim): Key => ({ pk, sk: `${templateId}~${requestId}` });
  const write = (claim: CapacityClaim): Promise<boolean> =>
    // The time of the first write stays.
    table.update(keyOf(claim), 'SET u = :u, #at = if_not_exists(#at, :now)', {
      ':u': number(claim.units),
      ':now': number(Math.round(clock())),
    });
  return {
    reserve: async (claim, limit) => {
      const { templateId, units } = claim;
      for (let attempt = 1; ; attempt++) {
        await write(claim);
        if (limit === undefined) return { granted: true, live: units };
        const items = await table.list({ pk, prefix: `${templateId}~` });
        const live = items.flatMap(claimIn).reduce((sum, each) => sum + each.units, 0);
        if (live <= limit) {
          heard(templateId, items);
          return { granted: true, live };
        }
        await table.remove(keyOf(claim));
        if (attempt === tries) return { granted: false, live: live - units };
        await wait(pauseMs());
      }
    },
    update: async (claim, before) => {
      if (claim.units === before) return;
      if (claim.units === 0) await table.remove(keyOf(claim));
      else await write(claim);
    },
    list: async (templateId) => {
      const items = await table.list({ pk, ...(templateId === undefined ? {} : { prefix: `${templateId}~` }) });
      return items.flatMap(claimIn);
    },
  };
};

/** What requests want of a group of the administrator's. */
export const createTableGroupLedger = (
  table: Table,
  owner: string,
  group: string,
  clock: () => number,
): CapacityLedger => ledgerOf({ table, pk: `${owner}#group#${group}`, clock });

/** What a host remembers of the failures of templates: whether there may be any. */
export interface FailureHearsay {
  mayHave(templateId: string): Promise<boolean>;
  note(templateId: string): Promise<void>;
  forget(templateId: string): Promise<void>;
}

/** The capacity ledger and, in the same partition, the machines of each template that never became usable. */
export const createTableLedgers = (
  table: Table,
  owner: string,
  clock: () => number,
  hearsay: FailureHearsay,
): { readonly live: CapacityLedger; readonly failures: LaunchFailures } => {
  const pk = `${owner}#live`;
  // What a count showed beside the claims: good for the question that follows it.
  const shown = new Map<string, { readonly at: number; readonly item: Item | undefined }>();
  const live = ledgerOf({ table, pk, clock }, (templateId, items) => {
    const item = items.find((each) => textIn(each, 'sk') === failuresKey(templateId));
    shown.set(templateId, { at: clock(), item });
  });
  const read = async (templateId: string): Promise<Item | undefined> => {
    const known = shown.get(templateId);
    shown.delete(templateId);
    if (known !== undefined && Math.abs(clock() - known.at) < goodFor) return known.item;
    return table.get({ pk, sk: failuresKey(templateId) });
  };
  const failures: LaunchFailures = {
    of: async (templateId) => {
      const item = await read(templateId);
      const machineIds = textsIn(item, 'ids');
      if (machineIds.length === 0) return { machineIds, age: Number.POSITIVE_INFINITY };
      await hearsay.note(templateId);
      const age = clock() - (numberIn(item, 'at') ?? 0);
      // Noted at a time that lies ahead: by a clock that was wrong.
      return { machineIds, age: age < -clockTolerance ? Number.POSITIVE_INFINITY : age };
    },
    note: async (templateId, machineIds) => {
      if (machineIds.length === 0) return;
      await table.update({ pk, sk: failuresKey(templateId) }, 'SET #at = :now ADD ids :ids', {
        ':now': number(Math.round(clock())),
        ':ids': { SS: [...new Set(machineIds)] },
      });
      shown.delete(templateId);
      await hearsay.note(templateId);
    },
    // Asked whenever a request settles well: a host that has not heard of failures leaves the table alone.
    clear: async (templateId) => {
      if (!(await hearsay.mayHave(templateId))) return;
      await table.remove({ pk, sk: failuresKey(templateId) });
      await hearsay.forget(templateId);
    },
    templateIds: async () => {
      const items = await table.list({ pk });
      const found = items.flatMap((item) => {
        const [templateId = '', rest] = (textIn(item, 'sk') ?? '').split('~');
        return rest === '!' ? [templateId] : [];
      });
      for (const templateId of found) await hearsay.note(templateId);
      return found;
    },
  };
  return { live, failures };
};
