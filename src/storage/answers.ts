import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answered, Answers } from '../application/bus/middleware.ts';
import { hasCode, PluginError } from '../domain/errors.ts';
import { createFile, readIfPresent } from './atomic-file.ts';

const commandIdForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const nameForm = /^(.+)\.json$/;

/** The ids of the commands whose answers are kept in a work directory. */
export const answeredCommands = async (workDirectory: string): Promise<readonly string[]> => {
  const names = await readdir(join(workDirectory, 'answers')).catch(() => []);
  return names.flatMap((name) => nameForm.exec(name)?.[1] ?? []).filter((id) => commandIdForm.test(id));
};

/**
 * Answers of commands that came with an id of their own: `answers/<command id>.json`, written once, private to the owner. Not on disk
 * when they resolve where `isDurable` says so: should the host lose power, the command runs again, as it does where a file was cut off.
 */
export const createAnswers = (
  workDirectory: string,
  isDurable: () => boolean = () => true,
): Answers & { forgetBefore(time: number): Promise<void> } => {
  const folder = join(workDirectory, 'answers');
  const pathOf = (commandId: string): string => join(folder, `${checkedCommandId(commandId)}.json`);
  const find = async <A>(commandId: string): Promise<Answered<A> | undefined> => {
    const text = await readIfPresent(pathOf(commandId));
    // Cut off by a full disk or a crash: the command runs again, and its handler finds what is on record under the id.
    return readAnswered<A>(text);
  };
  return {
    find,
    keep: async <A>(commandId: string, answered: Answered<A>): Promise<Answered<A>> => {
      const creating = createFile(pathOf(commandId), JSON.stringify(answered), { isDurable: isDurable() });
      const isMine = await creating.catch((error: unknown) => {
        // The command was carried out: its answer goes out, though it cannot be repeated.
        if (!hasCode(error, 'storage.unwritable')) throw error;
        return true;
      });
      return isMine ? answered : ((await find<A>(commandId)) ?? answered);
    },
    forgetBefore: async (time) => {
      for (const name of await readdir(folder).catch(() => [])) {
        const known = await stat(join(folder, name)).catch(() => undefined);
        if (known !== undefined && known.mtimeMs < time) await unlink(join(folder, name)).catch(() => undefined);
      }
    },
  };
};

/** Throws `input.invalid` for an id that is none. */
export const checkedCommandId = (commandId: string): string => {
  if (commandIdForm.test(commandId)) return commandId;
  throw new PluginError('input.invalid', `the command id "${commandId}" is not a UUID`);
};

/** A stored answer; undefined for a text that is none. */
export const readAnswered = <A>(text: string | undefined): Answered<A> | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isAnswered<A>(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const isAnswered = <A>(value: unknown): value is Answered<A> =>
  typeof value === 'object' && value !== null && 'type' in value && 'asked' in value && 'answer' in value;
