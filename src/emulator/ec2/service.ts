import { checkParameters } from '../wire/parameter-table.ts';
import { readParameters } from '../wire/parameters.ts';
import { ServiceError } from '../wire/service-error.ts';
import { fieldsToXml } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { ownerId } from './action.ts';
import { actions } from './actions.ts';
import { forgetGone } from './instance-view.ts';
import { throttle } from './throttle.ts';

const version = '2016-11-15';
const xmlHeader = '<?xml version="1.0" encoding="UTF-8"?>\n';

export interface ServiceRequest {
  readonly action: string;
  readonly form: ReadonlyMap<string, string>;
  readonly accessKeyId: string | undefined;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly body: string;
  readonly errorCode?: string;
}

export const errorAnswer = ({ code, message, status }: ServiceError, requestId: string): ServiceAnswer => ({
  status,
  errorCode: code,
  body: `${xmlHeader}<Response>${fieldsToXml({
    Errors: { Error: { Code: code, Message: message } },
    RequestID: requestId,
  })}</Response>`,
});

const authorize = ({ settings }: World, { action, accessKeyId }: ServiceRequest): void => {
  if (accessKeyId === undefined || settings.deniedAccessKeys.includes(accessKeyId)) {
    const message = 'AWS was not able to validate the provided access credentials';
    throw new ServiceError('AuthFailure', message);
  }
  if (settings.deniedActions.includes(action)) {
    const user = `arn:aws:iam::${ownerId}:user/emulated`;
    const message = `You are not authorized to perform this operation. User: ${user} is not authorized to perform: ec2:${action} because no identity-based policy allows the ec2:${action} action`;
    throw new ServiceError('UnauthorizedOperation', message);
  }
};

const perform = (world: World, request: ServiceRequest): string => {
  authorize(world, request);
  const asked = request.form.get('Version');
  if (asked !== version) {
    const message = `The requested version (${asked ?? ''}) of service AmazonEC2 does not exist`;
    throw new ServiceError('NoSuchVersion', message);
  }
  const action = actions.get(request.action);
  if (action === undefined) {
    throw new ServiceError('InvalidAction', `The action ${request.action} is not valid for this web service.`);
  }
  checkParameters(action.parameters, request.form);
  const params = readParameters(request.form);
  if (world.settings.throttle) throttle(world, request.action, params);
  if (params.flag('DryRun') === true)
    throw new ServiceError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  forgetGone(world);
  return fieldsToXml(action.answer(world, params));
};

/** Performs one call of EC2's query protocol on the world. Every failure of the caller's is an answer too. */
export const answerEc2 = (world: World, request: ServiceRequest, requestId: string): ServiceAnswer => {
  try {
    const content = perform(world, request);
    const root = `${request.action}Response`;
    const opening = `<${root} xmlns="http://ec2.amazonaws.com/doc/${version}/"><requestId>${requestId}</requestId>`;
    return { status: 200, body: `${xmlHeader}${opening}${content}</${root}>` };
  } catch (error) {
    if (error instanceof ServiceError) return errorAnswer(error, requestId);
    throw error;
  }
};
