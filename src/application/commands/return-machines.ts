import { excerpt, isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import { asInstanceId, isReturnId, looksLikeInstanceId, returnIdOf } from '../../domain/ids.ts';
import { hasEnded } from '../../domain/machine.ts';
import { isUnknown, type JudgedAt, judge, type ReturnItem } from '../../domain/return/return-request.ts';
import { closed, type FromSchema } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, hosts, version, words } from '../bus/shapes.ts';
import {
  type FoundHost,
  findHosts,
  type HostLookupPorts,
  type HostRef,
  uniqueHosts,
} from '../life-cycle/host-lookup.ts';
import { type DecideContext, decideOnReturn } from '../life-cycle/streams.ts';
import { leaveResources, markReturned, terminateStanding } from '../life-cycle/sync-return.ts';
import type { CapacityProviders } from '../ports/capacity.ts';
import type { Hosts } from '../ports/instances.ts';
import type { Policy } from '../ports/policy.ts';
import type { LiveRequests, RequestStreams } from '../ports/streams.ts';

export const returnMachines = defineOperation({
  name: 'ReturnMachines',
  bus: 'command',
  role: 'operator',
  title: 'Give machines back to AWS',
  isHot: true,
  input: {
    machines: hosts,
    /**
     * Throws `machine.not-found` for a host that neither EC2 nor our records know, and `input.invalid` for a name of several: a
     * person has mistyped it. To Host Factory such a host is gone.
     */
    onlyKnown: { ...flag, description: 'Refuse hosts that nobody knows' },
  },
  required: ['machines'],
  answer: closed({ requestId: words, version, message: words }),
});

type ReturnMachinesAnswer = FromSchema<typeof returnMachines.answer>;

export interface ReturnMachinesPorts extends HostLookupPorts {
  readonly streams: RequestStreams;
  readonly live: LiveRequests;
  readonly hosts: () => Promise<Hosts>;
  readonly providers: CapacityProviders;
  readonly policy: Pick<Policy, 'consistencyWindow'>;
  readonly newId: () => string;
}

/**
 * Gives machines back to AWS: exactly the named ones, and only those that carry our ownership tag. The return is recorded
 * before EC2 is asked; what EC2 refuses or does not answer is asked again whenever Host Factory asks for the status.
 */
export const returnMachinesHandler =
  (ports: ReturnMachinesPorts): HandlerOf<typeof returnMachines> =>
  async ({ machines, onlyKnown = false, commandId }, origin) => {
    const { streams, log, clock } = ports;
    const context = { streams, origin };
    const requestId = returnIdOf(origin.commandId ?? ports.newId());
    if (!isReturnId(requestId)) throw new PluginError('input.invalid', `the command id "${commandId}" is not a UUID`);
    const known = commandId === undefined ? 0 : (await streams.load(requestId)).version;
    if (known > 0) return { requestId, version: known, message: 'This return was asked for before.' };

    const found = await lookUp(ports, uniqueHosts(machines), onlyKnown);
    if (onlyKnown) refuseUnknown(found);
    const now = clock();
    const time = timeOf(ports);
    const items = uniqueItems(found.map((host) => toItem(host, time)));
    const record = decideOnReturn(context, requestId, [{ type: 'Request', now, items }]);
    const recorded = await record.catch((error: unknown) => ({ error }));
    // Money before bookkeeping: a host goes even if the disk refuses the record, and the fault is told after.
    const { accepted, trouble } = await terminate(ports, context, requestId, now, items);
    if ('error' in recorded) return unrecorded(ports, requestId, items, accepted, recorded.error);
    const over = items.filter((item) => isEnding(item) || item.verdict === 'foreign');
    await markReturned(ports, context, requestId, now, [...accepted, ...over]);
    // Nobody asks again about a return that is over at once: what was left of their groups goes now.
    if (recorded.state.stage === 'settled') await leaveResources(ports, context, now, items);
    const message = messageFor(items, accepted.length, trouble);
    log.info('return.requested', message, { requestId, machines: items.map(({ key }) => key) });
    return { requestId, version: recorded.version, message };
  };

/** After the look: only AWS's answers tell its time. */
const timeOf = ({ awsTime, clock, policy }: ReturnMachinesPorts): JudgedAt => {
  const now = awsTime();
  return now === undefined
    ? { now: clock(), consistencyWindow: undefined }
    : { now, consistencyWindow: policy.consistencyWindow };
};

