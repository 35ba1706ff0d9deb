import { closed, type FromSchema, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { texts, words } from '../bus/shapes.ts';

export const getConfiguration = defineOperation({
  name: 'GetConfiguration',
  bus: 'query',
  role: 'admin',
  title: 'Tell every setting with its value and where it comes from',
  input: {},
  answer: closed(
    {
      file: { ...words, description: 'Absent where the defaults alone apply' },
      values: listOf(
        closed({ name: words, value: {}, origin: { ...words, description: 'The file, variable or default' } }),
      ),
      warnings: texts,
      errors: { ...texts, description: 'What is named and not there: calls fail for want of it' },
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
