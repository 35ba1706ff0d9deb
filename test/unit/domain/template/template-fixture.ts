import type { Template } from '../../../../src/domain/template/template.ts';

/** The least an on-demand template needs. */
export const onDemandTemplate: Template = {
  templateId: 'od-a',
  maxNumber: 10,
  priceType: 'ondemand',
  attributes: { type: ['String', 'X86_64'], ncpus: ['Numeric', '2'], nram: ['Numeric', '4096'] },
  imageId: 'ami-12345678',
  subnetIds: ['subnet-a', 'subnet-b'],
  vmType: 'm5.large',
  instanceTags: [['team', 'quant']],
  securityGroupIds: [],
  allOrNothing: false,
};
