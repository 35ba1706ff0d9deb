import { PluginError } from '../../domain/errors.ts';
import type { InstanceTypeTable } from '../../domain/instance-type.ts';
import { closed } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, texts } from '../bus/shapes.ts';
import type { InstanceTypes } from '../ports/memory.ts';
import type { Logger } from '../ports/telemetry.ts';

export const refreshInstanceTypes = defineOperation({
  name: 'RefreshInstanceTypes',
  bus: 'command',
  role: 'admin',
  title: 'Ask EC2 for the Region’s instance types, to replace the table that ships with the program',
  input: {},
  answer: closed({ known: number, added: { ...texts, description: 'Instance types that were not known before' } }),
});

export interface RefreshInstanceTypesPorts {
  readonly instanceTypes: InstanceTypes;
  /** Of the Region, by EC2's answer. */
  readonly offeredTypes: () => Promise<InstanceTypeTable>;
  readonly log: Logger;
}

export const refreshInstanceTypesHandler =
  ({ instanceTypes, offeredTypes, log }: RefreshInstanceTypesPorts): HandlerOf<typeof refreshInstanceTypes> =>
  async () => {
    const before = await instanceTypes.table();
    const table = await offeredTypes();
    if (table.size === 0) throw new PluginError('provider.missing', 'EC2 lists no instance types for this Region');
    await instanceTypes.replace(table);
    const added = [...table.keys()].filter((name) => !before.has(name)).sort();
    log.info('instance-types.refreshed', `${table.size} types, ${added.length} new`);
    return { known: table.size, added };
  };
