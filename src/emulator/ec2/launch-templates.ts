import type { LaunchTemplate, TemplateVersion } from '../fleets/record.ts';
import { type Form, type Parameters, readParameters } from '../wire/parameters.ts';
import { invalidCombination, invalidValue, ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';
import { required } from './action.ts';
import { checkForm } from './ids.ts';

const missing = (kind: 'Id' | 'Name', what: string): ServiceError =>
  new ServiceError(
    `InvalidLaunchTemplate${kind}.NotFound${kind === 'Name' ? 'Exception' : ''}`,
    `The specified launch template, with template ${kind === 'Id' ? 'ID' : 'name'} ${what}, does not exist.`,
  );

export const templateOfId = (world: World, id: string): LaunchTemplate => {
  checkForm('InvalidLaunchTemplateId.Malformed', 'lt', [id]);
  const template = world.templates.get(id);
  if (template === undefined) throw missing('Id', id);
  return template;
};

export const templateOfName = (world: World, name: string): LaunchTemplate => {
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

export const latestVersion = ({ versions }: LaunchTemplate): number => versions.at(-1)?.number ?? 0;

/** A version by its number, `$Latest` or `$Default`. */
export const versionOf = (template: LaunchTemplate, wanted: string): TemplateVersion => {
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
