import type { Json } from './plugin.ts';

/** On-demand templates for the end-to-end tests. `all` launches everything or nothing: moto gives MinCount only. */
export const testTemplates = (place: Json): readonly Json[] => {
  const attributes = { type: ['String', 'X86_64'], ncpus: ['Numeric', '1'], nram: ['Numeric', '4096'] };
  const common = {
    priceType: 'ondemand',
    attributes,
    vmType: 'm5.large',
    instanceTags: 'team=quant;env=prod',
    ...place,
  };
  return [
    { templateId: 'od', maxNumber: 100, ...common },
    { templateId: 'all', maxNumber: 100, allOrNothing: true, ...common },
    { templateId: 'few', maxNumber: 3, allOrNothing: true, ...common },
    { templateId: 'none', maxNumber: 0, ...common },
    { templateId: 'endless', maxNumber: -1, allOrNothing: true, ...common },
  ];
};
