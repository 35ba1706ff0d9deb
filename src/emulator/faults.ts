import {
  type Check,
  either,
  hasShape,
  InvalidInput,
  isAmount,
  isCount,
  isOneOf,
  isPositive,
  isText,
  optional,
} from './invalid-input.ts';

type FaultEffect =
  /** An error answer in place of the action. `httpStatus`: that of the code if left out. */
  | { readonly kind: 'error'; readonly code: string; readonly message?: string; readonly httpStatus?: number }
  /** The action is done so many real milliseconds later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection is cut and nothing is done. */
  | { readonly kind: 'drop-before' }
  /** The action is done, then the connection is cut in place of the answer. */
  | { readonly kind: 'drop-after' }
  /** Nothing is done and nothing is answered, until the caller gives up or the emulator closes. */
  | { readonly kind: 'hang' };

export interface FaultRule {
  /** Left out: any action. */
  readonly action?: string;
  /** The first matching call to hit, counted from 1 since the rule was made; 1 if left out. */
  readonly nth?: number;
  /** How many matching calls in a row are hit; 1 if left out. */
  readonly times?: number | 'always';
  readonly effect: FaultEffect;
}

/** A rule with what it has come to. */
interface Fault extends FaultRule {
  readonly id: number;
  readonly matched: number;
  readonly fired: number;
}

export interface FaultBook {
  add(rule: FaultRule): Fault;
  list(): readonly Fault[];
  clear(): void;
  /** The effect on a call that arrives now. Every rule that matches counts the call; the oldest that fires wins. */
  meet(action: string): FaultEffect | undefined;
}

const isFiring = ({ nth = 1, times = 1, matched, fired }: Fault): boolean =>
  matched >= nth && (times === 'always' || fired < times);

export const createFaultBook = (): FaultBook => {
  const faults = new Map<number, Fault>();
  let last = 0;
  return {
    add: (rule) => {
      last += 1;
      const fault = { ...rule, id: last, matched: 0, fired: 0 };
      faults.set(last, fault);
      return fault;
    },
    list: () => [...faults.values()],
    clear: () => faults.clear(),
    meet: (action) => {
      let effect: FaultEffect | undefined;
      for (const fault of faults.values()) {
        if (fault.action !== undefined && fault.action !== action) continue;
        const counted = { ...fault, matched: fault.matched + 1 };
        const fires = effect === undefined && isFiring(counted);
        if (fires) effect = fault.effect;
        faults.set(fault.id, fires ? { ...counted, fired: fault.fired + 1 } : counted);
      }
      return effect;
    },
  };
};

const isStatus: Check = (value) => isCount(value) && Number(value) >= 400 && Number(value) <= 599;

const isEffect = either(
  hasShape({ kind: isOneOf('error'), code: isText, message: optional(isText), httpStatus: optional(isStatus) }),
  hasShape({ kind: isOneOf('delay'), ms: isAmount }),
  hasShape({ kind: isOneOf('drop-before', 'drop-after', 'hang') }),
);

const isRule = hasShape({
  action: optional(isText),
  nth: optional(isPositive),
  times: optional(either(isOneOf('always'), isPositive)),
  effect: isEffect,
});

const isFaultRule = (value: unknown): value is FaultRule => isRule(value);

/** Checks a rule from outside; fails with `InvalidInput`. */
export const readFaultRule = (value: unknown): FaultRule => {
  if (isFaultRule(value)) return value;
  throw new InvalidInput(
    "a fault rule is {action?: string, nth?: number >= 1, times?: number >= 1 or 'always', effect: {kind: 'error', code, message?, httpStatus? (400-599)} | {kind: 'delay', ms} | {kind: 'drop-before' | 'drop-after' | 'hang'}}",
  );
};
