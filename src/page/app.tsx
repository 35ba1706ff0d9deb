import { useEffect, useState } from 'preact/hooks';
import { call, followEvents, keepToken, Refused, type Session, type StreamedEvent } from './api.ts';
import { EventsView } from './events.tsx';
import { useLoaded, useRoute, useTicks } from './hooks.ts';
import { MachinesView } from './machines.tsx';
import { OverviewView } from './overview.tsx';
import { RequestDetails } from './request-details.tsx';
import { RequestsView } from './requests.tsx';

const views = [
  ['overview', 'Overview'],
  ['requests', 'Requests'],
  ['machines', 'Machines'],
  ['events', 'Events'],
] as const;

/** Events that are kept to be shown. */
const mostEvents = 500;
/** Milliseconds: however much happens, lists are asked for no more often. */
const newsPause = 1000;

const TokenForm = ({ fault, done }: { readonly fault: string; readonly done: () => void }) => {
  const [token, setToken] = useState('');
  const go = (event: SubmitEvent) => {
    event.preventDefault();
    keepToken(token);
    done();
  };
  return (
    <form class="panel token" onSubmit={go}>
      <h1>Host Factory on AWS</h1>
      <label for="token">Your token, from the file that the server was started with</label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        value={token}
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      {fault !== '' && (
        <p class="bad" role="alert">
          {fault}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary">
          Show
        </button>
      </div>
    </form>
  );
};

const Page = ({ session, leave }: { readonly session: Session; readonly leave: () => void }) => {
  const [view, id] = useRoute();
  /** Undefined until the first connection stands or fails. */
  const [isLive, setLive] = useState<boolean | undefined>(undefined);
  const [events, setEvents] = useState<readonly StreamedEvent[]>([]);
  const [news, tell] = useTicks(newsPause);
  useEffect(
    () =>
      followEvents((event) => {
        setEvents((before) => [event, ...before].slice(0, mostEvents));
        tell();
      }, setLive),
    [],
  );
  const { about, version, role, readOnly, user, hasTokens } = session;
  const mayChange = !readOnly && role !== 'viewer';
  const close = () => {
    location.hash = view;
  };
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <header class="top">
        <h1>Host Factory on AWS</h1>
        <nav aria-label="Views">
          {views.map(([name, title]) => (
            <a key={name} href={`#${name}`} {...(name === view ? { 'aria-current': 'page' as const } : {})}>
              {title}
            </a>
          ))}
        </nav>
        <span class="about">
          {about}, version {version}
        </span>
        <span class={`pill ${isLive === false ? 'warn' : 'good'}`} role="status">
          {isLive === undefined ? 'connecting' : isLive ? 'live' : 'connection lost, trying again'}
        </span>
        {hasTokens && (
          <button type="button" onClick={leave}>
            {user === undefined ? 'Leave' : `${user}: leave`}
          </button>
        )}
      </header>
      <main id="main">
        {view === 'requests' && <RequestsView news={news} />}
        {view === 'machines' && <MachinesView news={news} mayReturn={mayChange} />}
        {view === 'events' && <EventsView events={events} />}
        {!['requests', 'machines', 'events'].includes(view) && (
          <OverviewView news={news} mayClear={!readOnly && role === 'admin'} />
        )}
        {id !== undefined && <RequestDetails key={id} id={id} news={news} mayCancel={mayChange} close={close} />}
      </main>
    </>
  );
};

/** Asks who looks; without a token that the server knows it asks for one. */
export const App = () => {
  const [tries, setTries] = useState(0);
  const { value, fault } = useLoaded(() => call<Session>('GET', '/session'), [tries]);
  const again = () => setTries((before) => before + 1);
  if (fault instanceof Refused && fault.status === 401)
    return <TokenForm fault={tries === 0 ? '' : fault.message} done={again} />;
  if (value !== undefined)
    return (
      <Page
        session={value}
        leave={() => {
          keepToken(undefined);
          location.reload();
        }}
      />
    );
  return (
    <main>{fault === undefined ? <p class="faint">Loading…</p> : <p class="warning failure">{fault.message}</p>}</main>
  );
};
