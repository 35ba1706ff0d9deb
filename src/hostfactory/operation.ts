import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Logger } from '../application/ports/telemetry.ts';

interface Answer {
  /** The one JSON object for Host Factory. */
  readonly body: object;
  /** Work to do once the answer is out. */
  readonly afterwards?: () => Promise<void>;
}

/** What an operation of Host Factory's interface works with. */
interface OperationContext {
  readonly service: ApplicationService;
  readonly log: Logger;
  /** Of a call that may have been begun before: makes what it asks for the same command. A UUID. */
  readonly commandId?: string | undefined;
}

/** One of Host Factory's five operations: checks the input, asks the application, answers in Host Factory's words. */
export type Operation = (context: OperationContext, input: unknown) => Promise<Answer>;
