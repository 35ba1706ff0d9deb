import { expect, it } from 'vitest';
import { checkHotPath } from '../../../scripts/dev/hot-path.ts';

const holding = (file: string, input: string, bytesInOutput = 1) => ({
  outputs: {
    [file]: { bytes: 1, inputs: { [input]: { bytesInOutput } }, imports: [], exports: [] },
  },
});

it.each([
  'node_modules/yargs/build/lib/yargs-factory.js',
  'node_modules/@aws-sdk/client-ec2/dist-es/index.js',
  'node_modules/@aws-sdk/client-ec2/dist-es/EC2Client.js',
  'node_modules/@aws-sdk/client-ec2/dist-es/schemas/schemas_0.js',
  'node_modules/@aws-sdk/client-ec2/dist-cjs/index.js',
  'node_modules/ajv/dist/core.js',
])('the hot path is kept free of %s', (input) => {
  expect(() => checkHotPath(holding('dist/aws.cjs', input))).toThrow(
    `hot path: dist/aws.cjs would load ${input.slice(13)}`,
  );
});

it.each([
  'src/templates/fields/host-fields.ts',
  'src/templates/fields/read-as.ts',
  'src/config/provider-config.schema.ts',
])('the hot path is kept free of the words for people in %s', (input) => {
  expect(() => checkHotPath(holding('dist/main.cjs', input))).toThrow(`hot path: dist/main.cjs would load ${input}`);
});

it('the hot path is kept free of Node’s file promises', () => {
  const imports = [{ path: 'node:fs/promises', kind: 'require-call', external: true } as const];
  const outputs = { 'dist/main.cjs': { bytes: 1, inputs: {}, imports, exports: [] } };
  expect(() => checkHotPath({ outputs })).toThrow('hot path: dist/main.cjs would load node:fs/promises');
});

it.each([
  ['dist/admin.cjs', 'node_modules/yargs/build/lib/yargs-factory.js', 1],
  ['dist/aws.cjs', 'node_modules/@aws-sdk/client-ec2/dist-es/index.js', 0],
  ['dist/main.cjs', 'src/domain/request/decide.ts', 1],
  ['dist/main.cjs', 'src/templates/fields/field-facts.computed.ts', 1],
  ['dist/administration.cjs', 'src/templates/fields/host-fields.ts', 1],
])('%s may name %s', (file, input, bytes) => {
  expect(() => checkHotPath(holding(file, input, bytes))).not.toThrow();
});
