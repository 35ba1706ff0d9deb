/** One try of a call to AWS. */
export interface AwsExchange {
  readonly action: string;
  /** When it went out, ms since the epoch by this host's clock. */
  readonly at: number;
  /** How long it took. */
  readonly ms: number;
  readonly input: object;
  readonly answer?: unknown;
  /** Our code, AWS's own or that of the connection, and the text for people. */
  readonly error?: { readonly code: string; readonly aws?: string | undefined; readonly message: string };
}

/** How a call of Host Factory ended. */
interface EndedCall {
  readonly ok: boolean;
  /** Undefined where it could not be read. */
  readonly input: unknown;
  readonly answer: object;
}

/** Takes down one call of Host Factory. Nothing of it ever throws. */
export interface CallRecording {
  readonly exchange: (exchange: AwsExchange) => void;
  /** Once the answer is out. */
  end(call: EndedCall): Promise<void>;
  /** Once the work is done that follows the answer. */
  after(): Promise<void>;
}

/** Takes down the calls of Host Factory. */
export interface CallRecorder {
  begin(operation: string, way: 'process' | 'server'): CallRecording;
}
