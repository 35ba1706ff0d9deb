import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { texts, words } from '../bus/shapes.ts';

export const getConfiguration = defineOperation({
  name: 'GetConfiguration',
  bus: 'query',
  role: 'admin',
  title: 'Show every setting with its value and its source',
  input: {},
  answer: closed(
    {
      file: { ...words, description: 'Absent if only defaults apply' },
      values: listOf(
        closed({ name: words, value: {}, origin: { ...words, description: 'The file, variable or default' } }),
      ),
      warnings: texts,
      errors: {
        ...texts,
        description: 'Files that the configuration names but that do not exist: calls fail without them',
      },
    },
    ['file'],
  ),
});

export type ConfigurationReport = FromSchema<typeof getConfiguration.answer>;
export type ConfiguredValue = ConfigurationReport['values'][number];

export const getConfigurationHandler =
  ({
    configuration,
  }: {
    readonly configuration: () => Promise<ConfigurationReport>;
  }): HandlerOf<typeof getConfiguration> =>
  async () =>
    configuration();
