import type { ReturnEvent, ReturnItem } from './events.ts';

export interface KnownReturn {
  readonly stage: 'open' | 'settled';
  readonly createdAt: number;
  readonly settledAt?: number;
  readonly items: ReadonlyMap<string, ReturnItem>;
}

export type ReturnRequest = { readonly stage: 'absent' } | KnownReturn;

export const absentReturn: ReturnRequest = { stage: 'absent' };

const isFinal = ({ verdict }: ReturnItem): boolean => verdict === 'gone' || verdict === 'foreign';

export const evolveReturn = (state: ReturnRequest, event: ReturnEvent): ReturnRequest => {
  switch (event.type) {
    case 'ReturnRequested':
      return { stage: 'open', createdAt: event.at, items: new Map(event.items.map((item) => [item.key, item])) };
    case 'ReturnProgressed':
      return state.stage === 'absent'
        ? state
        : { ...state, items: new Map([...state.items, ...event.items.map((item) => [item.key, item] as const)]) };
    case 'ReturnCompleted':
      return state.stage === 'absent' ? state : { ...state, stage: 'settled', settledAt: event.at };
  }
};

/** Whether neither EC2 nor our records ever knew it: nothing has ended, though nothing is left to do either. */
export const isUnknown = ({ verdict, last }: ReturnItem): boolean => verdict === 'gone' && last === undefined;

/** Items whose end EC2 has not confirmed. */
export const openItems = (state: KnownReturn): readonly ReturnItem[] =>
  [...state.items.values()].filter((item) => !isFinal(item));

const withOthers = 'asked again later: ';
/** The reason for a host that was refused together with others: it may concern any of them. */
export const refusedWithOthers = (reason: string): string => `${withOthers}${reason}`;

/** Whether an earlier look had it refused by itself. */
export const wasRefused = ({ message }: ReturnItem): boolean => message !== '' && !message.startsWith(withOthers);
