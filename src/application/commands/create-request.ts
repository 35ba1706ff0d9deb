import { excerpt, isPluginError, messageOf, PluginError } from '../../domain/errors.ts';
import { createIdOf, isCreateId } from '../../domain/ids.ts';
import type { RequestCommand } from '../../domain/request/commands.ts';
import { noLook } from '../../domain/request/look.ts';
import { requestMessage } from '../../domain/request/message.ts';
import { absentRequest, type Request } from '../../domain/request/state.ts';
import { providerApiOf, type Template } from '../../domain/template/template.ts';
import { closed } from '../bus/json-schema.ts';
import { type AnswerOf, defineOperation, type HandlerOf } from '../bus/operation.ts';
import type { Origin } from '../bus/origin.ts';
import { pairs, positive, requestStatus, version, words } from '../bus/shapes.ts';
import { type AdvancePorts, advance } from '../life-cycle/advance.ts';
import { checkProtection } from '../life-cycle/protection.ts';
import { type DecideContext, type Decided, decideOnRequest } from '../life-cycle/streams.ts';
import type { CapacityProvider } from '../ports/capacity.ts';
import type { CapacityLedger, RequestStreams } from '../ports/streams.ts';
import type { TemplateCatalog } from '../ports/templates.ts';
import { currentStatus } from '../read-model/views.ts';

export const createRequest = defineOperation({
  name: 'CreateRequest',
  bus: 'command',
  role: 'operator',
  title: 'Ask AWS for machines',
  isHot: true,
  input: {
    templateId: { type: 'string', pattern: '^[0-9A-Za-z_-]{1,64}$', description: 'The template' },
    maxNumber: { ...positive, description: 'Machines wanted' },
    attributes: { ...pairs, description: 'Details from the caller, e.g. LSF’s rc_account' },
  },
  required: ['templateId', 'maxNumber'],
  answer: closed({
    requestId: words,
    status: requestStatus,
    version,
    message: { ...words, description: 'For people: what was requested, what was granted, and why less' },
  }),
});

export interface CreateRequestPorts extends AdvancePorts {
  readonly streams: RequestStreams;
  readonly live: CapacityLedger;
  readonly templates: TemplateCatalog;
  /** The AMI that an image alias currently names. */
  readonly imageOf: (alias: string) => Promise<string>;
  /** Brings the ledger of a template up to date with what its requests still hold at AWS. */
  readonly recount: (templateId: string, origin: Origin) => Promise<void>;
  readonly newId: () => string;
}

/** IBM's awsprov_templates.json: the most a template can ask for, also where `maxNumber` is -1 (no limit). */
const mostHosts = 10_000;

const describeProblems = (problems: readonly { readonly field: string; readonly rule: string }[]): string =>
  problems.map(({ field, rule }) => `${field} ${rule}`.trim()).join('; ');

const findTemplate = async (catalog: TemplateCatalog, templateId: string): Promise<Template> => {
  const { templates, rejected, file } = await catalog.read(templateId);
  const template = templates.find((candidate) => candidate.templateId === templateId);
  if (template !== undefined) return template;
  const refused = rejected.find((candidate) => candidate.templateId === templateId);
  if (refused === undefined)
    throw new PluginError('template.not-found', `no template "${excerpt(templateId)}" in ${file}`);
  throw new PluginError('template.invalid', `template ${templateId} in ${file}: ${describeProblems(refused.problems)}`);
};

/** IBM's Spot Fleet needs a role; without one EC2 Fleet gives the same capacity. */
const replacesSpotFleet = ({ priceType, providerApi, fleetRole }: Template): boolean =>
  priceType !== 'ondemand' && (providerApi ?? fleetRole) === undefined;

/** An alias is looked up once: all of a request runs the same image while it is there, also what is launched again later. */
const withImage = async ({ imageOf }: CreateRequestPorts, template: Template): Promise<Template> => {
  const { imageId } = template;
  if (imageId === undefined || imageId.startsWith('ami-')) return template;
  return { ...template, imageId: await imageOf(imageId), imageAlias: imageId };
};

const checkCount = ({ templateId, maxNumber }: Template, count: number): void => {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new PluginError('input.invalid', `machineCount must be a whole number of at least 1, not ${count}`);
  }
  const limit = maxNumber === -1 ? mostHosts : maxNumber;
  if (count > limit) {
    const text = `machineCount ${count} is above maxNumber ${maxNumber} of template ${templateId} (at most ${limit})`;
    throw new PluginError('template.limit', text);
  }
};

const reserve = async (
  ports: CreateRequestPorts,
  origin: Origin,
  template: Template,
  requestId: string,
  units: number,
): Promise<void> => {
  const { templateId, maxNumber } = template;
  const limit = maxNumber === -1 ? undefined : maxNumber;
  const claim = { templateId, requestId, units };
  if ((await ports.live.reserve(claim, limit)).granted) return;
  await ports.recount(templateId, origin);
  const { granted, live } = await ports.live.reserve(claim, limit);
  if (granted) return;
  const text = `${units} more would exceed maxNumber ${maxNumber} of template ${templateId}: ${live} machines are running or on their way`;
  throw new PluginError('template.limit', text);
};

