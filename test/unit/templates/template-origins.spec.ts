import { expect, it } from 'vitest';
import { createTemplateCatalog } from '../../../src/templates/template-catalog.ts';
import { createTemplateOrigins } from '../../../src/templates/template-origins.ts';
import { createTemplateReader } from '../../../src/templates/template-reader.ts';
import { catalogFacts } from '../catalog-facts.ts';
import { configurationFolder } from '../config/configuration-folder.ts';
import { createRecordingLog } from '../recording-log.ts';

it('every value of a template is told with the place that gives it', async () => {
  const defaults = {
    all: { image_id: 'ami-12345678', subnetIds: ['subnet-a'], tags: { team: 'quant', env: 'dev' }, keyName: 'grid' },
    byApi: { EC2Fleet: { keyName: 'fleet', attributes: { rank: 2 } } },
  };
  const template = {
    template_id: 'a',
    maxNumber: 1,
    provider_api: 'EC2Fleet',
    spotPrice: 0.1,
    vmTypes: ['m5.large'],
    instanceTags: 'env=prod',
  };
  const text = JSON.stringify({ templates: [template] });
  const { environment } = await configurationFolder({ 'awsinstprov_templates.json': text });
  const read = createTemplateReader(environment.confDir, defaults);
  const facts = { ...catalogFacts(environment.workDir), read };
  const { templates } = await createTemplateCatalog(environment, facts, createRecordingLog()).read();
  const [served] = templates;
  if (served === undefined) throw new Error('not served');
  expect(await createTemplateOrigins(environment, { read, defaults })(served)).toEqual({
    templateId: 'template (template_id)',
    maxNumber: 'template',
    providerApi: 'template (provider_api)',
    priceType: 'template (spotPrice)',
    maxSpotPrice: 'template (spotPrice)',
    vmTypes: 'template',
    allOrNothing: 'program default',
    imageId: 'templateDefaults',
    subnetIds: 'templateDefaults',
    keyName: 'templateDefaultsByApi.EC2Fleet',
    'attributes.rank': 'templateDefaultsByApi.EC2Fleet',
    'attributes.ncores': 'program default',
    'attributes.type': 'instance types',
    'attributes.ncpus': 'instance types',
    'attributes.nram': 'instance types',
    'instanceTags.team': 'templateDefaults',
    'instanceTags.env': 'template',
  });
});
