/** The queues of events in a replay: they give what the recording shows that they gave, not what the emulated Region announces itself. */
import type { AwsExchange } from '../../application/ports/recording.ts';
import { send } from '../../emulator/queues.ts';
import type { World } from '../../emulator/world.ts';
import type { IdMap } from '../../recording/id-map.ts';
import { jsonIn, listOf, textOf } from '../../recording/json-value.ts';

const queueIn = ({ input }: AwsExchange): string => textOf(jsonIn(input)['QueueUrl']).replace(/^.*\//, '');

const isReceive = ({ action }: AwsExchange): boolean => action === 'ReceiveMessage';

/** The names of the queues that were read. */
export const queuesRead = (exchanges: readonly AwsExchange[]): readonly string[] => [
  ...new Set(exchanges.filter(isReceive).map(queueIn)),
];

export const createReplayQueues = (world: World, ids: IdMap) => {
  /** Ids of recorded messages. */
  const own = new Set<string>();
  return {
    /** Puts in what a recorded call received. It stays until the replay asks for it. */
    follow: (exchange: AwsExchange): void => {
      if (!isReceive(exchange)) return;
      const queue = queueIn(exchange);
      for (const { Body } of listOf(jsonIn(exchange.answer)['Messages']).map(jsonIn)) {
        send(world, queue, textOf(ids.translate(textOf(Body))));
        own.add(world.queues.get(queue)?.at(-1)?.id ?? '');
      }
    },
    /** Before they are read. */
    dropAnnounced: (): void => {
      for (const [queue, messages] of world.queues)
        world.queues.set(
          queue,
          messages.filter(({ id }) => own.has(id)),
        );
    },
  };
};
