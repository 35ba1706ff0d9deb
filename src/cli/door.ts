import type { ApplicationService } from '../application/application-service.ts';
import type { Observe, ServeOptions } from '../application/ports.ts';
import { isPluginError, messageOf } from '../domain/errors.ts';

/** A running emulator as the command line sees it. */
interface RunningEmulator {
  readonly url: string;
  close(): Promise<void>;
}

/** What the command line gets from the entry: it knows neither AWS nor the disk. */
export interface Door {
  readonly home: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  compose(options: { readonly correlationId?: () => string; readonly traceFile?: string }): Promise<{
    readonly service: ApplicationService;
    readonly log: { flush(): Promise<void> };
    readonly observe: Observe;
  }>;
  /** Serves the REST door until the process is told to stop; resolves with the exit status. */
  serve(options: ServeOptions): Promise<number>;
  startEmulator(options: {
    readonly port?: number;
    readonly host?: string;
    readonly stateFile?: string;
    readonly settings?: {
      readonly pendingMs?: number;
      readonly shuttingDownMs?: number;
      readonly nameAfterMs?: number;
    };
  }): Promise<RunningEmulator>;
  print(text: string): void;
  complain(text: string): void;
}

/** Options every command has. */
export interface CommonOptions {
  readonly json?: boolean | undefined;
  readonly user?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly traceFile?: string | undefined;
}

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
export const withService = async (
  door: Door,
  options: CommonOptions,
  act: (service: ApplicationService) => Promise<number>,
): Promise<number> => {
  let log: { flush(): Promise<void> } | undefined;
  try {
    const { correlationId, traceFile } = options;
    const application = await door.compose({
      ...(correlationId === undefined ? {} : { correlationId: () => correlationId }),
      ...(traceFile === undefined ? {} : { traceFile }),
    });
    log = application.log;
    return await application.observe({ kind: 'door', name: 'hf-aws' }, () => act(application.service));
  } catch (error) {
    const code = isPluginError(error) ? error.code : 'internal';
    if (options.json === true) door.print(JSON.stringify({ error: { code, message: messageOf(error) } }, null, 2));
    else door.complain(`${code}: ${messageOf(error)}`);
    return 1;
  } finally {
    await log?.flush();
  }
};

/** A table for people: columns as wide as their widest cell. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** JSON for machines, else what `render` makes for people. */
export const show = <T>(door: Door, { json }: CommonOptions, value: T, render: (value: T) => string): void =>
  door.print(json === true ? JSON.stringify(value, null, 2) : render(value));

/** What could not be read or verified: never silently. */
export const warn = (door: Door, warnings: readonly string[]): void => {
  for (const warning of warnings) door.complain(`warning: ${warning}`);
};

/** `key=value` options as an object. */
export const readPairs = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const split = pair.indexOf('=');
      return split < 0 ? [pair, ''] : [pair.slice(0, split), pair.slice(split + 1)];
    }),
  );
