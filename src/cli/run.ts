import type { ApplicationService } from '../application/bus/application-service.ts';
import type { ListOfferingsAnswer } from '../application/queries/list-offerings.ts';
import { isPluginError, messageOf } from '../domain/errors.ts';
import type { CliContext, CommonOptions, ComposeOptions } from './context.ts';
import { csvOf, namesOf, type Output, type Records } from './formats.ts';
import { ReaderGoneError } from './output.ts';

/** A command line that cannot be carried out: exit 2. */
export class UsageError extends Error {}

/** For yargs' `check`: a port, where 0 takes any free one. */
export const checkPort = ({ port }: { readonly port: number }): true => {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return true;
  throw new UsageError('--port must be a whole number from 0 to 65535');
};

export const originOptions = ({ user, correlationId }: CommonOptions) => ({
  ...(user === undefined ? {} : { userId: user }),
  ...(correlationId === undefined ? {} : { correlationId }),
});

/** The same for a command, which may bring an id of its own. */
export const commandOptions = (options: CommonOptions & { readonly commandId?: string | undefined }) => ({
  ...originOptions(options),
  ...(options.commandId === undefined ? {} : { commandId: options.commandId }),
});

/** Runs a command against the application; a fault is printed as one line with its code, exit 1. */
export const withService = (
  context: CliContext,
  options: CommonOptions,
  act: (service: ApplicationService, may: { readonly write: boolean }) => Promise<number>,
  how: Pick<ComposeOptions, 'forgives' | 'env' | 'progress'> = {},
): Promise<number> =>
  reporting(context, options, async () => {
    const { correlationId, traceFile, provider } = options;
    const { service, log, observe, stranger } = await context.compose({
      ...how,
      provider,
      ...(correlationId === undefined ? {} : { correlationId: () => correlationId }),
      ...(traceFile === undefined ? {} : { traceFile }),
    });
    return observe({ kind: 'entry', name: 'hf-aws' }, () => act(service, { write: stranger === undefined })).finally(
      () => log.flush(),
    );
  });

/** Runs the command as a rehearsal, then prints the AWS calls that would have gone out. */
export const withRehearsal = (
  context: CliContext,
  options: CommonOptions,
  act: (service: ApplicationService) => Promise<{
    readonly message: string;
    readonly avoided?: ListOfferingsAnswer['refused'];
    readonly due?: { readonly text: string };
  }>,
): Promise<number> =>
  reporting(context, options, async () => {
    const { service, calls } = await context.rehearse(options.provider);
    const { message, avoided, due } = await act(service);
    const rest = { ...(avoided === undefined ? {} : { avoided }), ...(due === undefined ? {} : { due }) };
    await show(context, options, { assumed: message, ...rest, calls }, () =>
      [
        ...calls.map(({ service: name, action, input }) => `${name} ${action} ${JSON.stringify(input, null, 2)}`),
        `Nothing was sent or written. Where AWS grants everything, the answer is: ${message}`,
        ...(due === undefined ? [] : [`Next step: ${due.text}`]),
      ].join('\n'),
    );
    return 0;
  });

export const reporting = async (
  context: CliContext,
  options: CommonOptions,
  act: () => Promise<number>,
): Promise<number> => {
  try {
    return await act();
  } catch (error) {
    // Neither is the command's own trouble.
    if (error instanceof UsageError || error instanceof ReaderGoneError) throw error;
    const code = isPluginError(error) ? error.code : 'internal';
    if (options.json === true) context.print(JSON.stringify({ error: { code, message: messageOf(error) } }, null, 2));
    else context.complain(`${code}: ${messageOf(error)}`);
    return 1;
  }
};

/** An answer in the form that was asked for; `render` makes the one for people. What has no `records` is never asked for as rows. */
export const show = async <T, R extends object = never>(
  context: CliContext,
  { json, output = json === true ? 'json' : 'table' }: CommonOptions,
  value: T,
  render: (value: T) => string | Promise<string>,
  records?: Records<R>,
): Promise<void> => {
  const textOf: Readonly<Record<Output, () => string | Promise<string>>> = {
    table: () => render(value),
    wide: () => render(value),
    json: () => JSON.stringify(value, null, 2),
    yaml: async () => (await import('./yaml.ts')).yamlOf(value),
    csv: () => (records === undefined ? '' : csvOf(records)),
    name: () => (records === undefined ? '' : namesOf(records)),
  };
  const text = await textOf[output]();
  if (text !== '' || output !== 'name') context.print(text);
};

/** What could not be read or verified: never silently. */
export const warn = (context: CliContext, warnings: readonly string[]): void => {
  for (const warning of warnings) context.complain(`warning: ${warning}`);
};
