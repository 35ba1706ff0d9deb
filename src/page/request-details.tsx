import { useState } from 'preact/hooks';
import { call, type Explanation, queryOf, type RequestRow } from './api.ts';
import { Confirm, Dialog } from './dialog.tsx';
import { duration, fullTime, statusNames } from './format.ts';
import { useLoaded } from './hooks.ts';

interface DetailsProps {
  readonly id: string;
  readonly news: number;
  readonly mayCancel: boolean;
  readonly close: () => void;
}

/** What happened to one request, step by step, and what to do. */
export const RequestDetails = ({ id, news, mayCancel, close }: DetailsProps) => {
  const [isAsking, setAsking] = useState(false);
  const { value, fault } = useLoaded(() => call<Explanation>('GET', `/requests/${id}/explanation`), [id, news]);
  const request = useLoaded(() => call<RequestRow>('GET', `/requests/${id}`), [id, news]).value;
  return (
    <Dialog label={`Request ${id}`} close={close}>
      <div class="row-head">
        <h2>{id}</h2>
        <span class="pill">{request === undefined ? '…' : statusNames[request.status]}</span>
      </div>
      {fault !== undefined && <p class="warning failure">{fault.message}</p>}
      {value !== undefined && (
        <>
          <p>{value.now}</p>
          <ol class="steps">
            {value.steps.map(({ at, after, text }) => (
              <li key={`${at} ${text}`}>
                <time dateTime={at}>
                  {fullTime(at)} <span class="faint">+{duration(after)}</span>
                </time>{' '}
                {text}
              </li>
            ))}
          </ol>
          {value.due !== undefined && <p class="faint">Next: {value.due.text}</p>}
          {value.next.map((advice) => (
            <p key={advice} class="warning">
              {advice}
            </p>
          ))}
        </>
      )}
      <div class="buttons">
        {mayCancel && request?.status === 'running' && request.kind === 'create' && (
          <button type="button" class="danger" onClick={() => setAsking(true)}>
            Cancel the request…
          </button>
        )}
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
      {isAsking && (
        <Confirm
          question="Cancel this request?"
          consequence="No more machines are asked for, and those it has are terminated. Host Factory is told that it ended with an error."
          action="Cancel the request"
          asksReason
          run={(reason) => call('DELETE', `/requests/${id}${queryOf({ reason: reason || 'on the page' })}`)}
          close={() => setAsking(false)}
        />
      )}
    </Dialog>
  );
};
