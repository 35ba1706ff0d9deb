import { isReturnId } from '../../domain/ids.ts';
import { absentRequest, evolveRequest } from '../../domain/request/state.ts';
import { absentReturn, evolveReturn } from '../../domain/return/state.ts';
import { isReturnEvent } from '../life-cycle/streams.ts';
import type { ProjectionName } from '../ports/read-model.ts';
import type { RecordedEvent, StreamEvent } from '../ports/streams.ts';
import type { Folded } from '../read-model/views.ts';

/** What has been applied of one stream so far. */
interface Applied<S> {
  readonly requestId: string;
  readonly state: S;
  readonly version: number;
  readonly first: RecordedEvent | undefined;
  /** Milliseconds since the epoch. */
  readonly latestAt: number;
}

/** A read model folded from events, stream by stream: streams are short, so one with news is folded from its beginning. */
export interface Projection<S> {
  readonly name: ProjectionName;
  readonly handles: (type: StreamEvent['type']) => boolean;
  /** What a stream starts from. */
  readonly clear: (requestId: string) => S;
  readonly apply: (state: S, event: RecordedEvent) => S;
  readonly rows: (applied: Applied<S>) => readonly object[];
  /** Whether streams still count once they are archived. */
  readonly keepsArchived: boolean;
}

export const startFolded = (requestId: string): Folded =>
  isReturnId(requestId) ? { return: absentReturn } : { create: absentRequest };

export const applyToFolded = (folded: Folded, event: RecordedEvent): Folded => {
  if ('return' in folded) {
    return isReturnEvent(event) ? { return: evolveReturn(folded.return, event) } : folded;
  }
  return isReturnEvent(event) ? folded : { create: evolveRequest(folded.create, event) };
};
