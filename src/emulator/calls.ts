/** One recorded API call. Without a status it is under way, hanging, or was cut off before it was done. */
export interface Call {
  readonly seq: number;
  readonly action: string;
  /** Milliseconds on the emulator's clock. */
  readonly at: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly httpStatus?: number;
  readonly errorCode?: string;
  /** The kind of fault that was injected into the call. */
  readonly fault?: string;
}

export interface CallLog {
  /** Records a call at its arrival; the returned function adds what became of it. */
  begin(action: string, at: number, form: ReadonlyMap<string, string>): (outcome: Outcome) => void;
  list(): readonly Call[];
  clear(): void;
}

type Outcome = Partial<Pick<Call, 'httpStatus' | 'errorCode' | 'fault'>>;

// Old calls make room for new ones, so that a demo may run for days.
const mostCalls = 10_000;
const shownUserData = 24;

const shortened = (value: string): string =>
  value.length <= shownUserData ? value : `${value.slice(0, shownUserData)}... (${value.length} characters)`;

const isTold = (name: string): boolean => !['Action', 'Version', 'Body'].includes(name);

export const createCallLog = (): CallLog => {
  const calls = new Map<number, Call>();
  let last = 0;
  return {
    begin: (action, at, form) => {
      last += 1;
      const seq = last;
      const told = [...form].filter(([name]) => isTold(name));
      const parameters = Object.fromEntries(
        told.map(([name, value]) => [name, name.endsWith('UserData') ? shortened(value) : value]),
      );
      calls.set(seq, { seq, action, at, parameters });
      calls.delete(seq - mostCalls);
      return (outcome) => {
        const call = calls.get(seq);
        if (call !== undefined) calls.set(seq, { ...call, ...outcome });
      };
    },
    list: () => [...calls.values()],
    clear: () => calls.clear(),
  };
};
