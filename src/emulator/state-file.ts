import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isObject } from './invalid-input.ts';
import { readSettings } from './settings.ts';
import { hasCollections, type SavedWorld } from './world.ts';

// Changes within this time are saved together.
const debounceMs = 50;
const format = 2;

interface Document extends SavedWorld {
  readonly hostfactoryEmulator: typeof format;
}

// Only the frame is checked: the emulator itself wrote what is in it.
const isDocument = (value: unknown): value is Document =>
  isObject(value) &&
  value['hostfactoryEmulator'] === format &&
  typeof value['seed'] === 'string' &&
  typeof value['lastNumber'] === 'number' &&
  typeof value['describeCalls'] === 'number' &&
  hasCollections(value);

const parse = (file: string, text: string): SavedWorld => {
  try {
    const saved: unknown = JSON.parse(text, (_, value: unknown) =>
      isObject(value) && Array.isArray(value['$map']) ? new Map(value['$map']) : value,
    );
    // A state of before there were tables is one without any.
    const document: unknown = isObject(saved) ? { tables: new Map(), ...saved } : saved;
    if (!isDocument(document)) throw new Error(`it is not an emulator state of format ${format}`);
    readSettings(document.settings);
    return document;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`emulator state file ${file} is unreadable and was left as it is: ${why}`, { cause });
  }
};

const isMissing = (error: unknown): boolean => isObject(error) && error['code'] === 'ENOENT';

/** The world saved in `file`; undefined if there is no such file. Fails naming the file if it is anything else. */
export const loadState = async (file: string): Promise<SavedWorld | undefined> => {
  try {
    return parse(file, await readFile(file, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const write = async (file: string, world: SavedWorld): Promise<void> => {
  const temporary = `${file}.${process.pid}.tmp`;
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(
      JSON.stringify({ hostfactoryEmulator: format, ...world }, (_, value: unknown) =>
        value instanceof Map ? { $map: [...value] } : value,
      ),
    );
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
};

interface StateSaver {
  /** Saves soon; many changes in a row become one save. */
  soon(): void;
  /** Saves what is unsaved and waits for it; fails if the last save did. */
  flush(): Promise<void>;
}

/** Keeps `file` up to date with what `current` gives, one write at a time, each atomic. */
export const createStateSaver = (file: string, current: () => SavedWorld): StateSaver => {
  let isDirty = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown;

  const saveIfDirty = async (): Promise<void> => {
    if (!isDirty) return;
    isDirty = false;
    try {
      await write(file, current());
      failure = undefined;
    } catch (error) {
      isDirty = true;
      failure = error;
    }
  };
  const save = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(saveIfDirty);
    return writing;
  };
  return {
    soon: () => {
      isDirty = true;
      timer ??= setTimeout(() => void save(), debounceMs);
    },
    flush: async () => {
      await save();
      if (failure !== undefined) throw new Error(`emulator state file ${file} cannot be written`, { cause: failure });
    },
  };
};
