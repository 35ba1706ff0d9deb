import { join } from 'node:path';
import { rawFieldComplaints } from '../../src/providers/aws/inspect/raw-field-check.ts';
import { createInstanceTypes } from '../../src/storage/instance-types.ts';
import type { CatalogFacts } from '../../src/templates/template-catalog.ts';
import { createTemplateReader } from '../../src/templates/template-reader.ts';

const shippedTypes = join(import.meta.dirname, '..', '..', 'config', 'instance-types.json');

/** What the catalog knows of instance types in an installation with this work directory. */
export const catalogFacts = (workDir: string, confDir = workDir): CatalogFacts => ({
  instanceTypes: createInstanceTypes(workDir, shippedTypes),
  read: createTemplateReader(confDir, { all: {}, byApi: {} }),
  awsFields: async (...fields) => rawFieldComplaints(...fields),
  rules: { ncpusAreCores: false, machineTypes: { x86_64: 'X86_64' } },
});
