const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1, reverse: 7 } as const;
export type Colour = keyof typeof codes;

interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly isTerminal?: boolean;
}

/** Only on a terminal that has any, unless FORCE_COLOR says otherwise (force-color.org), and never where NO_COLOR is set (no-color.org). */
export const isColoured = ({
  env = process.env,
  isTerminal = process.stdout.isTTY === true,
}: Surroundings = {}): boolean => {
  const { NO_COLOR: never = '', FORCE_COLOR: forced = '' } = env;
  if (never !== '') return false;
  return forced === '' ? isTerminal && env['TERM'] !== 'dumb' : !/^(0|false)$/.test(forced);
};

/** Whether the locale has more than ASCII; where none is set, nothing speaks against it. */
export const isUnicode = (env: Surroundings['env'] = process.env): boolean => {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || 'UTF-8';
  return /utf-?8/i.test(locale);
};

export const painted = (text: string, colour: Colour | undefined): string =>
  colour === undefined ? text : `\u001b[${codes[colour]}m${text}\u001b[0m`;

/** Of a request, a machine, a finding: what is well, on its way, wrong or over. */
const ofStates: Readonly<Record<string, Colour>> = {
  complete: 'green',
  succeed: 'green',
  running: 'green',
  released: 'green',
  ok: 'green',
  pending: 'yellow',
  executing: 'yellow',
  'shutting-down': 'yellow',
  stopping: 'yellow',
  due: 'yellow',
  WARNING: 'yellow',
  complete_with_error: 'red',
  fail: 'red',
  ERROR: 'red',
  cancelled: 'dim',
  terminated: 'dim',
  stopped: 'dim',
};

export const colourOf = (state: string): Colour | undefined => ofStates[state.trim()];
