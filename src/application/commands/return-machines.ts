import { isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import { isInstanceId, isReturnId, returnIdOf } from '../../domain/ids.ts';
import { hasEnded } from '../../domain/machine.ts';
import { judge, type ReturnItem } from '../../domain/return-request.ts';
import type { Command, Handler, Operation } from '../bus.ts';
import { type FoundHost, findHosts, type HostLookupPorts, type HostRef, uniqueHosts } from '../host-lookup.ts';
import type { CapacityProviders, Clock, RequestStreams } from '../ports.ts';
import { type DecideContext, decideOnReturn } from '../streams.ts';
import { leaveResources, markReturned, terminateStanding } from '../sync-return.ts';

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
  readonly streams: RequestStreams;
  readonly providers: CapacityProviders;
  readonly clock: Clock;
  readonly newId: () => string;
}

/**
 * Gives machines back to AWS: exactly the named ones, and only those that carry our ownership tag. The return is recorded
 * before EC2 is asked; what EC2 refuses or does not answer is asked again whenever Host Factory asks for the status.
 */
export const returnMachinesHandler =
  (ports: ReturnMachinesPorts): Handler<Operation<ReturnMachines, ReturnMachinesAnswer>> =>
  async ({ machines, commandId }, origin) => {
    const { streams, log, clock } = ports;
    const context = { streams, origin };
    const requestId = returnIdOf(origin.commandId ?? ports.newId());
    if (!isReturnId(requestId)) throw new PluginError('input.invalid', `the command id "${commandId}" is not a UUID`);
    const known = commandId === undefined ? 0 : (await streams.load(requestId)).version;
    if (known > 0) return { requestId, version: known, message: 'This return was asked for before.' };

    const items = uniqueItems((await lookUp(ports, uniqueHosts(machines))).map(toItem));
    const now = clock();
    const record = decideOnReturn(context, requestId, [{ type: 'Request', now, items }]);
    const recorded = await record.catch((error: unknown) => ({ error }));
    // Money before bookkeeping: a host goes even if the disk refuses the record, and the fault is reported after.
    const { accepted, trouble } = await terminate(ports, context, requestId, now, items);
    if ('error' in recorded) throw recorded.error;
    await markReturned(ports, context, requestId, now, [...accepted, ...items.filter(isEnding)]);
    // Nobody asks again about a return that is over at once: what was left of their groups goes now.
    if (recorded.state.stage === 'settled') await leaveResources(ports, context, now, items);
    const message = messageFor(items, accepted.length, trouble);
    log.info('return.requested', message, { requestId, machines: items.map(({ key }) => key) });
    return { requestId, version: recorded.version, message };
  };

/** When EC2 cannot be read, hosts known by id are recorded unseen; for a bare name there is nothing to record yet. */
const lookUp = async (ports: ReturnMachinesPorts, refs: readonly HostRef[]): Promise<readonly FoundHost[]> => {
  try {
    return await findHosts(ports, refs);
  } catch (error) {
    if (!isPluginError(error) || !refs.every(({ machineId }) => isInstanceId(machineId))) throw error;
    ports.log.warn('return.unverified', messageOf(error), { aws: error.aws });
    return refs.map((asked) => ({ asked, machineId: asked.machineId, uncertain: true, ambiguous: false }));
  }
};

/** One host may be named twice, by id and by name. */
const uniqueItems = (items: readonly ReturnItem[]): readonly ReturnItem[] => [
  ...new Map(items.map((item) => [item.key, item])).values(),
];

const isEnding = ({ last }: ReturnItem): boolean => last !== undefined && hasEnded(last.state);

const toItem = (host: FoundHost): ReturnItem => {
  const { asked, machineId, seen, record } = host;
  const key = machineId || asked.name || asked.machineId;
  const last = record?.machine;
  const item = {
    key,
    machineId,
    name: asked.name || (last?.name ?? ''),
    instanceTags: seen?.instanceTags ?? '',
    ...(last === undefined ? {} : { last }),
    ...(record === undefined ? {} : { owner: record.requestId }),
  };
  if (seen !== undefined) return judge({ ...item, verdict: 'unseen', message: '' }, seen);
  if (last !== undefined && hasEnded(last.state)) return { ...item, verdict: 'gone', message: '' };
  if (machineId !== '') return { ...item, verdict: 'unseen', message: 'not seen at EC2 yet' };
  return { ...item, machineId: asked.machineId, ...withoutId(host) };
};

const withoutId = ({ asked, ambiguous, uncertain }: FoundHost): Pick<ReturnItem, 'verdict' | 'message'> => {
  if (ambiguous)
    return { verdict: 'foreign', message: `several instances are named ${asked.name}: return it by machineId` };
  if (asked.machineId !== '') return { verdict: 'gone', message: `"${asked.machineId}" is not an EC2 instance id` };
  return uncertain
    ? { verdict: 'foreign', message: `no instance is named ${asked.name}, but a record could not be read: see the log` }
    : { verdict: 'gone', message: 'no instance has this name' };
};

const terminate = async (
  ports: ReturnMachinesPorts,
  context: DecideContext,
  requestId: string,
  now: number,
  items: readonly ReturnItem[],
): Promise<{ readonly accepted: readonly ReturnItem[]; readonly trouble: string }> => {
  try {
    return { accepted: await terminateStanding(ports, context, requestId, now, items), trouble: '' };
  } catch (error) {
    if (!isPluginError(error)) throw error;
    ports.log.warn('return.unsent', messageOf(error), { aws: error.aws });
    return { accepted: [], trouble: messageOf(error) };
  }
};

const messageFor = (items: readonly ReturnItem[], accepted: number, trouble: string): string => {
  const of = (verdict: ReturnItem['verdict']): number => items.filter((item) => item.verdict === verdict).length;
  const going = accepted + items.filter((item) => item.verdict === 'terminating' && isEnding(item)).length;
  const waiting = of('terminating') - going;
  const parts = [
    `${going} of ${items.length} machines are being terminated.`,
    of('gone') > 0 ? `${of('gone')} gone already.` : '',
    of('unseen') > 0 ? `${of('unseen')} not shown by EC2; looked for again.` : '',
    of('foreign') > 0
      ? `${of('foreign')} not terminated: without this provider's ownership tag, or not to be told apart.`
      : '',
    waiting > 0 ? `${waiting} not accepted by EC2 yet; asked again later.` : '',
    trouble,
  ];
  return parts.filter((part) => part !== '').join(' ');
};
