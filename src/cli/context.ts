import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Account, Discovery } from '../application/ports/discovery.ts';
import type { Notifier } from '../application/ports/notices.ts';
import type { ReplayOrder, ReplayReport } from '../application/ports/replay.ts';
import type {
  AssistantOptions,
  ImportOrder,
  ImportReport,
  ServeOptions,
  SetUpAnswer,
  SetUpOrder,
  UnregisterOrder,
  Unregistration,
} from '../application/ports/setup.ts';
import type { Observe, Progress } from '../application/ports/telemetry.ts';
import type { AwsCall } from '../application/rehearsal.ts';
import type { Output } from './formats.ts';

/** A running emulator as the command line sees it. */
interface RunningEmulator {
  readonly url: string;
  close(): Promise<void>;
}

export interface ComposeOptions {
  /** A registered provider, instead of the one that the environment names. */
  readonly provider?: string | undefined;
  readonly correlationId?: () => string;
  readonly traceFile?: string;
  /** Whether to go on by the defaults where the configuration is no use: to tell what is wrong. */
  readonly forgives?: boolean;
  /** Hears how far long work has come. */
  readonly progress?: Progress;
  /** In the place of this process' own: for an instance other than the one it points to. */
  readonly env?: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line gets from the entry: it knows neither AWS nor the disk. */
export interface CliContext {
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
  /** Serves the REST API until the process is asked to stop; resolves with the exit status. */
  serve(options: ServeOptions): Promise<number>;
  /** Notifies people of trouble. */
  notifier(options: ComposeOptions): Promise<{
    readonly notifier: Notifier;
    readonly log: { flush(): Promise<void> };
  }>;
  /** Serves an assistant on standard input and output until it has no more to ask. */
  serveAssistant(options: AssistantOptions): Promise<number>;
  /** Providers registered with Host Factory; undefined where the environment does not tell where that is said. */
  providers(): Promise<{ readonly file: string; readonly providers: readonly RegisteredProvider[] } | undefined>;
  /** Writes the files of a provider instance; see `SetUpOrder`. */
  /** Why the value of an option of `init` cannot be taken; undefined where it can. */
  setUpFault(option: string, value: string): Promise<string | undefined>;
  setUp(order: SetUpOrder): Promise<SetUpAnswer>;
  /** Takes a provider out of Host Factory's files; without `apply` only reports what it would change. */
  unregister(order: UnregisterOrder): Promise<Unregistration>;
  /** Looks at an AWS account before there is a configuration. */
  discover(account: Account): Promise<Discovery>;
  /** The permissions that this needs. */
  initPolicy(): Promise<object>;
  /** Where somebody answers questions; undefined where nobody does. */
  terminal(): Promise<Terminal | undefined>;
  /** Takes another plug-in's files over; see `ImportOrder`. */
  importTree(order: ImportOrder): Promise<ImportReport>;
  /** Plays recorded calls of Host Factory against the emulator. */
  replay(order: ReplayOrder): Promise<ReplayReport>;
  startEmulator(options: {
    readonly port?: number;
    readonly host?: string;
    readonly stateFile?: string;
    readonly settings?: {
      readonly pendingMs?: number;
      readonly shuttingDownMs?: number;
      readonly nameAfterMs?: number;
      readonly tables?: readonly string[];
    };
  }): Promise<RunningEmulator>;
  /** Ends the process soon with that status, whatever still hangs in it, once its output is written. */
  abandon(status: number): void;
  /** Waits so many ms between two looks of a command that follows. Throws `ReaderGoneError` when nobody reads any more. */
  pause(ms: number): Promise<void>;
  print(text: string): void;
  complain(text: string): void;
}

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
  /** The form of the answer. */
  readonly output?: Output | undefined;
  /** The same as `output: 'json'`. */
  readonly json?: boolean | undefined;
  readonly user?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly traceFile?: string | undefined;
  /** The same as `output: 'wide'`: all columns of tables, nothing cut. */
  readonly wide?: boolean | undefined;
}

/** Takes the exit status of a command. */
export type Done = (code: Promise<number>) => Promise<void>;

/** Where questions are answered. */
export interface Terminal {
  ask(question: string): Promise<string>;
  close(): void;
}
