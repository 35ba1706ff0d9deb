import { asCount, asObject, asOptionalText, asText } from './fields.ts';
import type { Operation } from './operation.ts';

/** Asks for machines: `{"template": {"templateId": "...", "machineCount": n}}`. */
export const requestMachines: Operation = async ({ service, commandId }, input) => {
  const body = asObject(input, 'the input');
  const template = asObject(body['template'], 'template');
  const templateId = asText(template['templateId'], 'template.templateId');
  const maxNumber = asCount(template['machineCount'], 'template.machineCount');
  const account = asOptionalText(body['rc_account'], 'rc_account');
  const attributes = account === '' ? {} : { rc_account: account };
  const { requestId, message } = await service.createRequest({
    templateId,
    maxNumber,
    attributes,
    ...(commandId === undefined ? {} : { commandId }),
  });
  return { body: { message, requestId } };
};
