import { once } from '../client-tokens.ts';
import type { LaunchTemplate, TemplateVersion } from '../fleets/record.ts';
import { listing, parameterTable } from '../wire/parameter-table.ts';
import { type Form, lowerFirst, type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidValue, ServiceError } from '../wire/service-error.ts';
import type { XmlFields } from '../wire/xml.ts';
import type { World } from '../world.ts';
import { type Action, isoTime, ownerId, required } from './action.ts';
import { resourceId } from './ids.ts';
import { taggable } from './launch-spec.ts';
import { latestVersion, namedTemplate, overlay, templateOfId, templateOfName, versionOf } from './launch-templates.ts';
import { pageOf } from './paging.ts';
import { checkTagSpecifications, readTagSpecifications, tagSet } from './tags.ts';

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

const versionXml = (template: LaunchTemplate, version: TemplateVersion): XmlFields => ({
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
  const description = params.text('VersionDescription');
  return {
    number,
    ...(description !== undefined && { description }),
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

const createLaunchTemplate: Action = {
  parameters: parameterTable(
    'ClientToken LaunchTemplateName VersionDescription LaunchTemplateData{*} TagSpecification.N{*} Operator{*}',
  ),
  answer: (world, params) => {
    const id = once(
      world,
      params,
      longestToken,
      () => createTemplate(world, params),
      (made) => world.templates.has(made),
    );
    return { launchTemplate: templateXml(world, templateOfId(world, id)) };
  },
};

const createLaunchTemplateVersion: Action = {
  parameters: parameterTable(
    `ClientToken ${reference} SourceVersion VersionDescription ResolveAlias LaunchTemplateData{*}`,
  ),
  answer: (world, params) => {
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
    return { launchTemplateVersion: versionXml(template, versionOf(template, number)) };
  },
};

const modifyLaunchTemplate: Action = {
  parameters: parameterTable(`ClientToken ${reference} SetDefaultVersion`),
  answer: (world, params) => {
    const template = namedTemplate(world, params);
    const { number } = versionOf(template, required(params.text('SetDefaultVersion'), 'SetDefaultVersion'));
    const changed = { ...template, defaultVersion: number };
    world.templates.set(template.id, changed);
    return { launchTemplate: templateXml(world, changed) };
  },
};

const deleteLaunchTemplate: Action = {
  parameters: parameterTable(reference),
  answer: (world, params) => {
    const template = namedTemplate(world, params);
    world.templates.delete(template.id);
    return { launchTemplate: templateXml(world, template) };
  },
};

const describeLaunchTemplates: Action = {
  parameters: parameterTable(`LaunchTemplateId.N LaunchTemplateName.N IncludeManagedResources ${listing}`),
  answer: (world, params) => {
    const [ids, names] = [params.list('LaunchTemplateId'), params.list('LaunchTemplateName')];
    const named = [...ids.map((id) => templateOfId(world, id)), ...names.map((name) => templateOfName(world, name))];
    const { page, nextToken } = pageOf(world, params, {
      items: named.length > 0 ? named : [...world.templates.values()],
      keyOf: ({ id }) => id,
      filters: { 'launch-template-name': ({ name }) => name, 'create-time': ({ createdAt }) => isoTime(createdAt) },
      tags: (template) => tagsOf(world, template),
      sizes: [1, mostPerPage],
    });
    return { launchTemplates: page.map((template) => templateXml(world, template)), nextToken };
  },
};

const describeLaunchTemplateVersions: Action = {
  parameters: parameterTable(
    `${reference} LaunchTemplateVersion.N MinVersion MaxVersion ResolveAlias IncludeManagedResources ${listing}`,
  ),
  answer: (world, params) => {
    const wanted = params.list('LaunchTemplateVersion');
    if (
      wanted.some((one) => one.startsWith('$')) &&
      !params.has('LaunchTemplateId') &&
      !params.has('LaunchTemplateName')
    ) {
      const all = [...world.templates.values()];
      return {
        launchTemplateVersionSet: all.flatMap((one) => wanted.map((which) => versionXml(one, versionOf(one, which)))),
      };
    }
    const template = namedTemplate(world, params);
    const [min, max] = [Number(params.text('MinVersion') ?? 1), Number(params.text('MaxVersion') ?? Infinity)];
    if (Number.isNaN(min) || Number.isNaN(max)) throw invalidValue('MinVersion and MaxVersion must be numbers');
    const items = wanted.length > 0 ? wanted.map((which) => versionOf(template, which)) : [...template.versions];
    const { page, nextToken } = pageOf(world, params, {
      items: items.filter(({ number }) => number >= min && number <= max),
      keyOf: ({ number }) => String(number).padStart(6, '0'),
      filters: { 'is-default-version': ({ number }) => String(number === template.defaultVersion) },
      sizes: [1, mostPerPage],
    });
    return { launchTemplateVersionSet: page.map((version) => versionXml(template, version)), nextToken };
  },
};

export const templateActions: readonly (readonly [string, Action])[] = [
  ['CreateLaunchTemplate', createLaunchTemplate],
  ['CreateLaunchTemplateVersion', createLaunchTemplateVersion],
  ['DeleteLaunchTemplate', deleteLaunchTemplate],
  ['DescribeLaunchTemplateVersions', describeLaunchTemplateVersions],
  ['DescribeLaunchTemplates', describeLaunchTemplates],
  ['ModifyLaunchTemplate', modifyLaunchTemplate],
];
