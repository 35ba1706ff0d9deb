/** What serves assistants: a part of its own. */
import { readFile } from 'node:fs/promises';
import type { AssistantOptions } from '../../application/ports/setup.ts';
import type { Environment } from '../../config/environment.ts';
import { secretsIn } from '../../json/redact.ts';
import type { ToolUser } from '../../mcp/tools.ts';
import { answerHttp, type HttpCall, serveStdio } from '../../mcp/transports.ts';
import type { Application, ComposeOptions } from '../composition.ts';

interface AssistantPlace {
  readonly env: Environment;
  readonly version: string;
}

/** Secrets that answers must not hold. */
const secretsOf = async ({ env }: AssistantPlace, { config }: Application): Promise<readonly string[]> => {
  const file = config.AWS_CREDENTIAL_FILE;
  return secretsIn(env, file === undefined ? '' : await readFile(file, 'utf8').catch(() => ''));
};

/** Answers one call over HTTP. */
export const answerAssistant = async (
  place: AssistantPlace,
  application: Application,
  asked: {
    readonly user: ToolUser & { readonly name?: string | undefined };
    readonly correlationId: string;
    readonly call: HttpCall;
  },
): Promise<Response> => {
  const { service, log, observe } = application;
  const { user, correlationId, call } = asked;
  const secrets = await secretsOf(place, application);
  return answerHttp({ version: place.version, service, log, observe, user, correlationId, secrets }, call);
};

/** Serves standard input and output. Resolves with the exit status. */
export const serveAssistant = async (
  place: AssistantPlace & {
    readonly home: string;
    readonly compose: (options: Partial<ComposeOptions>) => Promise<Application>;
  },
  { provider, traceFile, allowChanges, user }: AssistantOptions,
): Promise<number> => {
  const application = await place.compose({
    provider,
    validates: true,
    allowsStrangers: true,
    mayOnlyLook: true,
    server: { readModel: { scan: 450, answer: 100, save: 10_000 }, connection: 60_000 },
    ...(traceFile === undefined ? {} : { traceFile }),
  });
  const { service, log, observe, readModel } = application;
  const keep = setInterval(() => void log.flush(), 1000);
  await serveStdio({
    version: place.version,
    service,
    log,
    observe,
    user: { role: 'admin', mayChange: allowChanges, name: user },
    secrets: await secretsOf(place, application),
  });
  clearInterval(keep);
  await (await readModel()).save();
  await log.flush();
  return 0;
};
