import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Command, createBus, type Operation } from '../../../../src/application/bus/bus.ts';
import { idempotent, validating } from '../../../../src/application/bus/middleware.ts';
import { messageProblems } from '../../../../src/json/message-problems.ts';
import { createAnswers } from '../../../../src/storage/answers.ts';
import { uuid } from '../../provider-world.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

interface Draw extends Command {
  readonly type: 'Draw';
  readonly of?: string;
}
interface Messages {
  readonly Draw: Operation<Draw, { readonly number: number }>;
}

/** A command that answers differently each time it is carried out. */
const start = async () => {
  const folder = await temporaryFolder();
  const state = { drawn: 0, fails: false };
  const draw = async () => {
    state.drawn++;
    if (state.fails) throw new Error('no');
    return { number: state.drawn };
  };
  const bus = () =>
    createBus<Messages>(
      { Draw: async () => draw },
      { name: 'command', correlationId: () => 'c', middleware: [idempotent(createAnswers(folder))] },
    );
  return { state, bus, folder };
};

describe('a command that comes again', () => {
  const command = { type: 'Draw', commandId: uuid(1) } as const;

  it('gets the same answer and is not carried out, also in another process and from another caller', async () => {
    const { bus, state } = await start();
    const first = await bus().execute(command);
    expect(await bus().execute({ ...command, userId: 'ana', correlationId: 'other' })).toEqual(first);
    expect(state.drawn).toBe(1);
  });

  it.each(['', '{"type":"Dr', '{}'])('is carried out again when its answer was cut off: %j', async (text) => {
    const { bus, folder } = await start();
    await mkdir(join(folder, 'answers'), { recursive: true });
    await writeFile(join(folder, 'answers', `${uuid(1)}.json`), text);
    expect(await bus().execute(command)).toEqual({ number: 1 });
  });

  it('is answered although the disk does not keep the answer', async () => {
    const { bus, folder } = await start();
    await symlink(join(folder, 'nowhere', 'at', 'all'), join(folder, 'answers'));
    expect(await bus().execute(command)).toEqual({ number: 1 });
  });

  it('is carried out again when it failed', async () => {
    const { bus, state } = await start();
    state.fails = true;
    await expect(bus().execute(command)).rejects.toThrow('no');
    state.fails = false;
    expect(await bus().execute(command)).toEqual({ number: 2 });
  });

  it('is refused when it is another command', async () => {
    const { bus } = await start();
    await bus().execute(command);
    await expect(bus().execute({ ...command, of: 'else' })).rejects.toMatchObject({ code: 'command.conflict' });
  });

  it('is told one answer, however many come at once', async () => {
    const { bus } = await start();
    const answers = await Promise.all(Array.from({ length: 10 }, () => bus().execute(command)));
    const { number } = await bus().execute(command);
    expect(answers.every((answer) => answer.number === number)).toBe(true);
  });

  it('needs an id that is a UUID; without an id it is carried out each time', async () => {
    const { bus } = await start();
    await expect(bus().execute({ type: 'Draw', commandId: '../x' })).rejects.toMatchObject({ code: 'input.invalid' });
    expect([await bus().execute({ type: 'Draw' }), await bus().execute({ type: 'Draw' })]).toEqual([
      { number: 1 },
      { number: 2 },
    ]);
  });
});

describe('the form of a message', () => {
  it.each([
    [{ type: 'CreateRequest', templateId: 'od', maxNumber: 1 }, []],
    [{ type: 'CreateRequest', templateId: 'od' }, ['maxNumber is required']],
    [
      { type: 'CreateRequest', templateId: '../x', maxNumber: 0 },
      [expect.stringContaining('templateId'), 'maxNumber must be at least 1'],
    ],
    [
      { type: 'ListRequests', status: 'x' },
      ['status must be one of running, complete, complete_with_error, cancelled'],
    ],
    [{ type: 'ListRequests', nonsense: 1 }, ['nonsense is not known here']],
    [{ type: 'SyncRequests', anything: 1 }, ['requestIds is required', 'anything is not known here']],
    [{ type: 'ClearOfferings', templateId: 7 }, ['templateId must be string']],
    [{ type: 'GetMetrics', commandId: uuid(1) }, ['commandId is not known here']],
  ])('%j', (message, problems) => expect(messageProblems(message)).toEqual(problems));

  it('is checked before the handler is reached', async () => {
    const bus = createBus<Messages>(
      { Draw: async () => async () => ({ number: 1 }) },
      { name: 'command', correlationId: () => 'c', middleware: [validating(async () => ['of is wrong'])] },
    );
    await expect(bus.execute({ type: 'Draw' })).rejects.toMatchObject({
      code: 'input.invalid',
      message: 'Draw: of is wrong',
    });
  });

  it('is told what is wrong in few words, whatever the names and the number of its fields', async () => {
    const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`${n}${'x'.repeat(10_000)}`, n]));
    const problems = await messageProblems({ type: 'ListRequests', ...fields });
    expect([problems.length, problems.filter((problem) => problem.length > 300)]).toEqual([1000, []]);
    const bus = createBus<Messages>(
      { Draw: async () => async () => ({ number: 1 }) },
      { name: 'command', correlationId: () => 'c', middleware: [validating(async () => problems)] },
    );
    const asked = bus.execute({ type: 'Draw' });
    await expect(asked).rejects.toThrow(/ is not known here; and 980 more problems$/);
  });
});
