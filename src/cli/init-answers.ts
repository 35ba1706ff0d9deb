import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PluginError } from '../domain/errors.ts';
import type { CliContext } from './context.ts';
import { directoryOf, type InitOptions, instanceOf } from './init-options.ts';

/** What may be answered, and in which form. None of it is a secret. */
const forms = {
  directory: 'text',
  instance: 'text',
  kind: 'list',
  region: 'text',
  credentialsFile: 'text',
  instanceRole: 'flag',
  image: 'text',
  vpc: 'text',
  subnet: 'list',
  securityGroup: 'list',
  size: 'text',
  vmType: 'list',
  instanceProfile: 'text',
  keyName: 'text',
  fleetRole: 'text',
  groupName: 'text',
  clusterName: 'text',
  endpoint: 'text',
  plugin: 'text',
} as const;

export type AnswerName = keyof typeof forms;
export type Answers = Readonly<Partial<Record<AnswerName, unknown>>>;

const checks: Readonly<Record<(typeof forms)[AnswerName], readonly [(value: unknown) => boolean, string]>> = {
  text: [(value) => typeof value === 'string', 'a string'],
  list: [(value) => Array.isArray(value) && value.every((each) => typeof each === 'string'), 'a list of strings'],
  flag: [(value) => typeof value === 'boolean', 'true or false'],
};

const isAnswer = (name: string): name is AnswerName => Object.hasOwn(forms, name);

const invalid = (file: string, rule: string): PluginError => new PluginError('input.invalid', `${file}: ${rule}`);

/** Throws `input.unreadable` and `input.invalid`, which names file, field and rule. */
export const readAnswers = async (file: string): Promise<Answers> => {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PluginError('input.unreadable', `answers cannot be read: ${messageOf(cause)}`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, messageOf(cause));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(file, 'must be a JSON object');
  for (const [name, each] of Object.entries(value)) {
    if (!isAnswer(name)) throw invalid(file, `${name} is not an answer; these are ${Object.keys(forms).join(', ')}`);
    const [check, form] = checks[forms[name]];
    if (!check(each)) throw invalid(file, `${name} must be ${form}`);
  }
  return value;
};

const isOpen = (value: unknown): boolean =>
  value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0);

/** The options with answers where they say nothing. */
export const answered = (options: InitOptions, answers: Answers): InitOptions => ({
  ...options,
  ...Object.fromEntries(
    Object.entries(answers).filter(([name]) => isOpen(new Map<string, unknown>(Object.entries(options)).get(name))),
  ),
});

/** Beside the configuration. */
const fileFor = (context: CliContext, options: InitOptions): string | undefined => {
  const directory = directoryOf(context, options);
  return directory === undefined ? undefined : join(directory, `${instanceOf(context, options)}prov_answers.json`);
};

/** What an earlier dialogue was answered, which did not come to its end. */
export const keptAnswers = async (
  context: CliContext,
  options: InitOptions,
): Promise<{ readonly file: string; readonly answers: Answers } | undefined> => {
  const file = fileFor(context, options);
  return file === undefined || !existsSync(file) ? undefined : { file, answers: await readAnswers(file) };
};

/** Keeps them, so that an interrupted dialogue goes on where it stopped. Throws what the folder gives. */
export const keepAnswers = async (context: CliContext, options: InitOptions, answers: Answers): Promise<void> => {
  const file = fileFor(context, options);
  if (file === undefined) return;
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, `${JSON.stringify(answers, null, 2)}\n`, { mode: 0o600 });
};