const refuseUnknown = (found: readonly FoundHost[]): void => {
  for (const { asked, namesakes } of found)
    if (namesakes.length > 0) throw new PluginError('input.invalid', namesakesText(asked.name, namesakes));
  const unknown = found
    .filter(({ seen, record, uncertain }) => seen === undefined && record === undefined && !uncertain)
    .map(({ asked }) => asked.machineId || asked.name);
  if (unknown.length > 0)
    throw new PluginError(
      'machine.not-found',
      `no machine has the id or name ${excerpt(unknown.join(', '))}; nothing was returned`,
    );
};

const namesakesText = (name: string, ids: readonly string[]): string =>
  `several instances have or had the name ${name} (${ids.join(', ')}): return it by machineId`;

/** The hosts went, so that nothing is left to ask about: the id is answered all the same. Else the return has to come again. */
const unrecorded = (
  { log }: ReturnMachinesPorts,
  requestId: string,
  items: readonly ReturnItem[],
  accepted: readonly ReturnItem[],
  error: unknown,
): ReturnMachinesAnswer => {
  const done = new Set(accepted);
  const isLeft = (item: ReturnItem): boolean =>
    !(done.has(item) || isEnding(item) || item.verdict === 'gone' || item.verdict === 'foreign');
  if (!isPluginError(error) || items.some(isLeft)) throw error;
  const message = `${messageFor(items, accepted.length, '')} The return is not on record: ${messageOf(error)}`;
  log.error('return.unrecorded', message, { requestId, machines: items.map(({ key }) => key) });
  return { requestId, version: 0, message };
};

/** When EC2 cannot be read, hosts known by id are recorded unseen; for a bare name there is nothing to record yet. */
const lookUp = async (
  ports: ReturnMachinesPorts,
  refs: readonly HostRef[],
  onlyKnown: boolean,
): Promise<readonly FoundHost[]> => {
  try {
    return await findHosts(ports, refs, onlyKnown ? 'all' : 'names');
  } catch (error) {
    const ids = refs.flatMap((asked) => {
      const machineId = asInstanceId(asked.machineId);
      return machineId === undefined ? [] : [{ asked, machineId, uncertain: true, namesakes: [] }];
    });
    if (!isPluginError(error) || ids.length < refs.length) throw error;
    ports.log.warn('return.unverified', messageOf(error), { aws: error.aws });
    return ids;
  }
};

/** One host may be named twice, by id and by name. */
const uniqueItems = (items: readonly ReturnItem[]): readonly ReturnItem[] => [
  ...new Map(items.map((item) => [item.key, item])).values(),
];

const isEnding = ({ last }: ReturnItem): boolean => last !== undefined && hasEnded(last.state);

const toItem = (host: FoundHost, time: JudgedAt): ReturnItem => {
  const { asked, machineId, seen, record } = host;
  const key = machineId || (looksLikeInstanceId(asked.machineId) ? asked.machineId : asked.name || asked.machineId);
  const last = record?.machine;
  const item = {
    key,
    machineId,
    name: asked.name || (last?.name ?? ''),
    instanceTags: seen?.instanceTags ?? '',
    ...(last === undefined ? {} : { last }),
    ...(record === undefined ? {} : { owner: record.requestId }),
  };
  if (seen !== undefined) return judge({ ...item, verdict: 'unseen', message: '' }, seen, time);
  if (last !== undefined && hasEnded(last.state)) return { ...item, verdict: 'gone', message: '' };
  if (machineId !== '') return { ...item, verdict: 'unseen', message: 'not seen at EC2 yet' };
  return { ...item, machineId: asked.machineId, ...withoutId(host) };
};

const withoutId = ({ asked, namesakes, uncertain }: FoundHost): Pick<ReturnItem, 'verdict' | 'message'> => {
  if (namesakes.length > 0) return { verdict: 'foreign', message: namesakesText(asked.name, namesakes) };
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
  const unknown = items.filter(isUnknown).length;
  const gone = of('gone') - unknown;
  const waiting = of('terminating') - going;
  const parts = [
    `${going} of ${items.length} machines are being terminated.`,
    gone > 0 ? `${gone} gone already.` : '',
    unknown > 0 ? `${unknown} known neither to EC2 nor to our records.` : '',
    of('unseen') > 0 ? `${of('unseen')} not shown by EC2, or not with their tags yet; looked for again.` : '',
    of('foreign') > 0
      ? `${of('foreign')} not terminated: without this provider's ownership tag, or not to be told apart.`
      : '',
    waiting > 0 ? `${waiting} not accepted by EC2 yet; asked again later.` : '',
    trouble,
  ];
  return parts.filter((part) => part !== '').join(' ');
};
