/** What the person at the terminal sees and does. */
export interface TopState {
  readonly view: 'main' | 'help' | 'explain';
  readonly selectedId?: string | undefined;
  readonly filter: string;
  /** The filter while it is written; undefined while none is. */
  readonly typed?: string | undefined;
  /** Lines above the screen, of an explanation. */
  readonly scroll: number;
}

export const atFirst: TopState = { view: 'main', filter: '', scroll: 0 };

/** What a key does besides drawing anew. */
export type Effect = 'quit' | 'read' | 'explain';

export interface Pressed {
  readonly state: TopState;
  readonly effect?: Effect;
}

/** The keys of what a terminal has sent at once: an arrow is one of several characters. */
export const keysOf = (sent: string): readonly string[] => sent.match(/\p{Cc}(?:\[[\d;]*[A-Za-z~]|O[A-Z])|./gsu) ?? [];

const esc = '\u001b';
const named: Readonly<Record<string, string>> = {
  [`${esc}[A`]: 'up',
  [`${esc}OA`]: 'up',
  k: 'up',
  [`${esc}[B`]: 'down',
  [`${esc}OB`]: 'down',
  j: 'down',
  [`${esc}[5~`]: 'page-up',
  [`${esc}[6~`]: 'page-down',
  ' ': 'page-down',
  g: 'first',
  [`${esc}[H`]: 'first',
  G: 'last',
  [`${esc}[F`]: 'last',
  '\r': 'enter',
  '\n': 'enter',
  [esc]: 'escape',
  '/': 'f',
};

const steps: Readonly<Record<string, number>> = {
  up: -1,
  down: 1,
  'page-up': -10,
  'page-down': 10,
  first: Number.NEGATIVE_INFINITY,
  last: Number.POSITIVE_INFINITY,
};

const typing = (state: TopState, typed: string, key: string): Pressed => {
  const { typed: _done, ...rest } = state;
  if (key === '\r' || key === '\n') return { state: { ...rest, filter: typed, selectedId: undefined }, effect: 'read' };
  if (key === esc) return { state: rest };
  if (key === '\u007f' || key === '\b') return { state: { ...state, typed: typed.slice(0, -1) } };
  return { state: /^[\p{L}\p{N}\p{P}\p{S} ]$/u.test(key) ? { ...state, typed: typed + key } : state };
};

const moved = (state: TopState, ids: readonly string[], step: number): TopState => {
  if (step === 0) return state;
  const at = state.selectedId === undefined ? -1 : ids.indexOf(state.selectedId);
  const next = at < 0 ? 0 : Math.max(0, Math.min(ids.length - 1, at + step));
  return { ...state, selectedId: ids[step === Number.POSITIVE_INFINITY ? ids.length - 1 : next] };
};

const explaining = (state: TopState, ids: readonly string[]): Pressed => {
  if (ids.length === 0) return { state };
  const selectedId = ids.includes(state.selectedId ?? '') ? state.selectedId : ids[0];
  return { state: { ...state, selectedId, view: 'explain', scroll: 0 }, effect: 'explain' };
};

const inMain = (state: TopState, key: string, ids: readonly string[]): Pressed => {
  switch (key) {
    case 'q':
      return { state, effect: 'quit' };
    case '?':
      return { state: { ...state, view: 'help' } };
    case 'f':
      return { state: { ...state, typed: state.filter } };
    case 'r':
      return { state, effect: 'read' };
    case 'escape':
      return { state: { ...state, filter: '', selectedId: undefined }, effect: 'read' };
    case 'enter':
      return explaining(state, ids);
    default:
      return { state: moved(state, ids, steps[key] ?? 0) };
  }
};

/** What a key does. `ids`: the requests shown, in their order; `lines`: how far an explanation can be scrolled. */
export const press = (state: TopState, key: string, ids: readonly string[], lines: number): Pressed => {
  // Ctrl-C, and Ctrl-D: the end of the input.
  if (key === '\u0003' || key === '\u0004') return { state, effect: 'quit' };
  if (state.typed !== undefined) return typing(state, state.typed, key);
  const name = named[key] ?? key;
  if (state.view === 'main') return inMain(state, name, ids);
  const step = steps[name];
  if (step === undefined || state.view === 'help') return { state: { ...state, view: 'main', scroll: 0 } };
  return { state: { ...state, scroll: Math.max(0, Math.min(lines, state.scroll + step)) } };
};

export const helpLines = [
  'Keys',
  '',
  '  j k, arrows     select a request',
  '  PgUp PgDn, g G  ten at once; the first, the last',
  '  enter           tell what happened to it, and what to do',
  '  f /             only requests and templates with this text; esc: all',
  '  r               read anew now',
  '  ?               this help',
  '  q, Ctrl-C       end',
  '',
  'Everything is read from our own records: AWS is not asked.',
];
