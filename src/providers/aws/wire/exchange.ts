export interface Message {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer, from AWS or from a proxy. */
export interface Received {
  readonly status: number;
  readonly contentType: string | undefined;
  /** AWS's id of the call. */
  readonly requestId: string | undefined;
  /** The code of an error of a JSON service. */
  readonly errorType: string | undefined;
  readonly text: string;
  /** When AWS answered, by its own clock. */
  readonly date: string | undefined;
  /** When it began to arrive, by this host's clock. */
  readonly at: number;
  /** It came in place of the encrypted connection that was asked for: nothing was sent to AWS. */
  readonly isFromProxy: boolean;
}

/** Carries a signed message to a URL and brings what was answered. */
export type Exchange = (url: URL, message: Message, signal: AbortSignal) => Promise<Received>;
