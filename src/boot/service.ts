import { type ApplicationService, createApplicationService } from '../application/bus/application-service.ts';
import { type Command, createBus, logging, type Middleware } from '../application/bus/bus.ts';
import {
  type Answers,
  idempotent,
  noticingChanges,
  observing,
  refusingChanges,
  validating,
} from '../application/bus/middleware.ts';
import {
  type CommandPorts,
  type Commands,
  commandHandlers,
  type Queries,
  type QueryPorts,
  queryHandlers,
} from '../application/handlers.ts';
import type { Logger, Observe } from '../application/ports/telemetry.ts';
import { administration } from './lazily.ts';

export interface ServiceOptions {
  readonly correlationId: () => string;
  readonly log: Logger;
  readonly observe: Observe;
  readonly answers: Answers;
  /** Whether messages come from people and other programs: then their form is checked. the scripts check their own. */
  readonly validates: () => boolean;
  /** For commands that bring none. */
  readonly commandId: () => string;
  /** Whether somebody wants to see each stage in a trace. */
  readonly traces: boolean;
  /** Why nothing may be changed. */
  readonly stranger: string | undefined;
  /** Called when a command begins that may change something. */
  readonly begins?: () => void;
}

/** The buses over all handlers, and what every message passes on its way, outermost first. */
export const createService = (
  ports: CommandPorts & QueryPorts,
  {
    correlationId,
    commandId,
    log,
    observe,
    answers,
    validates,
    traces,
    stranger,
    begins = () => undefined,
  }: ServiceOptions,
): ApplicationService => {
  const problemsOf = async (message: Command) => (validates() ? (await administration()).messageProblems(message) : []);
  const middleware: readonly Middleware[] = [
    observing(observe, 'operation'),
    logging(log),
    validating(problemsOf),
    idempotent(answers),
    ...(traces ? [observing(observe, 'handler')] : []),
  ];
  return createApplicationService(
    createBus<Commands>(commandHandlers(ports), {
      name: 'command',
      correlationId,
      commandId,
      middleware: [refusingChanges(stranger), noticingChanges(begins), ...middleware],
    }),
    createBus<Queries>(queryHandlers(ports), { name: 'query', correlationId, middleware }),
  );
};
