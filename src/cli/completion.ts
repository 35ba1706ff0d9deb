import type { ApplicationService } from '../application/bus/application-service.ts';
import { logLines } from '../application/ports/log-lines.ts';
import { eventTypes } from '../application/read-model/event-types.ts';
import { listFields } from '../application/read-model/listing.ts';
import type { CliContext } from './context.ts';
import { withService } from './run.ts';
import { snake } from './usage.ts';

const flag = '--get-yargs-completions';

/** Whether a shell asks how a line can go on: then nothing but that may be said. */
export const isCompletion = (argv: readonly string[]): boolean => argv.includes(flag);

/** The words of the line after the program's name, the last of them the one that is being written. */
const wordsOf = (argv: readonly string[]): readonly string[] => argv.slice(argv.indexOf(flag) + 2);

/** More than anybody reads through. */
const most = 200;

type Values = (service: ApplicationService, context: CliContext, current: string) => Promise<readonly string[]>;

/** As they are asked for: with `req-`, or the digits alone that tables show. */
const requests =
  (status?: 'running'): Values =>
  async (service, _context, current) => {
    const { items } = await service.listRequests({ limit: most, ...(status === undefined ? {} : { status }) });
    const isBare = /^[0-9a-f]/.test(current);
    return items.map(({ requestId }) => (isBare ? requestId.replace(/^re[qt]-/, '') : requestId));
  };

const machines =
  (status?: 'running'): Values =>
  async (service, _context, current) => {
    const { items } = await service.listMachines({
      limit: current === '' ? most : 10_000,
      ...(status === undefined ? {} : { status }),
    });
    return items.flatMap(({ machineId, name }) =>
      current === '' || current.startsWith('i') ? [machineId, name] : [name],
    );
  };

const templates: Values = async (service) =>
  (await service.listTemplates({ limit: 10_000 })).items.map(({ templateId }) => templateId);

const providers: Values = async (_service, context) =>
  ((await context.providers())?.providers ?? []).flatMap(({ name, isOurs }) => (isOurs ? [name] : []));

const words =
  (list: readonly string[]): Values =>
  () =>
    Promise.resolve(list);

/** What the arguments of a command are; all that follow are the last of them. */
const ofArguments: Readonly<Record<string, Values>> = {
  'requests show': requests(),
  'requests explain': requests(),
  'requests cancel': requests('running'),
  'requests watch': requests('running'),
  'requests create': templates,
  'machines show': machines(),
  'machines explain': machines(),
  'machines return': machines('running'),
  'machines set-status': machines(),
  'templates show': templates,
  'templates validate': templates,
  'templates explain-launch': templates,
  'templates plan': templates,
};
/** Those that take one only. */
const takesMany = 'machines return';

const ofOptions: Readonly<Record<string, Values>> = {
  '--request': requests(),
  '--template': templates,
  '--provider': providers,
  '--type': words(eventTypes),
};
const ofOptionsOf: Readonly<Record<string, Values>> = {
  'requests list --sort-by': words(listFields.requests.map(snake)),
  'machines list --sort-by': words(listFields.machines.map(snake)),
  'templates list --sort-by': words(listFields.templates.map(snake)),
  'logs --code': words(Object.keys(logLines)),
};

/** What the last word is to be; undefined where yargs knows it as well. */
const valuesOf = (line: readonly string[]): Values | undefined => {
  const before = line.slice(0, -1);
  const option = before.at(-1) ?? '';
  const command = before
    .filter((word) => !word.startsWith('-'))
    .slice(0, 2)
    .join(' ');
  if (option.startsWith('-')) {
    const [noun = ''] = command.split(' ');
    return ofOptionsOf[`${command} ${option}`] ?? ofOptionsOf[`${noun} ${option}`] ?? ofOptions[option];
  }
  const isFirst = before.length === 2 || before.slice(2).every((word) => word.startsWith('-'));
  return isFirst || command === takesMany ? ofArguments[command] : undefined;
};

/** How the line can go on by what is on record; undefined where that is not asked. A fault tells nothing: the person is writing. */
export const completionsOf = async (
  context: CliContext,
  argv: readonly string[],
): Promise<readonly string[] | undefined> => {
  const line = wordsOf(argv);
  const current = line.at(-1) ?? '';
  const values = current.startsWith('-') ? undefined : valuesOf(line);
  if (values === undefined) return undefined;
  const at = line.indexOf('--provider');
  const provider = at >= 0 && at < line.length - 2 ? line[at + 1] : undefined;
  const silent = { ...context, print: () => undefined, complain: () => undefined };
  let found: readonly string[] = [];
  await withService(silent, { provider }, async (service) => {
    found = await values(service, context, current);
    return 0;
  });
  return [...new Set(found)].filter((each) => each !== '' && each.startsWith(current));
};
