import { iamActions, identityOf, pricingActions, serviceQuotasActions, ssmActions, stsActions } from './account.ts';
import { autoScalingActions } from './auto-scaling/actions.ts';
import { dynamoDbActions } from './dynamodb/actions.ts';
import type { Action } from './ec2/action.ts';
import { actions as ec2Actions } from './ec2/actions.ts';
import { throttle } from './ec2/throttle.ts';
import { advance } from './fleets/settle.ts';
import { eventBridgeActions, sqsActions } from './queues.ts';
import { checkParameters } from './wire/parameter-table.ts';
import { readParameters } from './wire/parameters.ts';
import { ServiceError } from './wire/service-error.ts';
import { fieldsToXml, type XmlFields } from './wire/xml.ts';
import type { World } from './world.ts';

const xmlHeader = '<?xml version="1.0" encoding="UTF-8"?>\n';

interface ServiceRequest {
  readonly action: string;
  readonly form: ReadonlyMap<string, string>;
  readonly accessKeyId: string | undefined;
  readonly sessionToken: string | undefined;
  /** Milliseconds since 1970; NaN where the call does not say. */
  readonly signedAt: number;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly errorCode?: string;
}

/** One of AWS's services: its actions, what it calls failures they all have, and how it writes answers. */
interface Service {
  /** In the names of permissions. */
  readonly prefix: string;
  readonly version: string;
  readonly actions: ReadonlyMap<string, Action>;
  readonly codes: Readonly<Record<'credentials' | 'expired' | 'denied' | 'throttled' | 'unknown', string>>;
  readonly contentType: string;
  readonly success: (action: string, answer: XmlFields, requestId: string) => string;
  readonly failure: (error: ServiceError, requestId: string) => string;
}

const xml = 'text/xml;charset=UTF-8';

const ec2: Service = {
  prefix: 'ec2',
  version: '2016-11-15',
  actions: ec2Actions,
  codes: {
    credentials: 'AuthFailure',
    expired: 'RequestExpired',
    denied: 'UnauthorizedOperation',
    throttled: 'RequestLimitExceeded',
    unknown: 'InvalidAction',
  },
  contentType: xml,
  success: (action, answer, requestId) =>
    `${xmlHeader}<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>${requestId}</requestId>${fieldsToXml(answer, 'item')}</${action}Response>`,
  failure: ({ code, message }, requestId) =>
    `${xmlHeader}<Response>${fieldsToXml({ Errors: { Error: { Code: code, Message: message } }, RequestID: requestId }, 'item')}</Response>`,
};

const autoScaling: Service = {
  prefix: 'autoscaling',
  version: '2011-01-01',
  actions: autoScalingActions,
  codes: {
    credentials: 'InvalidClientTokenId',
    expired: 'ExpiredToken',
    denied: 'AccessDenied',
    throttled: 'Throttling',
    unknown: 'InvalidAction',
  },
  contentType: xml,
  success: (action, answer, requestId) =>
    `${xmlHeader}<${action}Response xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">${fieldsToXml(
      { [`${action}Result`]: answer, ResponseMetadata: { RequestId: requestId } },
      'member',
    )}</${action}Response>`,
  failure: ({ code, message, status }, requestId) =>
    `${xmlHeader}<ErrorResponse xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/">${fieldsToXml(
      { Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message }, RequestId: requestId },
      'member',
    )}</ErrorResponse>`,
};

/** A service that speaks as another does. */
const like = (other: Service, prefix: string, version: string, actions: Service['actions']): Service => ({
  ...other,
  prefix,
  version,
  actions,
});

const sts = like(autoScaling, 'sts', '2011-06-15', stsActions);
const iam = like(autoScaling, 'iam', '2010-05-08', iamActions);

const ssm: Service = {
  prefix: 'ssm',
  version: 'AmazonSSM',
  actions: ssmActions,
  codes: {
    credentials: 'UnrecognizedClientException',
    expired: 'ExpiredTokenException',
    denied: 'AccessDeniedException',
    throttled: 'ThrottlingException',
    unknown: 'UnknownOperationException',
  },
  contentType: 'application/x-amz-json-1.1',
  success: (_, answer) => JSON.stringify(answer),
  failure: ({ code, message }) => JSON.stringify({ __type: code, message }),
};

