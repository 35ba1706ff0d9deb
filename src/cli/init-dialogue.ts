import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AnswersSoFar, Choice, Choosable, Discovery } from '../application/ports/discovery.ts';
import { isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import type { CliContext, Terminal } from './context.ts';
import { type Answers, answered, keepAnswers, keptAnswers } from './init-answers.ts';
import { directoryOf, type InitOptions, instanceOf, textOr, words } from './init-options.ts';
import { type Question, questions } from './init-questions.ts';
import { fold } from './table.ts';

const isChoosable = (choices: Question['choices']): choices is Choosable => typeof choices === 'string';

const listText = (choices: readonly Choice[]): string => {
  // What is longer than most pushes only its own line apart.
  const wide = Math.min(26, Math.max(...choices.map(({ value }) => value.length)));
  const digits = String(choices.length).length;
  return choices
    .map(({ value, about }, index) =>
      fold(`  ${String(index + 1).padStart(digits)}  ${value.padEnd(wide)}  ${about}`.trimEnd(), digits + 4),
    )
    .join('\n');
};

/** Until these are answered AWS cannot be asked: folder, kinds, Region, credentials. */
const toReachAws = questions.slice(0, 4);

/** The values of an answer, the numbers of a list replaced by its entries. Without a list the answer is one value. */
const valuesOf = ({ choices: list, name }: Question, answer: string, choices: readonly Choice[]): readonly string[] => {
  if (list === undefined && name !== 'size') return answer === '' ? [] : [answer];
  return words(answer).map((word) => (/^\d+$/.test(word) ? (choices[Number(word) - 1]?.value ?? word) : word));
};

const goingOn = (file: string): string => fold(`Going on with the answers in ${file}; remove it to begin anew.`, 2);

/** Before somebody answers a dozen questions in vain. Throws `input.invalid`. */
const refuseToReplace = (context: CliContext, options: InitOptions): void => {
  const directory = directoryOf(context, options);
  if (directory === undefined || options.force) return;
  const file = join(directory, `${instanceOf(context, options)}prov_config.json`);
  if (existsSync(file))
    throw new PluginError(
      'input.invalid',
      `${file} is there already: --force replaces it and keeps a copy, --instance chooses another name`,
    );
};

interface State {
  options: InitOptions;
  answers: Answers;
  discovery: Discovery | undefined;
}

const soFar = ({ options, answers }: State): AnswersSoFar => {
  const [cores = 0, memoryGiB = 0] = words(String(answers.size ?? '')).map(Number);
  return {
    image: textOr(options.image),
    vpc: textOr(String(answers.vpc ?? '')),
    subnets: options.subnet,
    cores,
    memoryGiB,
  };
};

/** One dialogue at a terminal. */
const createDialogue = (context: CliContext, terminal: Terminal, given: InitOptions, answers: Answers) => {
  const state: State = { options: answered(given, answers), answers, discovery: undefined };

  /** The folder that is named may hold what was answered before. */
  const recall = async (): Promise<void> => {
    const kept = await keptAnswers(context, state.options);
    if (kept === undefined) return;
    context.print(goingOn(kept.file));
    state.answers = { ...kept.answers, ...state.answers };
    state.options = answered(given, state.answers);
  };

  const learn = async (more: Answers): Promise<void> => {
    state.answers = { ...state.answers, ...more };
    state.options = answered(given, state.answers);
    if ('directory' in more) await recall();
    refuseToReplace(context, state.options);
    await keepAnswers(context, state.options, state.answers);
  };

  const forget = (...names: readonly string[]): void => {
    state.answers = Object.fromEntries(Object.entries(state.answers).filter(([name]) => !names.includes(name)));
    state.options = answered(given, state.answers);
  };

  const choicesFor = async ({ choices = [] }: Question): Promise<readonly Choice[]> => {
    if (!isChoosable(choices)) return choices;
    if (state.discovery === undefined) return [];
    const { choices: found, why } = await state.discovery.list(choices, soFar(state));
    if (why !== undefined) context.print(fold(`  ${why}`, 2));
    return found;
  };

  const faultOf = async (question: Question, values: readonly string[]): Promise<string | undefined> => {
    const { choices } = question;
    const own = await question.fault?.(context, values);
    if (own !== undefined || !isChoosable(choices)) return own;
    return state.discovery?.fault(choices, values, soFar(state));
  };

  /** Why an answer cannot be taken. */
  const ruleFor = async (question: Question, values: readonly string[]): Promise<string | undefined> => {
    if (values.length > 1 && question.fill === undefined) return 'one answer is needed, not several';
    if (values.length > 0) return faultOf(question, values);
    return question.flag === undefined ? undefined : 'it is needed';
  };

  const put = async (question: Question): Promise<void> => {
    const choices = await choicesFor(question);
    if (question.needsChoice === true && choices.length < 2) return;
    if (choices.length > 0) context.print(listText(choices));
    for (;;) {
      const answer = (await terminal.ask(`${question.ask}: `)).trim();
      const values = valuesOf(question, answer, choices);
      const rule = await ruleFor(question, values);
      if (rule === undefined) return learn(question.fill?.(values) ?? { [question.name]: values[0] ?? '' });
      context.print(fold(`  ${rule}`, 2));
    }
  };

  const isDue = (question: Question): boolean =>
    !(question.flag === undefined && question.name in state.answers) &&
    !(question.needsAws === true && state.discovery === undefined) &&
    question.isOpen(context, state.options);

  const putAll = async (asked: readonly Question[]): Promise<void> => {
    for (const question of asked) if (isDue(question)) await put(question);
  };

  /** Why AWS cannot be asked; undefined where it can. */
  const connect = async (): Promise<PluginError | undefined> => {
    const { region = '', credentialsFile, endpoint } = state.options;
    try {
      const found = await context.discover({ region, credentialsFile: textOr(credentialsFile), endpoint });
      context.print(fold(`  ${await found.who()}`, 2));
      state.discovery = found;
      return undefined;
    } catch (fault) {
      if (isPluginError(fault)) return fault;
      throw fault;
    }
  };

  /** The answers that a fault speaks against, of those that were given here. */
  const blamed = ({ code, aws }: PluginError): readonly string[] => {
    const isPlace = aws?.code === 'ENOTFOUND';
    const isRefused = code === 'provider.denied' || code.startsWith('configuration.');
    const names = isPlace ? ['region'] : isRefused ? ['credentialsFile', 'instanceRole'] : [];
    return names.filter((name) => name in state.answers);
  };

  /** Reaches AWS; where answers are at fault, they are asked for again, with the reason. The same answer goes on without lists. */
  const reach = async (before?: string): Promise<void> => {
    await putAll(toReachAws);
    const fault = given.aws ? await connect() : undefined;
    if (fault === undefined) return;
    context.print(fold(`  ${messageOf(fault)}`, 2));
    const names = blamed(fault);
    const tried = JSON.stringify(state.answers);
    if (names.length === 0 || tried === before) return context.print('  Going on without lists: answer by id.');
    context.print('  Answer again; the same answer goes on without lists.');
    forget(...names);
    return reach(tried);
  };

  return async (): Promise<InitOptions> => {
    await reach();
    await putAll(questions);
    return state.options;
  };
};

/** Asks for what is missing, where somebody is there to answer. Throws `input.invalid` with all flags where nobody is. */
export const complete = async (context: CliContext, given: InitOptions): Promise<InitOptions> => {
  const kept = await keptAnswers(context, given);
  const known = answered(given, kept?.answers ?? {});
  const missing = questions.flatMap(({ flag, isOpen }) => (flag !== undefined && isOpen(context, known) ? [flag] : []));
  if (kept !== undefined) context.complain(goingOn(kept.file));
  if (missing.length === 0) return known;
  const terminal = given.json === true ? undefined : await context.terminal();
  if (terminal === undefined) {
    throw new PluginError('input.invalid', `missing, and no terminal to ask at:\n  ${missing.join('\n  ')}`);
  }
  refuseToReplace(context, known);
  context.print('Answer by number, by id or in words of your own; Ctrl-C keeps what was answered.');
  try {
    return await createDialogue(context, terminal, given, kept?.answers ?? {})();
  } finally {
    terminal.close();
  }
};
