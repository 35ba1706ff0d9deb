import { PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { command } from './command.ts';
import { originOptions, show, withService } from './run.ts';

export const handlers = command(
  'handlers',
  false,
  (yargs) => yargs,
  (context, options) =>
    withService(context, options, async (service) => {
      await show(context, options, service.handlers, ({ commands, queries }) =>
        [...commands.map((type) => `command  ${type}`), ...queries.map((type) => `query    ${type}`)].join('\n'),
      );
      return 0;
    }),
);

const readMessage = async (text: string): Promise<{ readonly type: string }> => {
  const value = await parseJson(text);
  if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string') {
    return { ...value, type: value.type };
  }
  throw new PluginError('input.invalid', 'a message is a JSON object with a type');
};

/** For tests and tools: any message, as JSON. */
export const dispatch = command(
  'dispatch <message>',
  false,
  (yargs) =>
    yargs
      .positional('message', { type: 'string', demandOption: true })
      .option('bus', { choices: ['command', 'query'] as const, default: 'command' as const }),
  (context, options) =>
    withService(context, options, async (service) => {
      const message = { ...(await readMessage(options.message)), ...originOptions(options) };
      await show(context, { output: 'json' }, await service.dispatch(options.bus, message), String);
      return 0;
    }),
);
