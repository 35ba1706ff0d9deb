import type { Handler, Message, Operation } from '../bus/bus.ts';
import type { ProjectionStatus, ReadModel } from '../ports/read-model.ts';

export interface GetProjections extends Message {
  readonly type: 'GetProjections';
  /** Also how far each projection is with this request. */
  readonly requestId?: string | undefined;
}

export interface GetProjectionsAnswer {
  readonly items: readonly (ProjectionStatus & { readonly version?: number })[];
}

/** How far the projections are, without moving them on. */
export const getProjectionsHandler =
  ({
    readModel,
  }: {
    readonly readModel: Pick<ReadModel, 'status' | 'versionsOf'>;
  }): Handler<Operation<GetProjections, GetProjectionsAnswer>> =>
  async ({ requestId }) => {
    const items = await readModel.status();
    if (requestId === undefined) return { items };
    const versions = await readModel.versionsOf(requestId);
    return { items: items.map((item) => ({ ...item, version: versions[item.name] })) };
  };
