import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { ApplicationService } from '../application/bus/application-service.ts';
import { messageOf } from '../domain/errors.ts';

/** What a stream is made from. */
export interface EventSource {
  readonly service: () => Pick<ApplicationService, 'listEvents'>;
  /** Whether the server still takes calls: its end ends the stream. */
  readonly isReady: () => boolean;
  readonly correlationId: string;
}

/** Milliseconds between two looks; between two signs of life where nothing happens; for which an event may come late. */
const [pause, breath, lateness] = [1000, 15_000, 10_000];
/** Events of one look. */
const pageSize = 1000;

const positionForm = /^(\d{1,15})(-|$)/;

/** Whether a client may go on from there: it is a position that an event had. */
export const isPosition = (text: string): boolean => positionForm.test(text);

const startOf = (position: string): number => Number(positionForm.exec(position)?.[1] ?? 0);

type Told = Awaited<ReturnType<ApplicationService['listEvents']>>['items'][number];

const framed = ({ position, requestId, version, type, at, text, userId }: Told): string =>
  `id: ${position}\ndata: ${JSON.stringify({ position, requestId, version, type, at, text, userId })}\n\n`;

/**
 * Tells events as they are recorded, by whichever process: server-sent events whose ids are positions, from which a client goes on
 * after a break. Those of another host may come late by its clock: the last seconds are looked through again, each is told once.
 * Resolves when the client has gone or the server ends.
 */
export const streamEvents = async (
  response: ServerResponse,
  { service, isReady, correlationId }: EventSource,
  from: string,
): Promise<void> => {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const send = async (text: string): Promise<void> => {
    if (!response.write(text)) await once(response, 'drain', { signal: gone.signal });
  };
  /** Positions already sent, with their times, ms. */
  const told = new Map([[from, startOf(from)]]);
  let [position, spokeAt] = [from, Date.now()];
  /** Nothing from before the place where the client began is news to it. */
  const isNews = (each: Told): boolean => !told.has(each.position) && startOf(each.position) >= startOf(from);
  const tell = async (items: readonly Told[]): Promise<void> => {
    for (const item of items.filter(isNews)) {
      told.set(item.position, startOf(item.position));
      await send(framed(item));
      if (startOf(item.position) >= startOf(position)) position = item.position;
      spokeAt = Date.now();
    }
  };
  const look = async (): Promise<void> => {
    let next: string | undefined = position === from ? from : String(Math.max(0, startOf(position) - lateness));
    while (next !== undefined && !gone.signal.aborted) {
      const page: Awaited<ReturnType<ApplicationService['listEvents']>> = await service().listEvents({
        from: next,
        limit: pageSize,
        correlationId,
      });
      await tell(page.items);
      next = page.next;
    }
    for (const [each, at] of told) if (at < startOf(position) - 2 * lateness) told.delete(each);
  };
  try {
    await send('retry: 2000\n\n');
    while (isReady() && !gone.signal.aborted) {
      await look();
      if (Date.now() - spokeAt >= breath) {
        spokeAt = Date.now();
        await send(': still here\n\n');
      }
      await wait(pause, undefined, { signal: gone.signal });
    }
  } catch (error) {
    if (!gone.signal.aborted) await send(`event: fault\ndata: ${JSON.stringify(messageOf(error))}\n\n`);
  } finally {
    response.end();
  }
};
