import type { Command, Handler, Operation } from '../bus/bus.ts';
import type { ProjectionName, ProjectionStatus, ReadModel } from '../ports/read-model.ts';

export interface RebuildProjection extends Command {
  readonly type: 'RebuildProjection';
  /** All of them where none is named. */
  readonly name?: ProjectionName | undefined;
}

export interface RebuildProjectionAnswer {
  readonly items: readonly Pick<ProjectionStatus, 'name' | 'streams' | 'events'>[];
}

const all: readonly ProjectionName[] = ['requests', 'machines', 'counters'];

/** Folds projections anew from all streams; the old ones answer until the new ones are whole. */
export const rebuildProjectionHandler =
  ({
    readModel,
  }: {
    readonly readModel: Pick<ReadModel, 'rebuild'>;
  }): Handler<Operation<RebuildProjection, RebuildProjectionAnswer>> =>
  async ({ name }) => {
    const items: ProjectionStatus[] = [];
    for (const each of name === undefined ? all : [name]) items.push(await readModel.rebuild(each));
    return { items: items.map(({ name: built, streams, events }) => ({ name: built, streams, events })) };
  };
