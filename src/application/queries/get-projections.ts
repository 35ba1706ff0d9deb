import { closed, listOf, named } from '../bus/json-schema.ts';
import { defineOperation, type HandlerOf } from '../bus/operation.ts';
import { number, projectionName, requestId, words } from '../bus/shapes.ts';
import type { ReadModel } from '../ports/read-model.ts';

const failure = closed({ requestId: words, version: number, type: words, message: words, tries: number }, [
  'version',
  'type',
]);

export const getProjections = defineOperation({
  name: 'GetProjections',
  bus: 'query',
  role: 'viewer',
  title: 'Show how far each projection is, and the events it could not apply',
  input: { requestId: { ...requestId, description: 'Also show the version of this request in each' } },
  answer: named(
    'Projections',
    closed({
      items: listOf(
        closed(
          {
            name: projectionName,
            streams: number,
            events: number,
            behind: { ...number, description: 'Requests with events not yet applied' },
            failures: listOf(failure),
            version: number,
          },
          ['version'],
        ),
      ),
    }),
  ),
});

/** How far the projections are, without moving them on. */
export const getProjectionsHandler =
  ({ readModel }: { readonly readModel: Pick<ReadModel, 'status' | 'versionsOf'> }): HandlerOf<typeof getProjections> =>
  async ({ requestId }) => {
    const items = await readModel.status();
    if (requestId === undefined) return { items };
    const versions = await readModel.versionsOf(requestId);
    return { items: items.map((item) => ({ ...item, version: versions[item.name] })) };
  };
