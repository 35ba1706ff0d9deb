import { PluginError } from '../../domain/errors.ts';
import type { InstanceTypeTable } from '../../domain/instance-type.ts';
import type { Command, Handler, Operation } from '../bus/bus.ts';
import type { InstanceTypes } from '../ports/memory.ts';
import type { Logger } from '../ports/telemetry.ts';

/** Asks EC2 what instance types the Region has, in place of the table that came with the program. */
export interface RefreshInstanceTypes extends Command {
  readonly type: 'RefreshInstanceTypes';
}

export interface RefreshInstanceTypesAnswer {
  readonly known: number;
  /** Names that were not known before. */
  readonly added: readonly string[];
}

interface RefreshInstanceTypesPorts {
  readonly instanceTypes: InstanceTypes;
  readonly ask: () => Promise<InstanceTypeTable>;
  readonly log: Logger;
}

export const refreshInstanceTypesHandler =
  ({
    instanceTypes,
    ask,
    log,
  }: RefreshInstanceTypesPorts): Handler<Operation<RefreshInstanceTypes, RefreshInstanceTypesAnswer>> =>
  async () => {
    const before = await instanceTypes.table();
    const table = await ask();
    if (table.size === 0) throw new PluginError('provider.missing', 'EC2 lists no instance types for this Region');
    await instanceTypes.replace(table);
    const added = [...table.keys()].filter((name) => !before.has(name)).sort();
    log.info('instance-types.refreshed', `${table.size} types, ${added.length} new`);
    return { known: table.size, added };
  };
