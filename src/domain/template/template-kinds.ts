/** What `hf-aws init` offers: the worked template of config/awsprov_templates.json that each kind begins from. */
export const templateKinds = {
  ondemand: 'od-m5-large',
  spot: 'ec2-fleet-spot',
  'spot-one-type': 'spot-one-type',
  'spot-fleet': 'spot-fleet',
  heterogeneous: 'heterogeneous',
  requirements: 'ec2-fleet-by-requirements',
  group: 'group-per-request',
  'own-group': 'own-group',
} as const;

export type TemplateKind = keyof typeof templateKinds;
