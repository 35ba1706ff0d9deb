import { isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import { isInstanceId, isReturnId, returnIdOf } from '../../domain/ids.ts';
import { judge, type ReturnItem } from '../../domain/return-request.ts';
import type { Command, Handler, Operation } from '../bus.ts';
import { type FoundHost, findHosts, type HostLookupPorts, type HostRef, uniqueHosts } from '../host-lookup.ts';
import type { Clock, Logger } from '../ports.ts';
import { decideOnReturn } from '../streams.ts';
import { markReturned, terminateStanding } from '../sync-return.ts';

export interface ReturnMachines extends Command {
  readonly type: 'ReturnMachines';
  readonly machines: readonly HostRef[];
}

export interface ReturnMachinesAnswer {
  readonly requestId: string;
  readonly version: number;
  readonly message: string;
}

export interface ReturnMachinesPorts extends HostLookupPorts {
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
}

/**
 * Gives machines back to AWS: exactly the named ones, and only those that carry our ownership tag. The return is recorded
 * before EC2 is asked; what EC2 refuses or does not answer is asked again whenever Host Factory asks for the status.
 */
export const returnMachinesHandler =
  (ports: ReturnMachinesPorts): Handler<Operation<ReturnMachines, ReturnMachinesAnswer>> =>
  async ({ machines }, origin) => {
    const { streams, log, clock } = ports;
    const context = { streams, origin };
    const requestId = returnIdOf(origin.commandId ?? ports.newId());
    if (!isReturnId(requestId))
      throw new PluginError('input.invalid', `the command id "${origin.commandId}" is not a UUID`);
    const known = origin.commandId === undefined ? 0 : (await streams.load(requestId)).version;
    if (known > 0) return { requestId, version: known, message: 'This return was asked for before.' };

    const items = (await lookUp(ports, uniqueHosts(machines))).map(toItem);
    const now = clock();
    const recorded = await recordThenMark().catch((error: unknown) => ({ error }));
    // Money before bookkeeping: a host goes even if the disk refuses the record, and the fault is reported after.
    const { refused, trouble } = await terminate(ports, items);
    if ('error' in recorded) throw recorded.error;
    const version =
      refused.size === 0
        ? recorded.version
        : (await decideOnReturn(context, requestId, [{ type: 'Refuse', now, refused }])).version;
    const message = messageFor(items, refused.size, trouble);
    log.info('return.requested', message, { requestId, machines: items.map(({ key }) => key) });
    return { requestId, version, message };

    async function recordThenMark(): Promise<{ readonly version: number }> {
      const { version } = await decideOnReturn(context, requestId, [{ type: 'Request', now, items }]);
      await markReturned(ports, context, requestId, now, items);
      return { version };
    }
  };

/** When EC2 cannot be read, hosts known by id are recorded unseen; for a bare name there is nothing to record yet. */
const lookUp = async (ports: ReturnMachinesPorts, refs: readonly HostRef[]): Promise<readonly FoundHost[]> => {
  try {
    return await findHosts(ports, refs);
  } catch (error) {
    if (!isPluginError(error) || !refs.every(({ machineId }) => isInstanceId(machineId))) throw error;
    ports.log.warn('return.unverified', messageOf(error), { aws: error.aws });
    return refs.map((asked) => ({ asked, machineId: asked.machineId }));
  }
};

const toItem = ({ asked, machineId, seen }: FoundHost): ReturnItem => {
  const item = {
    key: machineId || asked.name || asked.machineId,
    machineId,
    name: asked.name,
    instanceTags: seen?.instanceTags ?? '',
  };
  if (seen !== undefined) return judge({ ...item, verdict: 'unseen', message: '' }, seen);
  if (machineId !== '') return { ...item, verdict: 'unseen', message: 'EC2 does not show this instance' };
  const message =
    asked.machineId === '' ? 'no instance has this name' : `"${asked.machineId}" is not an EC2 instance id`;
  return { ...item, machineId: asked.machineId, verdict: 'gone', message };
};

const terminate = async (ports: ReturnMachinesPorts, items: readonly ReturnItem[]) => {
  try {
    return { refused: await terminateStanding(ports, items), trouble: '' };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    ports.log.warn('return.unsent', messageOf(error), { aws: error.aws });
    return { refused: new Map<string, string>(), trouble: messageOf(error) };
  }
};

const messageFor = (items: readonly ReturnItem[], refused: number, trouble: string): string => {
  const of = (verdict: ReturnItem['verdict']): number => items.filter((item) => item.verdict === verdict).length;
  const parts = [
    `${of('terminating') - refused} of ${items.length} machines are being terminated.`,
    of('gone') > 0 ? `${of('gone')} gone already.` : '',
    of('unseen') > 0 ? `${of('unseen')} not shown by EC2; looked for again.` : '',
    of('foreign') > 0 ? `${of('foreign')} not terminated: without this provider's ownership tag.` : '',
    refused > 0 ? `${refused} refused by EC2; asked again later.` : '',
    trouble === '' ? '' : `EC2 could not be asked (${trouble}); asked again later.`,
  ];
  return parts.filter((part) => part !== '').join(' ');
};
