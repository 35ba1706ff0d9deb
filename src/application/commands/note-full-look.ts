import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import type { InstanceEventFeed } from './collect-instance-events.ts';

export const noteFullLook = defineOperation({
  name: 'NoteFullLook',
  bus: 'command',
  role: 'admin',
  title: 'Note that all hosts have been looked at: until that is due again, events tell which to look at',
  isHot: true,
  input: {},
  answer: closed({}),
});

export interface NoteFullLookPorts {
  /** Undefined where no queue of events is configured. */
  readonly feed: (() => Promise<Pick<InstanceEventFeed, 'fullLooks'>>) | undefined;
}

export const noteFullLookHandler =
  ({ feed }: NoteFullLookPorts): HandlerOf<typeof noteFullLook> =>
  async () => {
    await (await feed?.())?.fullLooks.note();
    return {};
  };
