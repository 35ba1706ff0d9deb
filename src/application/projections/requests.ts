import { type Folded, type RequestView, viewOfFolded } from '../views.ts';
import { applyToFolded, type Projection, startFolded } from './projection.ts';

/** A request as lists show it. */
export type RequestRow = Omit<RequestView, 'machines'> & {
  /** Milliseconds since the epoch of the last event. */
  readonly updatedAt: number;
};

export const requestsProjection: Projection<Folded> = {
  name: 'requests',
  handles: () => true,
  clear: startFolded,
  apply: applyToFolded,
  rows: ({ requestId, state, version, first, last }) => {
    const view = viewOfFolded(requestId, state, { version, events: first === undefined ? [] : [first] });
    if (view === undefined) return [];
    const { machines: _machines, ...row } = view;
    return [{ ...row, updatedAt: last?.at ?? row.createdAt } satisfies RequestRow];
  },
  keepsArchived: false,
};
