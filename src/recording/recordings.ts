import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { messageOf, PluginError } from '../domain/errors.ts';
import { filesInTarGz } from './archive.ts';
import { isJson, type Json, listOf } from './json-value.ts';
import { hourOf, isSettingsFile, type RecordedCall, type RecordedSettings } from './record-form.ts';

/** Calls in the order in which they began, with what was done at AWS after their answers. */
export interface Recordings {
  readonly calls: readonly RecordedCall[];
  /** By digest. */
  readonly settings: ReadonlyMap<string, RecordedSettings>;
  /** What could not be read, and was left out. */
  readonly warnings: readonly string[];
}

interface TextFile {
  readonly name: string;
  readonly text: string;
}

const isWanted = (path: string): boolean => hourOf(basename(path)) !== undefined || isSettingsFile(basename(path));

const filesIn = (folder: string): readonly TextFile[] => {
  const names = readdirSync(folder).filter(isWanted).sort();
  if (names.length === 0 && readdirSync(folder).includes('recordings')) return filesIn(join(folder, 'recordings'));
  return names.map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
};

const isCall = (line: Json): line is Json & RecordedCall =>
  ['call', 'at', 'version', 'operation', 'settings'].every((name) => typeof line[name] === 'string') &&
  !Number.isNaN(Date.parse(String(line['at']))) &&
  (line['status'] === 0 || line['status'] === 1) &&
  isJson(line['answer']) &&
  Array.isArray(line['aws']);

const isSettings = (value: unknown): value is RecordedSettings =>
  isJson(value) && typeof value['provider'] === 'string' && isJson(value['config']);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Reads a folder of recordings, a folder that holds one (a work folder, an unpacked bundle), or a bundle of `hf-aws support`. A line that
 * was never finished is left out and told of. Throws `input.unreadable` where there is none.
 */
export const readRecordings = (path: string): Recordings => {
  let files: readonly TextFile[];
  try {
    files = statSync(path).isDirectory()
      ? filesIn(path)
      : filesInTarGz(readFileSync(path)).flatMap(({ name, text }) =>
          isWanted(name) ? [{ name: basename(name), text }] : [],
        );
  } catch (cause) {
    throw new PluginError('input.unreadable', `cannot read recordings in ${path}: ${messageOf(cause)}`, { cause });
  }
  const settings = new Map<string, RecordedSettings>();
  const calls = new Map<string, RecordedCall>();
  const rests: Json[] = [];
  const warnings: string[] = [];
  for (const { name, text } of files) {
    if (isSettingsFile(name)) {
      const value = parsed(text);
      if (isSettings(value)) settings.set(name.slice('settings-'.length, -'.json'.length), value);
      else warnings.push(`${name} cannot be read`);
      continue;
    }
    const lines = text.split('\n').filter((line) => line !== '');
    const values = lines.map(parsed).filter(isJson);
    const found = values.filter(isCall);
    for (const call of found) calls.set(call.call, call);
    const after = values.filter((value) => typeof value['after'] === 'string' && Array.isArray(value['aws']));
    rests.push(...after);
    const lost = lines.length - found.length - after.length;
    if (lost > 0) warnings.push(`${name}: ${lost} of ${lines.length} lines left out, which were never finished`);
  }
  if (calls.size === 0) throw new PluginError('input.unreadable', `there are no recorded calls in ${path}`);
  for (const { after, aws } of rests) {
    const call = calls.get(String(after));
    if (call !== undefined) calls.set(call.call, { ...call, aws: [...call.aws, ...listOf(aws).filter(isExchange)] });
  }
  const inOrder = [...calls.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return { calls: inOrder, settings, warnings };
};

const isExchange = (value: unknown): value is RecordedCall['aws'][number] =>
  isJson(value) && typeof value['action'] === 'string';
