import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { flag, unseenHosts } from '../bus/shapes.ts';
import type { UnseenHosts } from '../ports/memory.ts';
import type { AwsTime } from '../ports/policy.ts';
import type { InstanceEventFeed } from './collect-instance-events.ts';

export const noteLook = defineOperation({
  name: 'NoteLook',
  bus: 'command',
  role: 'admin',
  title: 'Record which hosts EC2 did not show',
  isHot: true,
  input: {
    ...unseenHosts,
    isFull: {
      ...flag,
      description: 'All hosts were checked: until that is due again, events tell which hosts to check',
    },
  },
  answer: closed({}),
});

export interface NoteLookPorts {
  readonly unseen: Pick<UnseenHosts, 'note'>;
  /** Undefined where no queue of events is configured. */
  readonly feed: (() => Promise<Pick<InstanceEventFeed, 'fullLooks'>>) | undefined;
  readonly awsTime: AwsTime;
}

export const noteLookHandler =
  ({ unseen: memory, feed, awsTime }: NoteLookPorts): HandlerOf<typeof noteLook> =>
  async ({ unseen = [], shown = [], isFull = false }) => {
    if (isFull) await (await feed?.())?.fullLooks.note();
    const now = awsTime();
    if (now !== undefined && unseen.length + shown.length > 0) await memory.note({ now, unseen, shown });
    return {};
  };
