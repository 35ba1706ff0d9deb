import { isPluginError, messageOf } from '../../domain/errors.ts';
import { asInstanceId, looksLikeInstanceId } from '../../domain/ids.ts';
import { hasEnded } from '../../domain/machine.ts';
import { type JudgedAt, judge } from '../../domain/return/decide.ts';
import type { ReturnItem } from '../../domain/return/events.ts';
import { isUnknown } from '../../domain/return/state.ts';
import type { Policy } from '../ports/policy.ts';
import { advanceReturn } from './advance-return.ts';
import { type FoundHost, findHosts, type HostLookupPorts, type HostRef, uniqueHosts } from './host-lookup.ts';
import { knownRequests } from './known-requests.ts';
import type { ReturnPorts } from './perform-return.ts';
import type { DecideContext } from './streams.ts';

export interface GiveBackPorts extends HostLookupPorts, ReturnPorts {
  readonly hosts: ReturnPorts['hosts'];
  readonly policy: Pick<Policy, 'consistencyWindow'>;
}

interface GiveBack {
  /** Of the return. */
  readonly id: string;
  readonly hosts: readonly HostRef[];
  readonly check?: ((found: readonly FoundHost[]) => void) | undefined;
}

interface GivenBack {
  /** Of the record; 0 where the disk did not take it and all hosts went. */
  readonly version: number;
  readonly message: string;
}

/**
 * Gives hosts back to AWS: exactly the named ones, and only those that carry our ownership tag. `check` may refuse what was found, by
 * throwing. A host goes even if the disk refuses the record; the fault is thrown after, unless nothing is left to ask about.
 */
export const giveBack = async (
  ports: GiveBackPorts,
  context: DecideContext,
  { id, hosts, check }: GiveBack,
): Promise<GivenBack> => {
  const found = await lookUp(ports, uniqueHosts(hosts), check === undefined ? 'names' : 'all');
  check?.(found);
  const time = timeOf(ports);
  const items = uniqueItems(found.map((host) => toItem(host, time)));
  const news = { type: 'Request', now: ports.clock(), items } as const;
  const requests = knownRequests(context);
  const { decided, accepted, unrecorded, unsent } = await advanceReturn(ports, context, { id, news, requests });
  if (unsent !== undefined) ports.log.warn('return.unsent', messageOf(unsent), { aws: unsent.aws });
  const machines = items.map(({ key }) => key);
  if (unrecorded !== undefined) {
    if (items.some((item) => isLeft(item, accepted))) throw unrecorded;
    const message = `${messageFor(items, accepted.length, '')} The return is not on record: ${messageOf(unrecorded)}`;
    ports.log.error('return.unrecorded', message, { requestId: id, machines });
    return { version: 0, message };
  }
  const message = messageFor(items, accepted.length, unsent === undefined ? '' : messageOf(unsent));
  ports.log.info('return.requested', message, { requestId: id, machines });
  return { version: decided.version, message };
};

/** After the look: only AWS's answers tell its time. */
const timeOf = ({ awsTime, clock, policy }: GiveBackPorts): JudgedAt => {
  const now = awsTime();
  return now === undefined
    ? { now: clock(), consistencyWindow: undefined }
    : { now, consistencyWindow: policy.consistencyWindow };
};

/** Whether the return has to come again for it. */
const isLeft = (item: ReturnItem, accepted: readonly ReturnItem[]): boolean =>
  !(
    accepted.some(({ key }) => key === item.key) ||
    isEnding(item) ||
    item.verdict === 'gone' ||
    item.verdict === 'foreign'
  );

/** When EC2 cannot be read, hosts known by id are recorded unseen; for a bare name there is nothing to record yet. */
const lookUp = async (
  ports: GiveBackPorts,
  refs: readonly HostRef[],
  scope: 'all' | 'names',
): Promise<readonly FoundHost[]> => {
  try {
    return await findHosts(ports, refs, scope);
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
    ...(record === undefined ? {} : { requestId: record.requestId }),
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

export const namesakesText = (name: string, ids: readonly string[]): string =>
  `several instances have or had the name ${name} (${ids.join(', ')}): return it by machineId`;

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
    of('unseen') > 0 ? `${of('unseen')} not shown by EC2 yet, or not with their tags; looked up again.` : '',
    of('foreign') > 0 ? `${of('foreign')} not terminated: without this provider's ownership tag, or ambiguous.` : '',
    waiting > 0 ? `${waiting} not accepted by EC2 yet; asked again later.` : '',
    trouble,
  ];
  return parts.filter((part) => part !== '').join(' ');
};
