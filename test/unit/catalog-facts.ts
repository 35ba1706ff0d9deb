import { join } from 'node:path';
import { createInstanceTypes } from '../../src/storage/instance-types.ts';
import type { CatalogFacts } from '../../src/templates/template-catalog.ts';

const shippedTypes = join(import.meta.dirname, '..', '..', 'config', 'instance-types.json');

/** What the catalog knows of instance types in an installation with this work directory. */
export const catalogFacts = (workDir: string): CatalogFacts => ({
  instanceTypes: createInstanceTypes(workDir, shippedTypes),
  rules: { ncpusAreCores: false, machineTypes: { x86_64: 'X86_64' } },
});
