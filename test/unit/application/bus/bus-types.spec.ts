import { expect, it } from 'vitest';
import { type Command, createBus, type Handlers, type Operation } from '../../../../src/application/bus/bus.ts';

interface Add extends Command {
  readonly type: 'Add';
  readonly amount: number;
}
interface Messages {
  readonly Add: Operation<Add, number>;
}

const options = { name: 'command', correlationId: () => 'c', middleware: [] } as const;

it('a wrong pairing of message, handler and answer does not compile', async () => {
  // @ts-expect-error the handler answers with a text where the message is answered with a number
  const wrong: Handlers<Messages> = { Add: async () => async () => 'three' };
  // @ts-expect-error a handler is missing
  const none: Handlers<Messages> = {};
  const bus = createBus<Messages>(
    {
      Add:
        async () =>
        async ({ amount }) =>
          amount,
    },
    options,
  );
  // @ts-expect-error the message lacks its amount
  await bus.execute({ type: 'Add' });
  expect([Object.keys(wrong), Object.keys(none)]).toEqual([['Add'], []]);
});
