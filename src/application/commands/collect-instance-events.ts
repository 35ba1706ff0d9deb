import { isPluginError, messageOf } from '../../domain/errors.ts';
import { asInstanceId } from '../../domain/ids.ts';
import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, hosts, instanceEvent } from '../bus/shapes.ts';
import type { EventQueue, FullLooks, InstanceEvent, InstanceEvents } from '../ports/instance-events.ts';
import type { Logger } from '../ports/telemetry.ts';

export const collectInstanceEvents = defineOperation({
  name: 'CollectInstanceEvents',
  bus: 'command',
  role: 'admin',
  title: 'Record what AWS announced about hosts on the event queue',
  isHot: true,
  input: { machines: { ...hosts, description: 'The hosts in question' } },
  required: ['machines'],
  answer: closed({
    events: { ...listOf(instanceEvent), description: 'The recorded events of these hosts' },
    look: { enum: ['all', 'announced'], description: 'Hosts that must be checked at EC2' },
    isNoted: { ...flag, description: 'Whether a check of all hosts must be recorded once done' },
  }),
});

export interface InstanceEventFeed {
  readonly queue: () => Promise<EventQueue>;
  readonly events: InstanceEvents;
  readonly fullLooks: FullLooks;
  /** Whether a recommendation to rebalance counts as an announcement. */
  readonly reportsRebalance: boolean;
}

export interface CollectInstanceEventsPorts {
  /** Undefined where no queue is configured. */
  readonly feed: (() => Promise<InstanceEventFeed>) | undefined;
  readonly log: Logger;
}

/** A receive answers with at most ten. What more waits is left to the next call. */
const [fullBatch, mostReceives] = [10, 20] as const;

/** Notes what the messages say before they are removed. */
const drain = async (queue: EventQueue, note: (events: readonly InstanceEvent[]) => Promise<void>): Promise<void> => {
  for (let receives = 0; receives < mostReceives; receives++) {
    const messages = await queue.receive();
    await note(messages.flatMap(({ events }) => events));
    if (messages.length > 0) await queue.remove(messages);
    if (messages.length < fullBatch) return;
  }
};

/**
 * Takes the messages of the event queue, notes what concerns hosts, and only then removes them: whoever is killed in between leaves
 * them to the next. Says which hosts must be looked at. A queue that cannot be read makes it all of them.
 */
export const collectInstanceEventsHandler =
  ({ feed: open, log }: CollectInstanceEventsPorts): HandlerOf<typeof collectInstanceEvents> =>
  async ({ machines }) => {
    if (open === undefined) return { events: [], look: 'all', isNoted: false };
    const feed = await open();
    const ids = machines.flatMap(({ machineId }) => asInstanceId(machineId) ?? []);
    const held = new Set(ids);
    // Most messages tell of instances that somebody has just ended on purpose, the account's others included.
    const isKept = ({ machineId, kind }: InstanceEvent): boolean =>
      kind === 'ended' ? held.has(machineId) : kind !== 'rebalance' || feed.reportsRebalance;
    const isRead = await feed
      .queue()
      .then((queue) => drain(queue, (events) => feed.events.note(events.filter(isKept))))
      .then(
        () => true,
        (error: unknown) => {
          if (!isPluginError(error)) throw error;
          log.warn('events.unread', `${messageOf(error)}; all hosts are looked at instead`, { code: error.code });
          return false;
        },
      );
    const isByIdOnly = ids.length === machines.length;
    const noted = await feed.events.of(ids).catch((error: unknown) => {
      if (!isPluginError(error)) throw error;
      log.warn('events.unread', `${messageOf(error)}; all hosts are looked at instead`, { code: error.code });
    });
    const mustLook = noted === undefined || !isRead || !isByIdOnly || (await feed.fullLooks.isDue());
    return { events: noted ?? [], look: mustLook ? 'all' : 'announced', isNoted: mustLook };
  };
