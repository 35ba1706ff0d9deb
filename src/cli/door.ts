import type { ApplicationService } from '../application/bus/application-service.ts';
import type { ImportOrder, ImportReport, ServeOptions, SetUpAnswer, SetUpOrder } from '../application/ports/setup.ts';
import type { Observe, Progress } from '../application/ports/telemetry.ts';
import type { ListOfferingsAnswer } from '../application/queries/list-offerings.ts';
import type { AwsCall } from '../application/rehearsal.ts';
import { isPluginError, messageOf } from '../domain/errors.ts';
import { ReaderGoneError } from './output.ts';

/** A running emulator as the command line sees it. */
interface RunningEmulator {
  readonly url: string;
  close(): Promise<void>;
}

interface ComposeOptions {
  /** A registered provider, instead of the one that the environment tells. */
  readonly provider?: string | undefined;
  readonly correlationId?: () => string;
  readonly traceFile?: string;
  /** Whether to go on by the defaults where the configuration is no use: to tell what is wrong. */
  readonly forgives?: boolean;
  /** Is told how far long work has come. */
  readonly progress?: Progress;
  /** In the place of this process' own: for an instance other than the one it points to. */
  readonly env?: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line gets from the entry: it knows neither AWS nor the disk. */
export interface Door {
  readonly home: string;
  readonly version: string;
  readonly env: Environment;
  compose(options: ComposeOptions): Promise<{
    readonly service: ApplicationService;
    readonly log: { flush(): Promise<void> };
    readonly observe: Observe;
    /** Why nothing may be written: the work folder is another user's. */
    readonly stranger: string | undefined;
  }>;
  /** The same application, but nothing is sent to AWS and nothing is written; `calls` fills with what would be sent. */
  rehearse(
    provider: string | undefined,
  ): Promise<{ readonly service: ApplicationService; readonly calls: readonly AwsCall[] }>;
  /** Serves the REST door until the process is told to stop; resolves with the exit status. */
  serve(options: ServeOptions): Promise<number>;
  /** The providers that Host Factory knows; undefined where the environment does not tell where that is said. */
  providers(): Promise<{ readonly file: string; readonly providers: readonly RegisteredProvider[] } | undefined>;
  /** Writes the files of a provider instance; see `SetUpOrder`. */
  setUp(order: SetUpOrder): Promise<SetUpAnswer>;
  /** Takes another plug-in's files over; see `ImportOrder`. */
  importTree(order: ImportOrder): Promise<ImportReport>;
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

/** A command line that cannot be carried out: exit 2. */
export class UsageError extends Error {}

/** For yargs' `check`: a port, where 0 takes any free one. */
export const checkPort = ({ port }: { readonly port: number }): true => {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return true;
  throw new UsageError('--port must be a whole number from 0 to 65535');
};

interface RegisteredProvider {
  readonly name: string;
  readonly enabled: boolean;
  readonly plugin: string;
  readonly isOurs: boolean;
  readonly confPath: string;
  readonly workPath: string;
  readonly logPath: string;
}

/** Options every command has. */
export interface CommonOptions {
  readonly provider?: string | undefined;
  readonly json?: boolean | undefined;
  readonly user?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly traceFile?: string | undefined;
  /** All columns of tables, nothing cut. */
  readonly wide?: boolean | undefined;
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
export const withService = (
  door: Door,
  options: CommonOptions,
  act: (service: ApplicationService, may: { readonly write: boolean }) => Promise<number>,
  how: Pick<ComposeOptions, 'forgives' | 'env' | 'progress'> = {},
): Promise<number> =>
  reporting(door, options, async () => {
    const { correlationId, traceFile, provider } = options;
    const { service, log, observe, stranger } = await door.compose({
      ...how,
      provider,
      ...(correlationId === undefined ? {} : { correlationId: () => correlationId }),
      ...(traceFile === undefined ? {} : { traceFile }),
    });
    return observe({ kind: 'door', name: 'hf-aws' }, () => act(service, { write: stranger === undefined })).finally(
      () => log.flush(),
    );
  });

/** Runs the command as a rehearsal, then prints the AWS calls that would have gone out. */
export const withRehearsal = (
  door: Door,
  options: CommonOptions,
  act: (service: ApplicationService) => Promise<{
    readonly message: string;
    readonly avoided?: ListOfferingsAnswer['refused'];
    readonly due?: { readonly text: string };
  }>,
): Promise<number> =>
  reporting(door, options, async () => {
    const { service, calls } = await door.rehearse(options.provider);
    const { message, avoided, due } = await act(service);
    const rest = { ...(avoided === undefined ? {} : { avoided }), ...(due === undefined ? {} : { due }) };
    show(door, options, { assumed: message, ...rest, calls }, () =>
      [
        ...calls.map(({ service: name, action, input }) => `${name} ${action} ${JSON.stringify(input, null, 2)}`),
        `Nothing was sent or written. Where AWS grants everything, the answer is: ${message}`,
        ...(due === undefined ? [] : [`At the next look: ${due.text}`]),
      ].join('\n'),
    );
    return 0;
  });

export const reporting = async (door: Door, options: CommonOptions, act: () => Promise<number>): Promise<number> => {
  try {
    return await act();
  } catch (error) {
    // Neither is the command's own trouble.
    if (error instanceof UsageError || error instanceof ReaderGoneError) throw error;
    const code = isPluginError(error) ? error.code : 'internal';
    if (options.json === true) door.print(JSON.stringify({ error: { code, message: messageOf(error) } }, null, 2));
    else door.complain(`${code}: ${messageOf(error)}`);
    return 1;
  }
};

/** Columns. Without a terminal, or with one that does not tell (0), nothing is broken. */
const widthOfTerminal = (): number => process.stdout.columns || Number.POSITIVE_INFINITY;

/** Breaks a line between words where the terminal ends, going on `hang` columns from the left; other outputs keep it whole. */
export const fold = (line: string, hang: number, columns = widthOfTerminal()): string => {
  if (line.length <= columns) return line;
  const before = line.lastIndexOf(' ', columns);
  const cut = before > hang ? before : line.indexOf(' ', Math.max(columns, hang + 1));
  if (cut < 0) return line;
  return `${line.slice(0, cut)}\n${fold(' '.repeat(hang) + line.slice(cut + 1), hang, columns)}`;
};

const gap = 2;
/** No column is cut below this. */
const leastWidth = 8;

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);

interface TableLook {
  readonly columns?: number;
  /** Columns that are never cut, by their index. */
  readonly whole?: readonly number[];
}

/** Widths that fit: the widest column gives way first. */
const fitted = (wanted: readonly number[], heading: readonly string[], { columns, whole = [] }: TableLook) => {
  const widths = [...wanted];
  const least = heading.map((text, index) => (whole.includes(index) ? Infinity : Math.max(text.length, leastWidth)));
  let over = widths.reduce((sum, width) => sum + width, gap * (widths.length - 1)) - (columns ?? widthOfTerminal());
  while (over > 0) {
    const mayShrink = widths.map((width, index) => (width > (least[index] ?? 0) ? width : 0));
    const widest = mayShrink.indexOf(Math.max(...mayShrink));
    if ((mayShrink[widest] ?? 0) === 0) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return widths;
};

/** A table for people: columns as wide as their widest cell; on a narrow terminal the widest cells are cut. */
export const table = (
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  look: TableLook = {},
): string => {
  const all = [heading, ...rows];
  const wanted = heading.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const widths = fitted(wanted, heading, look);
  const rowText = (row: readonly string[]): string =>
    widths
      .map((width, column) => cut(row[column] ?? '', width).padEnd(width))
      .join(' '.repeat(gap))
      .trimEnd();
  return all.map(rowText).join('\n');
};

/** All fields of one thing; values go on below where the terminal ends. */
export const fieldTable = (fields: object, columns = widthOfTerminal()): string => {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(fields);
  const width = Math.max(...entries.map(([field]) => field.length), 'FIELD'.length);
  const textOf = (value: unknown): string => {
    if (typeof value === 'string') return value;
    return Number.isFinite(columns) ? JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, ' ') : JSON.stringify(value);
  };
  return [['FIELD', 'VALUE'] as const, ...entries]
    .map(([field, value]) => fold(`${field.padEnd(width)}  ${textOf(value)}`.trimEnd(), width + gap, columns))
    .join('\n');
};

/** JSON for machines, else what `render` makes for people. */
export const show = <T>(door: Door, { json }: CommonOptions, value: T, render: (value: T) => string): void =>
  door.print(json === true ? JSON.stringify(value, null, 2) : render(value));

/** What could not be read or verified: never silently. */
export const warn = (door: Door, warnings: readonly string[]): void => {
  for (const warning of warnings) door.complain(`warning: ${warning}`);
};
