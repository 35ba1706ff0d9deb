import { messageSchemas } from '../application/bus/messages.schema.ts';
import { ajv } from './ajv.ts';

export const CreateRequest = ajv.compile(messageSchemas.CreateRequest);
export const CancelRequest = ajv.compile(messageSchemas.CancelRequest);
export const ReturnMachines = ajv.compile(messageSchemas.ReturnMachines);
export const UpdateMachineStatus = ajv.compile(messageSchemas.UpdateMachineStatus);
export const RebuildProjection = ajv.compile(messageSchemas.RebuildProjection);
export const ValidateTemplate = ajv.compile(messageSchemas.ValidateTemplate);
export const GetRequestStatus = ajv.compile(messageSchemas.GetRequestStatus);
export const ListRequests = ajv.compile(messageSchemas.ListRequests);
export const ListMachines = ajv.compile(messageSchemas.ListMachines);
export const ListTemplates = ajv.compile(messageSchemas.ListTemplates);
export const ListEvents = ajv.compile(messageSchemas.ListEvents);
export const GetProjections = ajv.compile(messageSchemas.GetProjections);
