import type { StreamedEvent } from './api.ts';
import { shortId, timeOfDay } from './format.ts';

export const EventsView = ({ events }: { readonly events: readonly StreamedEvent[] }) => (
  <section class="panel">
    <h2>What happens now</h2>
    {events.length === 0 && (
      <p class="faint">Nothing since this page was opened. What is recorded appears here by itself.</p>
    )}
    <ul class="feed" aria-live="polite">
      {events.map(({ position, at, requestId, text }) => (
        <li key={position}>
          <time class="faint" dateTime={at}>
            {timeOfDay(at)}
          </time>
          <a href={`#events/${requestId}`}>{shortId(requestId)}</a>
          <span>{text}</span>
        </li>
      ))}
    </ul>
  </section>
);
