import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import type { ApplicationService } from '../application/bus/application-service.ts';
import type { Logger, Observe } from '../application/ports/telemetry.ts';
import { isPluginError, messageOf, PluginError } from '../domain/errors.ts';
import { redaction } from '../json/redact.ts';
import { prompts } from './prompts.ts';
import { type Tool, type ToolUser, toolsFor } from './tools.ts';

export interface AssistantContext {
  readonly version: string;
  readonly service: ApplicationService;
  readonly log: Logger;
  readonly observe: Observe;
  readonly user: ToolUser & { readonly name?: string | undefined };
  readonly correlationId?: string;
  /** Secrets that are known here: they are in no answer, whatever stands before them. */
  readonly secrets: readonly string[];
}

const instructions =
  'Tools of an AWS provider plug-in for IBM Spectrum Symphony Host Factory: what Host Factory asked for, what AWS gave, what it costs and what is wrong. Begin with get_overview or diagnose; explain tells the story of one request, return or machine. Answers come from records; secrets and user data are taken out.';

const asObject = (value: unknown): Readonly<Record<string, unknown>> => ({ ...Object(value) });

type Given = Readonly<Record<string, unknown>>;

/** Which tool or prompt is meant, and what it is given. The SDK's own check would answer in the words of its library. */
const namedIn = (params: unknown): { readonly name: string; readonly given: Given } => {
  const { name, arguments: given = {} } = asObject(params);
  if (typeof name !== 'string') throw new McpError(ErrorCode.InvalidParams, 'name must be a text');
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new McpError(ErrorCode.InvalidParams, `arguments of ${name} must be an object`);
  return { name, given: asObject(given) };
};

/** A request counts as nobody's until somebody has learnt its id: whoever asked by this tool has. */
const claimed = async ({ service }: AssistantContext, answer: unknown, origin: object): Promise<void> => {
  const { requestId } = asObject(answer);
  if (typeof requestId === 'string') await service.claimRequest({ requestId, ...origin });
};

const call = async (context: AssistantContext, { operation, described }: Tool, given: Given) => {
  const { service, observe, log, user, correlationId, secrets } = context;
  const origin = {
    role: user.role,
    ...(user.name === undefined ? {} : { userId: user.name }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
  const { text, json } = redaction(secrets);
  try {
    // What tells an operation who asks is for nobody to give.
    const foreign = Object.keys(given).find((name) => !Object.hasOwn(described.inputSchema.properties, name));
    if (foreign !== undefined)
      throw new PluginError('input.invalid', `${described.name}: ${foreign} is not known here`);
    const answer = await observe({ kind: 'entry', name: 'MCP' }, async () => {
      const done = await service.dispatch(operation.bus, { ...given, ...origin, type: operation.name });
      if (operation.name === 'CreateRequest') await claimed(context, done, origin);
      return done;
    });
    const structuredContent = asObject(json(answer));
    return { structuredContent, content: [{ type: 'text' as const, text: JSON.stringify(structuredContent) }] };
  } catch (error) {
    const code = isPluginError(error) ? error.code : 'internal';
    if (code === 'internal') log.error('server.failed', messageOf(error));
    return { isError: true, content: [{ type: 'text' as const, text: text(`${code}: ${messageOf(error)}`) }] };
  }
};

/** Nobody is asked to fill in a form here: nothing is to be checked. */
const jsonSchemaValidator = {
  getValidator: () => () => ({ valid: false, data: undefined, errorMessage: 'not used' }) as const,
};

const called = (
  context: AssistantContext,
  tools: ReturnType<typeof toolsFor>,
  { name, given }: ReturnType<typeof namedIn>,
) => {
  const tool = tools.get(name);
  if (tool === undefined)
    throw new McpError(ErrorCode.InvalidParams, `there is no tool ${name} for the role ${context.user.role}`);
  return call(context, tool, given);
};

const prompted = ({ name, given }: ReturnType<typeof namedIn>) => {
  const prompt = Object.hasOwn(prompts, name) ? prompts[name] : undefined;
  if (prompt === undefined) throw new McpError(ErrorCode.InvalidParams, `there is no prompt ${name}`);
  const texts = new Map(
    Object.keys(prompt.arguments).map((argument) => {
      const text = given[argument];
      if (typeof text !== 'string' || text === '')
        throw new McpError(ErrorCode.InvalidParams, `${name} needs ${argument}`);
      return [argument, text] as const;
    }),
  );
  const text = prompt.text(Object.fromEntries(texts));
  return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
};

/** The operations of the table as tools of the Model Context Protocol, for one user; to be connected to a transport. */
export const createAssistant = (context: AssistantContext): Server => {
  const tools = toolsFor(context.user);
  const server = new Server(
    { name: 'hostfactory-aws', title: 'Host Factory on AWS', version: context.version },
    { capabilities: { tools: {}, prompts: {} }, instructions, jsonSchemaValidator },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [...tools.values()].map(({ described }) => described),
  }));
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(prompts).map(([name, { title, description, arguments: needed }]) => ({
      name,
      title,
      description,
      arguments: Object.entries(needed).map(([argument, what]) => ({
        name: argument,
        description: what,
        required: true,
      })),
    })),
  }));
  server.fallbackRequestHandler = async ({ method, params }) => {
    switch (method) {
      case 'tools/call':
        return called(context, tools, namedIn(params));
      case 'prompts/get':
        return prompted(namedIn(params));
      default:
        throw new McpError(ErrorCode.MethodNotFound, `${method} is not known here`);
    }
  };
  return server;
};
