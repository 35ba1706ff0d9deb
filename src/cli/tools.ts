import type { Argv } from 'yargs';
import { metricsText } from '../application/read-model/metrics-text.ts';
import { PluginError } from '../domain/errors.ts';
import { parseJson } from '../json/parse-json.ts';
import type { CliContext, CommonOptions, Done } from './context.ts';
import { originOptions, show, withService } from './run.ts';

export const showMetrics = (context: CliContext, done: Done) => ({
  builder: (yargs: Argv<CommonOptions>) => yargs.example('hf-aws metrics', 'the same as GET /metrics of hf-aws serve'),
  handler: (options: CommonOptions) =>
    done(
      withService(context, options, async (service) => {
        await show(context, options, await service.getMetrics({ costs: true, ...originOptions(options) }), (metrics) =>
          metricsText(metrics).trimEnd(),
        );
        return 0;
      }),
    ),
});

export const listHandlers = (context: CliContext, done: Done) => ({
  builder: (yargs: Argv<CommonOptions>) => yargs,
  handler: (options: CommonOptions) =>
    done(
      withService(context, options, async ({ handlers }) => {
        await show(context, options, handlers, ({ commands, queries }) =>
          [...commands.map((type) => `command  ${type}`), ...queries.map((type) => `query    ${type}`)].join('\n'),
        );
        return 0;
      }),
    ),
});

const readMessage = async (text: string): Promise<{ readonly type: string }> => {
  const value = await parseJson(text);
  if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string') {
    return { ...value, type: value.type };
  }
  throw new PluginError('input.invalid', 'a message is a JSON object with a type');
};

/** For tests and tools: any message, as JSON. */
export const dispatchMessage = (context: CliContext, done: Done) => ({
  builder: (yargs: Argv<CommonOptions>) =>
    yargs
      .positional('message', { type: 'string', demandOption: true })
      .option('bus', { choices: ['command', 'query'] as const, default: 'command' as const }),
  handler: (options: CommonOptions & { message: string; bus: 'command' | 'query' }) =>
    done(
      withService(context, options, async (service) => {
        const answer = await service.dispatch(options.bus, {
          ...(await readMessage(options.message)),
          ...originOptions(options),
        });
        await show(context, { output: 'json' }, answer, String);
        return 0;
      }),
    ),
});
