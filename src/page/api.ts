import type { ExplainAnswer } from '../application/queries/explain.ts';
import type { GetOverviewAnswer } from '../application/queries/get-overview.ts';
import type { ListMachinesAnswer } from '../application/queries/list-machines.ts';
import type { ListOfferingsAnswer } from '../application/queries/list-offerings.ts';
import type { ListRequestsAnswer } from '../application/queries/list-requests.ts';

export type Overview = GetOverviewAnswer;
export type RequestPage = ListRequestsAnswer;
export type RequestRow = RequestPage['items'][number];
export type MachinePage = ListMachinesAnswer;
export type MachineRow = MachinePage['items'][number];
export type Explanation = ExplainAnswer;
export type Offerings = ListOfferingsAnswer;

export interface Session {
  readonly about: string;
  readonly version: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly readOnly: boolean;
  readonly hasTokens: boolean;
  readonly user?: string;
}

/** What the server refused, as it said it. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const tokenKey = 'hf-aws-token';

/** Kept for this tab alone. */
export const keepToken = (token: string | undefined): void => {
  if (token === undefined) sessionStorage.removeItem(tokenKey);
  else sessionStorage.setItem(tokenKey, token);
};

const headers = (): Record<string, string> => {
  const token = sessionStorage.getItem(tokenKey);
  return token === null ? {} : { authorization: `Bearer ${token}` };
};

const problemOf = async (response: Response): Promise<Refused> => {
  const problem: { readonly detail?: string } = await response.json().catch(() => ({}));
  return new Refused(response.status, problem.detail ?? `${response.status} ${response.statusText}`);
};

export const call = async <A>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<A> => {
  const response = await fetch(path, {
    method,
    headers: { ...headers(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await problemOf(response);
  const answer: A = await response.json();
  return answer;
};

/** What keeps the server from its work, in a few words; empty where nothing does. */
export const readiness = async (): Promise<string> => {
  const response = await fetch('/readyz');
  return response.ok ? '' : response.text();
};

export const queryOf = (fields: Readonly<Record<string, string | number | undefined>>): string => {
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

export interface StreamedEvent {
  readonly position: string;
  readonly requestId: string;
  readonly type: string;
  readonly at: string;
  readonly text: string;
  readonly userId?: string;
}

/** Milliseconds before a broken stream is taken up again. */
const [firstPause, longestPause] = [1000, 15_000];

const field = (frame: string, name: string): string | undefined =>
  frame
    .split('\n')
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2);

/** One connection's frames. `EventSource` could not carry a token. */
const readStream = async (last: string | undefined, signal: AbortSignal, take: (frame: string) => void) => {
  const response = await fetch('/events/stream', {
    headers: { ...headers(), ...(last === undefined ? {} : { 'last-event-id': last }) },
    signal,
  });
  if (!response.ok || response.body === null) throw await problemOf(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + value).split('\n\n');
    rest = frames.pop() ?? '';
    frames.forEach(take);
  }
};

/** Follows the events until told to stop; after a break it goes on from the last one that came. */
export const followEvents = (onEvent: (event: StreamedEvent) => void, onLive: (isLive: boolean) => void) => {
  const end = new AbortController();
  const follow = async (): Promise<void> => {
    let last: string | undefined;
    for (let pause = firstPause; !end.signal.aborted; pause = Math.min(longestPause, pause * 2)) {
      try {
        await readStream(last, end.signal, (frame) => {
          onLive(true);
          pause = firstPause;
          const [id, data] = [field(frame, 'id'), field(frame, 'data')];
          if (id === undefined || data === undefined) return;
          last = id;
          const event: StreamedEvent = JSON.parse(data);
          onEvent(event);
        });
      } catch {
        // Told below; taken up again after the pause.
      }
      onLive(false);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  void follow();
  return () => end.abort();
};
