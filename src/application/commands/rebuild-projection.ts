import { closed, listOf } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, projectionName } from '../bus/shapes.ts';
import { type ProjectionStatus, projectionNames, type ReadModel } from '../ports/read-model.ts';

export const rebuildProjection = defineOperation({
  name: 'RebuildProjection',
  bus: 'command',
  role: 'admin',
  title: 'Rebuild one projection, or all of them, from the events',
  input: { name: { ...projectionName, description: 'The projection; default: all' } },
  answer: closed({ items: listOf(closed({ name: projectionName, streams: number, events: number })) }),
});

export interface RebuildProjectionPorts {
  readonly readModel: Pick<ReadModel, 'rebuild'>;
}

/** Folds projections anew from all streams; the old ones answer until the new ones are whole. */
export const rebuildProjectionHandler =
  ({ readModel }: RebuildProjectionPorts): HandlerOf<typeof rebuildProjection> =>
  async ({ name }) => {
    const items: ProjectionStatus[] = [];
    for (const each of name === undefined ? projectionNames : [name]) items.push(await readModel.rebuild(each));
    return { items: items.map(({ name: built, streams, events }) => ({ name: built, streams, events })) };
  };
