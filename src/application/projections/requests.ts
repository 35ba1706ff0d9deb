import { type Folded, type RequestView, viewOfFolded } from '../read-model/views.ts';
import { applyToFolded, type Projection, startFolded } from './projection.ts';

/** A request as lists show it. */
export type RequestRow = Omit<RequestView, 'machines'> & {
  /** Milliseconds since the epoch of the latest event: the last one, unless a clock was set back. */
  readonly updatedAt: number;
};

export const requestsProjection: Projection<Folded> = {
  name: 'requests',
  handles: () => true,
  clear: startFolded,
  apply: applyToFolded,
  rows: ({ requestId, state, version, first, latestAt }) => {
    const view = viewOfFolded(requestId, state, { version, events: first === undefined ? [] : [first] });
    if (view === undefined) return [];
    const { machines: _machines, ...row } = view;
    return [{ ...row, updatedAt: latestAt } satisfies RequestRow];
  },
  keepsArchived: false,
};
