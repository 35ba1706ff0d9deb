import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Notice } from '../application/queries/get-return-requests.ts';
import { isPluginError, messageOf } from '../domain/errors.ts';
import { asObject } from './fields.ts';
import { readNamedHosts } from './hosts.ts';
import type { Operation } from './operation.ts';

/** Brings our records up to what was noticed: they decide later what is still alive. */
const record = async (service: ApplicationService, notices: readonly Notice[]): Promise<void> => {
  const missed = new Set<string>();
  for (const { requestId, machineId, status, reason } of notices) {
    if (status === 'missed') missed.add(requestId);
    else await service.updateMachineStatus({ machineId, status, requestId, metadata: { reason } });
  }
  if (missed.size > 0) await service.syncRequests({ requestIds: [...missed], includeSettled: true });
};

/** Which of the hosts AWS takes or has taken away: `{"machines": [...]}` or `{}`. The host is named as Host Factory named it. */
export const getReturnRequests: Operation = async ({ service, log }, input) => {
  const machines = readNamedHosts(asObject(input, 'the input')['machines'] ?? []);
  try {
    const { events, look, isNoted } = await service.collectInstanceEvents({ machines });
    const { reclaims, notices, unseen, shown } = await service.getReturnRequests({ machines, events, look });
    const requests = reclaims.map(({ host, machineId, gracePeriod }) => ({
      machine: host.name === '' ? host.machineId : host.name,
      ...(machineId === '' ? {} : { machineId }),
      gracePeriod,
    }));
    const body = { status: 'complete', message: `${requests.length} hosts to be returned.`, requests };
    // Trouble with one is no reason to leave the others undone.
    const unlessFault = (work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: unknown) => {
        if (!isPluginError(error)) throw error;
        log.warn('housekeeping.trouble', messageOf(error), { code: error.code });
      });
    const afterwards = async (): Promise<void> => {
      if (isNoted || unseen.length + shown.length > 0)
        await unlessFault(service.noteLook({ isFull: isNoted, unseen, shown }));
      await unlessFault(record(service, notices));
      await unlessFault(service.archiveRequests());
      await unlessFault(service.reconcile({ apply: true, nowAndThen: true, held: machines }));
    };
    return { body, afterwards };
  } catch (error) {
    if (!isPluginError(error) || !error.code.startsWith('provider.')) throw error;
    // A fault while reading is never turned into "the host is gone".
    log.warn('reclaim.unverified', messageOf(error), { aws: error.aws });
    return { body: { status: 'complete', message: `Nothing new: ${messageOf(error)}`, requests: [] } };
  }
};
