import { once } from '../client-tokens.ts';
import type { LaunchTemplate, TemplateVersion } from '../fleets/record.ts';
import { type Form, lowerFirst, type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { type Action, action, isoTime, ownerId, required } from './action.ts';
import { describe } from './describe.ts';
import { checkForm, resourceId } from './ids.ts';
import { taggable } from './launch-spec.ts';
import { checkTagSpecifications, readTagSpecifications, tagSet } from './tags.ts';

const missing = (kind: 'Id' | 'Name', what: string): ServiceError =>
  new ServiceError(
    `InvalidLaunchTemplate${kind}.NotFound${kind === 'Name' ? 'Exception' : ''}`,
    `The specified launch template, with template ${kind === 'Id' ? 'ID' : 'name'} ${what}, does not exist.`,
  );

const templateOfId = (world: World, id: string): LaunchTemplate => {
  checkForm('InvalidLaunchTemplateId.Malformed', 'lt', [id]);
  const template = world.templates.get(id);
  if (template === undefined) throw missing('Id', id);
  return template;
};

const templateOfName = (world: World, name: string): LaunchTemplate => {
  const template = [...world.templates.values()].find((one) => one.name === name);
  if (template === undefined) throw missing('Name', name);
  return template;
};

/** The template that `LaunchTemplateId` or `LaunchTemplateName` names; fails as EC2 does if there is none. */
export const namedTemplate = (world: World, params: Parameters): LaunchTemplate => {
  const [id, name] = [params.text('LaunchTemplateId'), params.text('LaunchTemplateName')];
  if (id !== undefined && name !== undefined)
    throw invalidCombination('Only one of LaunchTemplateId and LaunchTemplateName may be specified');
  return id === undefined
    ? templateOfName(world, required(name, 'LaunchTemplateId or LaunchTemplateName'))
    : templateOfId(world, id);
};

const latestVersion = ({ versions }: LaunchTemplate): number => versions.at(-1)?.number ?? 0;

/** A version by its number, `$Latest` or `$Default`. */
const versionOf = (template: LaunchTemplate, wanted: string): TemplateVersion => {
  const numbers = new Map([
    ['$Latest', latestVersion(template)],
    ['$Default', template.defaultVersion],
  ]);
  const number = numbers.get(wanted) ?? Number(wanted);
  if (Number.isNaN(number)) throw invalidValue(`Invalid launch template version: '${wanted}'`);
  const version = template.versions.find((one) => one.number === number);
  if (version !== undefined) return version;
  const message = `Could not find the specified version ${wanted} for the launch template with ID ${template.id}.`;
  throw new ServiceError('InvalidLaunchTemplateId.VersionNotFound', message);
};

// A list is replaced as a whole, a structure name by name.
const slotOf = (name: string): string => name.replace(/\.\d+(\..*)?$/, '');

/** Launch parameters over others. Tags of both count, the upper ones first. */
export const overlay = (lower: Form, upper: Form): Form => {
  const taken = new Set([...upper.keys()].map(slotOf));
  const kept = [...lower].flatMap(([name, value]): (readonly [string, string])[] => {
    const [, number, rest] = /^TagSpecification\.(\d+)(\..*)$/.exec(name) ?? [];
    // Numbers out of the way of the upper ones.
    if (number !== undefined) return [[`TagSpecification.${Number(number) + 1000}${rest}`, value]];
    return taken.has(slotOf(name)) ? [] : [[name, value]];
  });
  return new Map([...upper, ...kept]);
};

/** Launch parameters with those of the launch template they name, if any, under them. */
export const withTemplate = (world: World, form: Form): Form => {
  const named = [...form].filter(([name]) => name.startsWith('LaunchTemplate.'));
  if (named.length === 0) return form;
  const reference = readParameters(named).below('LaunchTemplate');
  const { data } = versionOf(namedTemplate(world, reference), reference.text('Version') ?? '$Default');
  return overlay(new Map(data), form);
};

const longestToken = 128;
const mostPerPage = 200;
const createdBy = `arn:aws:iam::${ownerId}:user/emulated`;
const reference = 'LaunchTemplateId LaunchTemplateName';

const tagsOf = (world: World, { id, tags }: LaunchTemplate) => world.changedTags.get(id) ?? tags;

const templateXml = (world: World, template: LaunchTemplate): XmlFields => ({
  launchTemplateId: template.id,
  launchTemplateName: template.name,
  createTime: isoTime(template.createdAt),
  createdBy,
  defaultVersionNumber: template.defaultVersion,
  latestVersionNumber: latestVersion(template),
  tagSet: tagSet(tagsOf(world, template)),
});

const dataXml = (data: TemplateVersion['data']): XmlFields =>
  readParameters(data).echo((name, isList) => lowerFirst(name) + (isList ? 'Set' : ''));

interface Version {
  readonly template: LaunchTemplate;
  readonly version: TemplateVersion;
}

const versionXml = ({ template, version }: Version): XmlFields => ({
  launchTemplateId: template.id,
  launchTemplateName: template.name,
  versionNumber: version.number,
  versionDescription: version.description,
  createTime: isoTime(version.createdAt),
  createdBy,
  defaultVersion: version.number === template.defaultVersion,
  launchTemplateData: dataXml(version.data),
});

const newVersion = (world: World, params: Parameters, number: number, source: Form = new Map()): TemplateVersion => {
  const data = required(
    params.has('LaunchTemplateData') ? params.below('LaunchTemplateData') : undefined,
    'LaunchTemplateData',
  );
  checkTagSpecifications(data, taggable);
  return {
    number,
    description: params.text('VersionDescription'),
    createdAt: world.now(),
    data: [...overlay(source, data.form())],
  };
};

const createTemplate = (world: World, params: Parameters): string => {
  const name = required(params.text('LaunchTemplateName'), 'LaunchTemplateName');
  if (!/^[a-zA-Z0-9().\-/_]{3,128}$/.test(name))
    throw new ServiceError('InvalidLaunchTemplateName.MalformedException', `Invalid launch template name '${name}'`);
  if ([...world.templates.values()].some((one) => one.name === name)) {
    const message = `Launch template name already in use: ${name}`;
    throw new ServiceError('InvalidLaunchTemplateName.AlreadyExistsException', message);
  }
  const version = newVersion(world, params, 1);
  checkTagSpecifications(params, ['launch-template']);
  const tags = readTagSpecifications(params, ['launch-template'])['launch-template'] ?? {};
  world.lastNumber += 1;
  const id = resourceId(world, 'lt', world.lastNumber);
  world.templates.set(id, { id, name, createdAt: world.now(), defaultVersion: 1, versions: [version], tags });
  return id;
};

const createLaunchTemplate = action(
  'ClientToken LaunchTemplateName VersionDescription LaunchTemplateData{*} TagSpecification.N{*} Operator{*}',
  (world, params) => {
    const id = once(
      world,
      params,
      longestToken,
      () => createTemplate(world, params),
      (made) => world.templates.has(made),
    );
    return { launchTemplate: templateXml(world, templateOfId(world, id)) };
  },
);

const createLaunchTemplateVersion = action(
  `ClientToken ${reference} SourceVersion VersionDescription ResolveAlias LaunchTemplateData{*}`,
  (world, params) => {
    const { id } = namedTemplate(world, params);
    const number = once(world, params, longestToken, () => {
      const template = templateOfId(world, id);
      const source = params.text('SourceVersion');
      const base = source === undefined ? undefined : new Map(versionOf(template, source).data);
      const version = newVersion(world, params, latestVersion(template) + 1, base);
      world.templates.set(id, { ...template, versions: [...template.versions, version] });
      return String(version.number);
    });
    const template = templateOfId(world, id);
    return { launchTemplateVersion: versionXml({ template, version: versionOf(template, number) }) };
  },
);

const modifyLaunchTemplate = action(`ClientToken ${reference} SetDefaultVersion`, (world, params) => {
  const template = namedTemplate(world, params);
  const { number } = versionOf(template, required(params.text('SetDefaultVersion'), 'SetDefaultVersion'));
  const changed = { ...template, defaultVersion: number };
  world.templates.set(template.id, changed);
  return { launchTemplate: templateXml(world, changed) };
});

const deleteLaunchTemplate = action(reference, (world, params) => {
  const template = namedTemplate(world, params);
  world.templates.delete(template.id);
  return { launchTemplate: templateXml(world, template) };
});

const describeLaunchTemplates = describe<LaunchTemplate>({
  ids: 'LaunchTemplateId',
  pagesIds: true,
  parameters: 'LaunchTemplateName.N IncludeManagedResources',
  items: (world, ids, params) => {
    const names = params.list('LaunchTemplateName');
    const named = [...ids.map((id) => templateOfId(world, id)), ...names.map((name) => templateOfName(world, name))];
    return named.length > 0 ? named : [...world.templates.values()];
  },
  keyOf: ({ id }) => id,
  filters: { 'launch-template-name': ({ name }) => name, 'create-time': ({ createdAt }) => isoTime(createdAt) },
  tags: (template, world) => tagsOf(world, template),
  sizes: [1, mostPerPage],
  answer: (page, world) => ({ launchTemplates: page.map((template) => templateXml(world, template)) }),
});

/** Without a template: those named with `$` of every one. */
const describeLaunchTemplateVersions = describe<Version>({
  ids: 'LaunchTemplateVersion',
  pagesIds: true,
  parameters: `${reference} MinVersion MaxVersion ResolveAlias IncludeManagedResources`,
  items: (world, wanted, params) => {
    const isOfAll = wanted.some((one) => one.startsWith('$')) && !params.has('LaunchTemplateId');
    const templates =
      isOfAll && !params.has('LaunchTemplateName') ? [...world.templates.values()] : [namedTemplate(world, params)];
    const [min, max] = [Number(params.text('MinVersion') ?? 1), Number(params.text('MaxVersion') ?? Infinity)];
    if (Number.isNaN(min) || Number.isNaN(max)) throw invalidValue('MinVersion and MaxVersion must be numbers');
    return templates.flatMap((template) =>
      (wanted.length > 0 ? wanted.map((which) => versionOf(template, which)) : template.versions)
        .filter(({ number }) => number >= min && number <= max)
        .map((version) => ({ template, version })),
    );
  },
  keyOf: ({ template, version }) => `${template.id} ${String(version.number).padStart(6, '0')}`,
  filters: {
    'is-default-version': ({ template, version }) => String(version.number === template.defaultVersion),
  },
  sizes: [1, mostPerPage],
  answer: (page) => ({ launchTemplateVersionSet: page.map(versionXml) }),
});

export const templateActions: readonly (readonly [string, Action])[] = [
  ['CreateLaunchTemplate', createLaunchTemplate],
  ['CreateLaunchTemplateVersion', createLaunchTemplateVersion],
  ['DeleteLaunchTemplate', deleteLaunchTemplate],
  ['DescribeLaunchTemplateVersions', describeLaunchTemplateVersions],
  ['DescribeLaunchTemplates', describeLaunchTemplates],
  ['ModifyLaunchTemplate', modifyLaunchTemplate],
];
