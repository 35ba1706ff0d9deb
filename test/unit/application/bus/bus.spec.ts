import { describe, expect, it } from 'vitest';
import {
  type Command,
  createBus,
  type Handlers,
  logging,
  type Middleware,
  type Operation,
} from '../../../../src/application/bus/bus.ts';
import type { Origin } from '../../../../src/application/bus/origin.ts';
import { PluginError } from '../../../../src/domain/errors.ts';
import { createRecordingLog } from '../../recording-log.ts';

interface Add extends Command {
  readonly type: 'Add';
  readonly amount: number;
}
interface Fail extends Command {
  readonly type: 'Fail';
  readonly error: unknown;
}
interface Messages {
  readonly Add: Operation<Add, number>;
  readonly Fail: Operation<Fail, string>;
}

const handlers: Handlers<Messages> = {
  Add: async () => async (message) => message.amount + 1,
  Fail: async () => async (message) => {
    throw message.error;
  },
};

const busWith = (...middleware: readonly Middleware[]) =>
  createBus(handlers, { name: 'command', correlationId: () => 'made-up', middleware });

describe('a bus', () => {
  it('runs the handler of exactly this type and passes its answer on', async () =>
    expect(await busWith().execute({ type: 'Add', amount: 1 })).toBe(2));

  it('passes a handler’s error on unchanged', async () => {
    const error = new PluginError('provider.quota', 'no');
    await expect(busWith().execute({ type: 'Fail', error })).rejects.toBe(error);
  });

  it.each(['add', 'Add ', 'AddMore', 'toString', '__proto__', 'constructor', ''])(
    'refuses the type %j, for which there is no handler',
    async (type) => {
      const bus = createBus<Record<string, Operation<Command, unknown>>>(
        { Add: async () => async () => 'done' },
        { name: 'query', correlationId: () => 'made-up', middleware: [] },
      );
      await expect(bus.execute({ type })).rejects.toMatchObject({
        code: 'handler.not-found',
        message: `no handler for the query ${type}`,
      });
    },
  );

  it('names the types it handles', () => expect(busWith().types).toEqual(['Add', 'Fail']));

  it('loads a handler only when its message comes', async () => {
    const loaded: string[] = [];
    const bus = createBus<Messages>(
      {
        Add: async () => {
          loaded.push('Add');
          return async () => 1;
        },
        Fail: async () => {
          loaded.push('Fail');
          return async () => '';
        },
      },
      { name: 'command', correlationId: () => 'made-up', middleware: [] },
    );
    expect(loaded).toEqual([]);
    await bus.execute({ type: 'Add', amount: 1 });
    expect(loaded).toEqual(['Add']);
  });
});

describe('middleware', () => {
  it('wraps the handler, outermost first', async () => {
    const steps: string[] = [];
    const step =
      (name: string): Middleware =>
      async (_message, _origin, next) => {
        steps.push(`${name} in`);
        const answer = await next();
        steps.push(`${name} out`);
        return answer;
      };
    await busWith(step('outer'), step('inner')).execute({ type: 'Add', amount: 1 });
    expect(steps).toEqual(['outer in', 'inner in', 'inner out', 'outer out']);
  });

  it('is told who asks', async () => {
    const origins: Origin[] = [];
    const listen: Middleware = (_message, origin, next) => {
      origins.push(origin);
      return next();
    };
    const bus = busWith(listen);
    await bus.execute({ type: 'Add', amount: 1 });
    await bus.execute({ type: 'Add', amount: 1, correlationId: 'c-1', userId: 'egoadmin', commandId: 'id-1' });
    expect(origins).toEqual([
      { correlationId: 'made-up' },
      { correlationId: 'c-1', userId: 'egoadmin', commandId: 'id-1' },
    ]);
  });
});

describe('logging', () => {
  it('says that a message runs and that it succeeded, in this order', async () => {
    const log = createRecordingLog();
    await busWith(logging(log)).execute({ type: 'Add', amount: 1, correlationId: 'c-1' });
    expect(log.lines).toEqual([
      { level: 'debug', code: 'bus.executing', text: 'Add', fields: { correlationId: 'c-1' } },
      { level: 'debug', code: 'bus.succeeded', text: 'Add', fields: { correlationId: 'c-1' } },
    ]);
  });

  it.each([
    [new PluginError('template.not-found', 'no such'), 'template.not-found', 'Fail: domain error: no such'],
    [new PluginError('provider.denied', 'not you'), 'provider.denied', 'Fail: infrastructure error: not you'],
    [new PluginError('storage.unwritable', 'full'), 'storage.unwritable', 'Fail: infrastructure error: full'],
    [new TypeError('ours'), 'internal', 'Fail: infrastructure error: ours'],
  ])('says that a message failed with %s, by its code', async (error, code, text) => {
    const log = createRecordingLog();
    await expect(busWith(logging(log)).execute({ type: 'Fail', error })).rejects.toBe(error);
    expect(log.codes()).toEqual(['bus.executing', 'bus.failed']);
    expect(log.lines[1]).toMatchObject({ level: 'error', text, fields: { correlationId: 'made-up', code } });
  });
});

describe('the types', () => {
  const options = { name: 'command', correlationId: () => '', middleware: [] } as const;

  it('do not allow a missing handler', () => {
    // @ts-expect-error - Fail has no handler
    createBus<Messages>({ Add: handlers.Add }, options);
  });

  it('do not allow a handler for a message that does not exist', () => {
    // @ts-expect-error - nobody sends Subtract
    createBus<Messages>({ ...handlers, Subtract: async () => async () => 1 }, options);
  });

  it('do not allow a handler with another answer', () => {
    // @ts-expect-error - Add answers with a number
    createBus<Messages>({ ...handlers, Add: async () => async () => 'two' }, options);
  });

  it('do not allow a handler of another message', () => {
    // @ts-expect-error - Fail's handler cannot take Add
    createBus<Messages>({ ...handlers, Add: handlers.Fail }, options);
  });

  it('do not allow a message that is not of its type', async () => {
    // @ts-expect-error - Add needs an amount
    await busWith().execute({ type: 'Add' });
    const send = busWith().execute;
    // @ts-expect-error - nobody handles Subtract
    await expect(send({ type: 'Subtract', amount: 1 })).rejects.toMatchObject({ code: 'handler.not-found' });
  });
});
