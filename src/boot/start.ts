import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { readEnvironment } from '../config/environment.ts';
import { holdsStore } from '../storage/store-id.ts';
import { type CompiledPart, readCompiled, writeCompiled } from './code-cache.ts';

/** Each file is one function of type `Part`, and ends with a comment that tells its content: `//<16 hex digits>\n`. */
const idLength = 17;

type Require = (name: string) => unknown;
type Part = (require: Require, filename: string, directory: string, module: object, exports: object) => void;

const orNothing = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/**
 * The work folder keeps compiled code beside other facts: only there may every installation write, and only the user of its files.
 * The folder itself may be a group's.
 */
const cacheFolders = (): readonly [string, string] | undefined => {
  const { workDir } = readEnvironment(process.env);
  const cache = join(workDir, 'cache');
  const ownerOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.uid;
  const owner = ownerOf(cache) ?? ownerOf(join(workDir, 'store-id')) ?? ownerOf(workDir) ?? process.geteuid?.();
  if (owner !== process.geteuid?.() && process.platform !== 'win32') return undefined;
  return [cache, join(cache, 'code')];
};

/**
 * Runs the program, loading each of its files as Node's `require` would, but with the code V8 compiled in an earlier run of
 * the same verb. A cache that is missing, stale, damaged or not to be trusted costs time and nothing else.
 */
export const start = (nodeRequire: Require, directory: string): void => {
  const verb = process.argv[2] ?? '';
  const file = `${/^[A-Za-z]{1,40}$/.test(verb) ? verb : 'main'}-${process.version}-${process.arch}`;
  const folders = orNothing(cacheFolders);
  const kept = (folders && orNothing(() => readCompiled(folders[1], file))) ?? [];
  const loaded = new Map<
    string,
    { readonly id: string; readonly script: Script; readonly module: { exports: object } }
  >();
  let isComplete = true;

  const load = (name: string): object => {
    const known = loaded.get(name);
    if (known !== undefined) return known.module.exports;
    const filename = join(directory, name);
    const source = readFileSync(filename, 'latin1');
    const id = source.slice(-idLength);
    const cachedData = kept.find((part) => part.name === name && part.id === id)?.code;
    const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
    if (cachedData === undefined || script.cachedDataRejected === true) isComplete = false;
    const module = { exports: {} };
    loaded.set(name, { id, script, module });
    const run: Part = script.runInThisContext();
    run(require, filename, dirname(filename), module, module.exports);
    return module.exports;
  };
  const require: Require = (name) => (name.startsWith('./') ? load(name) : nodeRequire(name));

  // A rehearsal promises that nothing is written, a look that it makes nothing where nothing is. Only Host Factory's verbs have capitals.
  const isRehearsal = process.argv.some((word) => word === '--dry-run' || word === 'explain-launch');
  const mayWrite = ([cache]: readonly [string, string]): boolean =>
    !isRehearsal && (/[A-Z]/.test(verb) || holdsStore(dirname(cache)));
  process.on('exit', (code) => {
    if (isComplete || folders === undefined || (code !== 0 && code !== 10) || !mayWrite(folders)) return;
    const compiled = (): readonly CompiledPart[] =>
      [...loaded].map(([name, { id, script }]) => ({ name, id, code: script.createCachedData() }));
    orNothing(() => writeCompiled(folders, file, compiled));
  });
  load('./main.cjs');
};
