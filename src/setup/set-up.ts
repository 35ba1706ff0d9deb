import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { SetUpAnswer, SetUpOrder } from '../application/ports/setup.ts';
import type { Environment } from '../config/environment.ts';
import { providerConfigSchema } from '../config/provider-config.schema.ts';
import { PluginError } from '../domain/errors.ts';
import { type TemplateKind, templateKinds } from '../domain/template/template-kinds.ts';
import { parseJson } from '../json/parse-json.ts';
import { templateFields } from '../templates/fields/template-fields.ts';
import { isObject } from '../templates/template-entry.ts';
import { planRegistration, stableHome } from './registration.ts';
import { refuseRoot, refuseToReplace, writeFiles } from './written-files.ts';

type Document = Readonly<Record<string, unknown>>;

const withoutEmpty = (fields: Document): Document =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );

const textOf = (document: Document): string => `${JSON.stringify(document, null, 2)}\n`;

const schemaOf = (home: string, name: string): string => join(home, 'config', 'schema', name);

const configurationText = (home: string, order: SetUpOrder): string =>
  textOf(
    withoutEmpty({
      $schema: schemaOf(home, 'awsprov_config.schema.json'),
      AWS_REGION: order.region,
      AWS_CREDENTIAL_FILE: order.credentialsFile === undefined ? undefined : resolve(order.credentialsFile),
      AWS_ENDPOINT_URL: order.endpoint,
      clusterName: order.clusterName,
    }),
  );

/** The types that the worked template names, or others in their place. */
const typesFor = (worked: Document, vmTypes: readonly string[]): Document => {
  const [first] = vmTypes;
  if (first === undefined) return {};
  if ('vmType' in worked) return { vmType: first };
  const weights = Object.fromEntries(vmTypes.map((type) => [type, 1]));
  const onDemand = 'vmTypesOnDemand' in worked ? { vmTypesOnDemand: { [first]: 1 } } : {};
  return 'vmTypes' in worked ? { vmTypes: weights, ...onDemand } : {};
};

/** What was only an example in the worked template. */
const examples = ['instanceTags', 'instanceProfile', 'keyName', 'fleetRole', 'securityGroupIds'];

const templateFor = (worked: readonly Document[], kind: TemplateKind, order: SetUpOrder): Document => {
  const pattern = worked.find(({ templateId }) => templateId === templateKinds[kind]);
  if (pattern === undefined) throw new Error(`config/awsprov_templates.json lacks ${templateKinds[kind]}`);
  // Derived from the types that are really asked for, where types are named.
  const derived = 'vmType' in pattern || 'vmTypes' in pattern ? ['attributes'] : [];
  const left = [...examples, ...derived];
  const rest = Object.fromEntries(Object.entries(pattern).filter(([name]) => !left.includes(name)));
  const [subnet] = order.subnets;
  const isForOne = order.subnets.length === 1 || kind === 'own-group';
  const takesRole = kind === 'spot-fleet' || kind === 'heterogeneous';
  const ofHosts = {
    imageId: order.image,
    securityGroupIds: order.securityGroups,
    instanceProfile: order.instanceProfile,
    keyName: order.keyName,
    fleetRole: takesRole ? order.fleetRole : undefined,
  };
  return {
    ...rest,
    templateId: kind,
    ...typesFor(pattern, order.vmTypes),
    ...withoutEmpty({
      subnetId: isForOne ? subnet : order.subnets,
      // A group of the administrator's says itself how hosts are launched.
      ...(kind === 'own-group' ? { autoScalingGroupName: order.groupName } : ofHosts),
    }),
  };
};

const templatesText = async (home: string, order: SetUpOrder): Promise<string> => {
  const file = join(home, 'config', 'awsprov_templates.json');
  const document: unknown = await parseJson(await readFile(file, 'utf8'));
  const list: unknown = isObject(document) ? document['templates'] : undefined;
  const worked = Array.isArray(list) ? list.filter(isObject) : [];
  const templates = order.kinds.map((kind) => templateFor(worked, kind, order));
  return textOf({ $schema: schemaOf(home, 'awsprov_templates.schema.json'), templates });
};

const { imageId, vmType, securityGroupIds } = templateFields;
const { AWS_REGION: region, AWS_ENDPOINT_URL: endpoint } = providerConfigSchema.properties;

/** What the value of an option has to be, by its name on the command line. */
const forms: Readonly<Record<string, { readonly what: string; readonly pattern: string }>> = {
  instance: { what: 'a name of letters, digits, ".", "_" and "-"', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
  region: { what: 'a Region like eu-central-1', pattern: region.pattern },
  endpoint: { what: 'a URL', pattern: endpoint.pattern },
  image: { what: 'an AMI like ami-0123456789abcdef0, nor an SSM parameter', pattern: imageId.form.pattern },
  subnet: { what: 'a subnet like subnet-0123456789abcdef0', pattern: '^subnet-[0-9a-z]+$' },
  'security-group': { what: 'a group like sg-0123456789abcdef0', pattern: securityGroupIds.form.items.pattern },
  'vm-type': { what: 'an instance type like m5.large', pattern: vmType.form.pattern },
};

/** Why a template or configuration may not hold this value of an option; undefined where it may. */
export const setUpFault = (option: string, value: string): string | undefined => {
  const form = forms[option];
  return form === undefined || new RegExp(form.pattern).test(value) ? undefined : `${value} is not ${form.what}`;
};

/** Throws `input.invalid` for what no template or configuration may hold, before anything is written. */
const checkForms = (order: SetUpOrder): void => {
  const values: readonly (readonly [option: string, values: readonly (string | undefined)[]])[] = [
    ['instance', [order.instance]],
    ['region', [order.region]],
    ['endpoint', [order.endpoint]],
    ['image', [order.image]],
    ['subnet', order.subnets],
    ['security-group', order.securityGroups],
    ['vm-type', order.vmTypes],
  ];
  const faults = values.flatMap(([option, entries]) =>
    entries.flatMap((value) => {
      const fault = value === undefined ? undefined : setUpFault(option, value);
      return fault === undefined ? [] : [`\n  --${option} ${fault}`];
    }),
  );
  if (faults.length > 0) throw new PluginError('input.invalid', `nothing was written:${faults.join('')}`);
};

/**
 * Writes a provider's two files and, with `register`, merges it into Host Factory's. Everything that may refuse is looked at
 * first: then nothing is written. Throws `input.invalid` where files are there already, `configuration.*`, `storage.unwritable`.
 */
export const setUp = async (env: Environment, home: string, order: SetUpOrder): Promise<SetUpAnswer> => {
  checkForms(order);
  refuseRoot(order.directory);
  const file = (suffix: string): string => join(resolve(order.directory), `${order.instance}${suffix}`);
  const lasting = await stableHome(home);
  const texts = [
    { file: file('prov_config.json'), text: configurationText(lasting, order) },
    { file: file('prov_templates.json'), text: await templatesText(lasting, order) },
  ];
  refuseToReplace(texts, order.force);
  const registrations = await planRegistration(env, home, order);
  const changed = registrations.flatMap(({ file: path, text }) => (text === undefined ? [] : [{ file: path, text }]));
  const backups = await writeFiles([...texts, ...changed]);
  return {
    written: [...texts, ...changed].map((each) => each.file),
    backups,
    registrations: registrations.map(({ text: _text, ...registration }) => registration),
  };
};
