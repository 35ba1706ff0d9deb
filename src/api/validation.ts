import { Ajv, type ErrorObject } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';
import { PluginError } from '../domain/errors.ts';
import { closestName } from '../json/closest-name.ts';
import { problemsOf } from '../json/problems.ts';

type Json = Readonly<Record<string, unknown>>;

const shared = { allErrors: true, allowUnionTypes: true, messages: false } as const;
const ofBodies = new Ajv(shared);
/** All in an address is text: numbers and switches are read from it, and one value is a list of one. */
const ofAddresses = new Ajv({ ...shared, coerceTypes: 'array' });

const objectOf = (value: unknown): Json => (typeof value === 'object' && value !== null ? { ...value } : {});
const namesIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Of a body that may have several forms, the one whose fields it begins to have, else the first: its faults are reported. */
const meantForm = (forms: readonly Json[], body: unknown): Json => {
  const meant = forms.find(({ required }) => namesIn(required).some((name) => Object.hasOwn(objectOf(body), name)));
  return meant ?? forms[0] ?? {};
};

const suggestion = (errors: readonly ErrorObject[], schema: Json): string => {
  const unknown = errors.find(({ instancePath, keyword }) => instancePath === '' && keyword === 'additionalProperties');
  const written = unknown?.params['additionalProperty'];
  const meant =
    typeof written === 'string' ? closestName(written, Object.keys(objectOf(schema['properties']))) : undefined;
  return meant === undefined ? '' : `; did you mean ${meant}?`;
};

/** Nothing is bent into shape: a value of another type, or a field or parameter that nobody knows, is refused with its name. */
export const validatorFor: FastifySchemaCompiler<Json> = ({ schema, httpPart = '' }) => {
  const ajv = httpPart === 'body' ? ofBodies : ofAddresses;
  const forms = Array.isArray(schema['anyOf']) ? schema['anyOf'].map(objectOf) : [schema];
  const validators = new Map(forms.map((form) => [form, ajv.compile(form)] as const));
  return (value: unknown) => {
    const form = meantForm(forms, value);
    const validate = validators.get(form);
    if (validate === undefined || validate(value)) return { value };
    const errors = validate.errors ?? [];
    const faults = problemsOf(errors).map(({ field, rule }) => `${field} ${rule}`.trim());
    const where = httpPart === 'querystring' ? 'query' : httpPart;
    return { error: new PluginError('input.invalid', `${where}: ${faults.join('; ')}${suggestion(errors, form)}`) };
  };
};