const eventBridge = like(ssm, 'events', 'AWSEvents', eventBridgeActions);
const serviceQuotas = like(ssm, 'servicequotas', 'ServiceQuotasV20190624', serviceQuotasActions);
const pricing = like(ssm, 'pricing', 'AWSPriceListService', pricingActions);

const json10 = { ...ssm, contentType: 'application/x-amz-json-1.0' };
const sqs = like(json10, 'sqs', 'AmazonSQS', sqsActions);
const dynamoDb: Service = {
  ...like(json10, 'dynamodb', 'DynamoDB_20120810', dynamoDbActions),
  failure: ({ code, message, fields }) =>
    JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message, ...fields }),
};

/** The service whose version a call names; EC2 tells those off that name none. */
const serviceOf = (form: ReadonlyMap<string, string>): Service =>
  [autoScaling, ssm, sts, iam, serviceQuotas, pricing, sqs, eventBridge, dynamoDb].find(
    ({ version }) => version === form.get('Version'),
  ) ?? ec2;

/** The caller's access key. */
const authorize = (
  world: World,
  { prefix, codes }: Service,
  { action, accessKeyId, sessionToken, signedAt }: ServiceRequest,
): string => {
  const { settings, now } = world;
  const { signatureMinutes } = settings;
  if (signatureMinutes > 0 && !(Math.abs(now() - signedAt) <= signatureMinutes * 60_000))
    throw new ServiceError('RequestExpired', 'Request has expired.');
  if (accessKeyId === undefined || settings.deniedAccessKeys.includes(accessKeyId))
    throw new ServiceError(codes.credentials, 'AWS was not able to validate the provided access credentials');
  const session = world.sessions.get(accessKeyId);
  if (session !== undefined && session.token !== sessionToken)
    throw new ServiceError(codes.credentials, 'The security token included in the request is invalid');
  if (session !== undefined && session.endsAt <= now())
    throw new ServiceError(codes.expired, 'The security token included in the request is expired');
  if (settings.deniedActions.includes(action)) {
    const user = identityOf(world, accessKeyId);
    const what = `${prefix}:${action}`;
    const message = `You are not authorized to perform this operation. User: ${user} is not authorized to perform: ${what} because no identity-based policy allows the ${what} action`;
    throw new ServiceError(codes.denied, message);
  }
  return accessKeyId;
};

const perform = (world: World, service: Service, request: ServiceRequest): XmlFields => {
  const caller = authorize(world, service, request);
  const asked = request.form.get('Version');
  if (asked !== service.version)
    throw new ServiceError(
      'NoSuchVersion',
      `The requested version (${asked ?? ''}) of service AmazonEC2 does not exist`,
    );
  const action = service.actions.get(request.action);
  if (action === undefined)
    throw new ServiceError(service.codes.unknown, `The action ${request.action} is not valid for this web service.`);
  checkParameters(action.parameters, request.form);
  const params = readParameters(request.form);
  if (world.settings.throttle && service !== dynamoDb) throttle(world, request.action, params, service.codes.throttled);
  if (params.flag('DryRun') === true)
    throw new ServiceError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  advance(world);
  return action.answer(world, params, caller);
};

const failureAnswer = (service: Service, error: ServiceError, requestId: string): ServiceAnswer => ({
  status: error.status,
  contentType: service.contentType,
  errorCode: error.code,
  body: service.failure(error, requestId),
});

/** Answers a call with an error of the caller's choice, in the words of the service that was called. */
export const errorAnswer = (form: ServiceRequest['form'], error: ServiceError, requestId: string): ServiceAnswer =>
  failureAnswer(serviceOf(form), error, requestId);

/** Performs one call on the world. Every failure of the caller's is an answer too. */
export const answerCall = (world: World, request: ServiceRequest, requestId: string): ServiceAnswer => {
  const service = serviceOf(request.form);
  try {
    const body = service.success(request.action, perform(world, service, request), requestId);
    return { status: 200, contentType: service.contentType, body };
  } catch (error) {
    if (error instanceof ServiceError) return failureAnswer(service, error, requestId);
    throw error;
  }
};
