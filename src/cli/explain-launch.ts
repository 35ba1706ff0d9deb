import type { ApplicationService } from '../application/bus/application-service.ts';
import type { ListOfferingsAnswer } from '../application/queries/list-offerings.ts';
import { PluginError } from '../domain/errors.ts';
import type { Offering } from '../domain/offering.ts';
import {
  expiryMs,
  fleetTypeOf,
  offeringOf,
  onDemandUnits,
  providerApiOf,
  type Template,
  weightedTypes,
} from '../domain/template/template.ts';
import { closestName } from '../json/closest-name.ts';

/** A configured template by its id. Throws `template.not-found` or `template.invalid`. */
export const templateOf = async (
  service: ApplicationService,
  templateId: string,
): Promise<{ readonly file: string; readonly template: Template }> => {
  const { file, templates, rejected } = await service.getTemplates();
  const template = templates.find((each) => each.templateId === templateId);
  if (template !== undefined) return { file, template };
  if (rejected.some((each) => each.templateId === templateId)) {
    throw new PluginError('template.invalid', `${templateId} has faults: hf-aws templates validate ${templateId}`);
  }
  const known = templates.map((each) => each.templateId);
  const meant = closestName(templateId, known);
  const hint = meant === undefined ? `there are ${known.join(', ') || 'none'}` : `did you mean ${meant}?`;
  throw new PluginError('template.not-found', `no template "${templateId}" in ${file}; ${hint}`);
};

const whyOf = (template: Template): string => {
  const { providerApi, priceType, fleetRole } = template;
  if (providerApi !== undefined) return `providerApi is ${providerApi}`;
  if (priceType === 'ondemand') return 'priceType is ondemand';
  return fleetRole === undefined
    ? `priceType is ${priceType} and there is no fleetRole`
    : `priceType is ${priceType} and there is a fleetRole`;
};

export const marketOf = (template: Template, count: number): string => {
  const onDemand = onDemandUnits(template, count);
  if (template.priceType === 'heterogeneous') return 'on spot first; what spot does not provide is launched on demand';
  if (onDemand === count) return 'all on demand';
  return onDemand === 0 ? 'all on spot' : `${onDemand} on demand, ${count - onDemand} on spot`;
};

const placesOf = (template: Template): string => {
  const { subnetIds, autoScalingGroupName } = template;
  if (autoScalingGroupName !== undefined) return `In the group ${autoScalingGroupName}.`;
  const [first = '', ...more] = subnetIds;
  if (more.length === 0) return `In ${first}.`;
  return providerApiOf(template) === 'RunInstances'
    ? `In ${first}; when EC2 lacks capacity there, the rest in ${more.join(', then ')}.`
    : `In ${subnetIds.join(', ')}, as AWS chooses.`;
};

const endOf = (template: Template): string => {
  const api = providerApiOf(template);
  if (api === 'RunInstances' || fleetTypeOf(template) === 'instant')
    return 'AWS answers at once, and that answer is final.';
  return `AWS goes on looking for capacity for ${expiryMs(template) / 60_000} minutes (spotFleetRequestExpiry).`;
};

const marketsOf = (template: Template): readonly Offering['market'][] => {
  if (template.priceType === 'heterogeneous') return ['spot', 'ondemand'];
  const onDemand = onDemandUnits(template, 100);
  return [...(onDemand < 100 ? (['spot'] as const) : []), ...(onDemand > 0 ? (['ondemand'] as const) : [])];
};

/** What EC2 refused lately of what the template may launch from: kept clear of for the moment. */
export const avoidedOf = (
  template: Template,
  refused: ListOfferingsAnswer['refused'],
): ListOfferingsAnswer['refused'] => {
  const types = weightedTypes(template).map(([type]) => type);
  const mayBe = (choices: readonly string[], refusedOne: string | undefined): boolean =>
    refusedOne === undefined || choices.length === 0 || choices.includes(refusedOne);
  return providerApiOf(template) === 'ASG'
    ? []
    : refused.filter(
        ({ market, instanceType, subnetId }) =>
          marketsOf(template).includes(market) && mayBe(types, instanceType) && mayBe(template.subnetIds, subnetId),
      );
};

/** Until a refusal is forgotten. */
export const minutesLeft = (expiresAt: string): string =>
  `${Math.max(1, Math.ceil((Date.parse(expiresAt) - Date.now()) / 60_000))} min`;

export const avoidedInWords = (avoided: ListOfferingsAnswer['refused']): readonly string[] =>
  avoided.map(({ market, instanceType = 'every type', subnetId = 'every subnet', code, expiresAt }) => {
    const how = market === 'spot' ? 'on spot' : 'on demand';
    return `Avoided for another ${minutesLeft(expiresAt)}, unless nothing else is left: ${instanceType} in ${subnetId} ${how} (${code}).`;
  });

/** What a request of this template leads to, in words. */
export const launchInWords = (template: Template, count: number): readonly string[] => {
  const api = providerApiOf(template);
  const isWeighted = weightedTypes(template).some(([, weight]) => weight > 1);
  const type = api === 'EC2Fleet' || api === 'SpotFleet' ? ` of type ${fleetTypeOf(template)}` : '';
  return [
    `${count} ${isWeighted ? 'units of capacity' : 'machines'} by ${api}${type}, since ${whyOf(template)}.`,
    `${offeringOf(template)}: ${marketOf(template, count)}.`,
    placesOf(template),
    endOf(template),
  ];
};
