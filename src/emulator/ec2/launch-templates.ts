import type { Parameters } from '../wire/parameters.ts';
import { invalidCombination, ServiceError } from '../wire/service-error.ts';
import type { World } from '../world.ts';

/** Whether the call names a launch template; fails if it names one that does not exist. */
export const checkTemplate = (world: World, params: Parameters): boolean => {
  const [id, name] = [params.text('LaunchTemplate.LaunchTemplateId'), params.text('LaunchTemplate.LaunchTemplateName')];
  const { launchTemplates } = world.settings;
  if (id !== undefined && name !== undefined)
    throw invalidCombination('Only one of LaunchTemplateId and LaunchTemplateName may be specified');
  if (id !== undefined && !launchTemplates.includes(id)) {
    const message = `The specified launch template, with template ID ${id}, does not exist.`;
    throw new ServiceError('InvalidLaunchTemplateId.NotFound', message);
  }
  if (name !== undefined && !launchTemplates.includes(name)) {
    const message = `The specified launch template, with template name ${name}, does not exist.`;
    throw new ServiceError('InvalidLaunchTemplateName.NotFoundException', message);
  }
  return id !== undefined || name !== undefined;
};
