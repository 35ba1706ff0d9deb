import type { StateEnd } from '../ports/state-copy.ts';
import type { CapacityLedger } from '../ports/streams.ts';
import { claimKey, forEach, type Traces } from './records.ts';

const mirrorLedger = async (from: CapacityLedger, to: CapacityLedger): Promise<void> => {
  const [wanted, there] = [await from.list(), await to.list()];
  const known = new Map(there.map((claim) => [claimKey(claim), claim.units]));
  await forEach(wanted, async (claim) => {
    if (known.get(claimKey(claim)) !== claim.units) await to.update(claim);
    known.delete(claimKey(claim));
  });
  await forEach(there, async (claim) => {
    if (known.has(claimKey(claim))) await to.update({ ...claim, units: 0 });
  });
};

const mirrorFailures = async (from: StateEnd['store'], to: StateEnd['store']): Promise<void> => {
  const templateIds = new Set([...(await from.failures.templateIds()), ...(await to.failures.templateIds())]);
  await forEach(templateIds, async (templateId) => {
    const [{ machineIds }, there] = [await from.failures.of(templateId), await to.failures.of(templateId)];
    if (there.machineIds.some((id) => !machineIds.includes(id))) await to.failures.clear(templateId);
    await to.failures.note(templateId, machineIds);
  });
};

/** Everything but the streams: what the target holds of it becomes what the source does. */
export const copyRest = async (from: StateEnd, to: StateEnd, traces: Traces): Promise<void> => {
  await mirrorLedger(from.store.live, to.store.live);
  for (const group of traces.groups) await mirrorLedger(from.store.ledger(group), to.store.ledger(group));
  await mirrorFailures(from.store, to.store);
  await to.store.sweepMemory.write(await from.store.sweepMemory.read());
  await to.store.notices.note(await from.store.notices.of([...traces.machineIds]));
  await forEach(await from.commandIds([...traces.commandIds]), async (commandId) => {
    const answered = await from.store.answers.find<unknown>(commandId);
    if (answered !== undefined) await to.store.answers.keep(commandId, answered);
  });
};
