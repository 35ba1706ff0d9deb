import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface DialogProps {
  readonly label: string;
  readonly isSmall?: boolean;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own dialog: it holds the keyboard until it is closed, and Escape closes it. */
export const Dialog = ({ label, isSmall = false, close, children }: DialogProps) => {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  return (
    <dialog ref={element} aria-label={label} class={isSmall ? 'small-dialog' : ''} onClose={close}>
      {children}
    </dialog>
  );
};

interface ConfirmProps {
  readonly question: string;
  /** What it does, for who has to decide. */
  readonly consequence: string;
  readonly action: string;
  readonly asksReason?: boolean;
  readonly run: (reason: string) => Promise<unknown>;
  readonly close: () => void;
}

/** Asks before anything is changed; what the server refuses is shown where it was asked for. */
export const Confirm = ({ question, consequence, action, asksReason = false, run, close }: ConfirmProps) => {
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState('');
  const [isBusy, setBusy] = useState(false);
  const go = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await run(reason);
      close();
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog label={question} isSmall close={close}>
      <form class="confirm" onSubmit={(event) => void go(event)}>
        <h2>{question}</h2>
        <p>{consequence}</p>
        {asksReason && (
          <>
            <label for="reason">Reason, kept with the request</label>
            <input
              id="reason"
              type="text"
              maxLength={200}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </>
        )}
        {fault !== '' && (
          <p class="warning failure" role="alert">
            {fault}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={close}>
            Leave it
          </button>
          <button type="submit" class="danger" disabled={isBusy}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
};