/** The id names what was asked for first. */
const refuseOther = (request: Request, templateId: string, wanted: number, requestId: string): void => {
  if (request.stage === 'absent' || (request.template.templateId === templateId && request.wanted === wanted)) return;
  const first = `${request.wanted} of template ${request.template.templateId}`;
  throw new PluginError('command.conflict', `${requestId} was asked for ${first} under the same command id`);
};

/** Asks AWS for machines. Whatever can be refused without AWS is refused before anything is written. */
export const createRequestHandler =
  (ports: CreateRequestPorts): HandlerOf<typeof createRequest> =>
  async ({ templateId, maxNumber: wanted, attributes = {}, commandId }, origin) => {
    const { streams, clock, log } = ports;
    const requestId = createIdOf(origin.commandId ?? ports.newId());
    if (!isCreateId(requestId)) throw new PluginError('input.invalid', `the command id "${commandId}" is not a UUID`);
    const context = { streams, origin };
    const known = commandId === undefined ? undefined : await decideOnRequest(context, requestId, []);
    if (known !== undefined && known.version > 0) {
      refuseOther(known.state, templateId, wanted, requestId);
      refuseNothing(known.state);
      return answerOf(requestId, known);
    }

    const offered = await findTemplate(ports.templates, templateId);
    checkCount(offered, wanted);
    const template = await withImage(ports, offered);
    if (replacesSpotFleet(template))
      log.info('template.api', `${templateId} has no fleetRole: EC2 Fleet serves it instead of Spot Fleet`, {
        templateId,
      });
    const providerApi = providerApiOf(template);
    const provider = await ports.providers(providerApi);
    await reserve(ports, origin, template, requestId, wanted);
    // After the claim: where the state is far away its count has brought the failures along.
    await checkProtection(ports, templateId).catch(async (error: unknown) => {
      await releaseUnlessRecorded(ports, templateId, requestId);
      throw error;
    });
    const create = { type: 'Create', now: clock(), template, providerApi, wanted, attributes } as const;
    // The id is new, or repeated by a script that had no answer: then it is taken, which the append tells.
    const before = known ?? { state: absentRequest, version: 0 };
    const first = await record(ports, context, requestId, provider, create, before);
    const decided = await launch(ports, context, requestId, first);
    refuseNothing(decided.state);
    const answer = answerOf(requestId, decided);
    log.info('request.created', answer.message, { requestId, templateId, wanted });
    return answer;
  };

/**
 * Puts the request on record together with its first launch. From then on it exists: whatever fails after is answered with its id,
 * and the next look at it finds out.
 */
const record = async (
  ports: CreateRequestPorts,
  context: DecideContext,
  requestId: string,
  provider: CapacityProvider,
  create: Extract<RequestCommand, { type: 'Create' }>,
  known: Decided<Request>,
): Promise<{ readonly decided: Decided<Request>; readonly prepared: ReadonlySet<string> }> => {
  const { template, wanted: count, attributes } = create;
  try {
    const launch = await provider.prepare({ requestId, template, attributes, count, earlier: [] });
    const intent: readonly RequestCommand[] =
      launch === undefined ? [] : [{ type: 'IntendLaunch', now: ports.clock(), launch }];
    const decided = await decideOnRequest(context, requestId, [create, ...intent], known);
    return { decided, prepared: new Set(launch === undefined ? [] : [launch.clientToken]) };
  } catch (error) {
    await releaseUnlessRecorded(ports, template.templateId, requestId);
    throw error;
  }
};

const releaseUnlessRecorded = async (
  { streams, live, log }: CreateRequestPorts,
  templateId: string,
  requestId: string,
): Promise<void> => {
  try {
    if ((await streams.load(requestId)).version === 0) await live.update({ templateId, requestId, units: 0 });
  } catch (error) {
    // Nobody knows whether it was recorded: the claim stays until it is counted.
    if (!isPluginError(error)) throw error;
    log.error('request.unreleased', messageOf(error), { requestId });
  }
};

const launch = async (
  ports: CreateRequestPorts,
  context: DecideContext,
  id: string,
  { decided, prepared }: Awaited<ReturnType<typeof record>>,
): Promise<Decided<Request>> => {
  try {
    const look = { ...noLook(ports.clock()), prepared };
    return await advance(ports, context, { id, known: decided, look, news: [] });
  } catch (error) {
    ports.log.error('request.unresolved', messageOf(error), { requestId: id });
    return decideOnRequest(context, id, []).catch(() => decided);
  }
};

const answerOf = (requestId: string, { state, version }: Decided<Request>): AnswerOf<typeof createRequest> => ({
  requestId,
  status: state.stage === 'absent' ? 'running' : currentStatus(state),
  version,
  message: state.stage === 'absent' ? '' : requestMessage(state),
});

/** A request that ended with nothing is an error to the caller: Host Factory then asks again later. */
const refuseNothing = (request: Request): void => {
  if (request.stage !== 'settled' || request.machines.size > 0) return;
  const last = request.refusals.at(-1);
  if (last === undefined) return;
  const { fault, code, awsRequestId } = last;
  const aws = { code, action: request.providerApi, ...(awsRequestId === undefined ? {} : { awsRequestId }) };
  throw new PluginError(fault, requestMessage(request), { aws });
};
