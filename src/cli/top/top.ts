import { setTimeout as wait } from 'node:timers/promises';
import type { Argv } from 'yargs';
import type { ApplicationService } from '../../application/bus/application-service.ts';
import { messageOf } from '../../domain/errors.ts';
import { isColoured, isUnicode, painted } from '../colour.ts';
import type { CliContext, CommonOptions } from '../context.ts';
import { explainText } from '../explain.ts';
import { isForPeople } from '../formats.ts';
import { originOptions, show, withService } from '../run.ts';
import { seconds } from '../usage.ts';
import { readTop, type TopData } from './data.ts';
import { clip, frame, type Look } from './frame.ts';
import { atFirst, type Effect, helpLines, keysOf, press, type TopState } from './keys.ts';
import { openScreen, type Terminal } from './screen.ts';

export const topOptions = (yargs: Argv<CommonOptions>) =>
  yargs
    .option('interval', { ...seconds('--interval'), default: 2, describe: 'Seconds between two looks at our records' })
    .example('hf-aws top', 'until q; ? tells the keys')
    .example('hf-aws top | cat', 'one look, as text');

export interface TopOptions extends CommonOptions {
  readonly interval: number;
}

const keyLine = ({ view, filter, typed }: TopState, trouble: string): string => {
  if (typed !== undefined) return `filter: ${typed}_   enter applies, esc leaves it`;
  if (trouble !== '') return trouble;
  if (view === 'explain') return 'j k scroll   any other key goes back';
  if (view === 'help') return 'any key goes back';
  return `q quit   j k select   enter explain   f filter${filter === '' ? '' : ` "${filter}" (esc: all)`}   ? help`;
};

/** The last data, what the person does with it, and the explanation that was asked for, until it is over: the exit status. */
const live = async (
  service: ApplicationService,
  options: TopOptions,
  atStart: TopData,
  terminal: Terminal,
): Promise<number> => {
  const over = new AbortController();
  let [data, state, trouble, status] = [atStart, atFirst, '', 0];
  let explained: readonly string[] = [];
  const end = (code: number): void => {
    status = code;
    over.abort();
  };
  const bodyOf = (look: Look): readonly string[] => {
    if (state.view === 'help') return helpLines.slice(0, look.rows);
    return state.view === 'main' ? frame(data, state, look) : explained.slice(state.scroll, state.scroll + look.rows);
  };
  const draw = (): void => {
    const { columns, rows } = screen.size();
    const look: Look = {
      columns,
      rows: rows - 1,
      isColoured: isColoured({ isTerminal: true }),
      isUnicode: isUnicode(),
      now: Date.now(),
    };
    const body = bodyOf(look).map((line) => clip(line, columns));
    const space = Array<string>(Math.max(0, look.rows - body.length)).fill('');
    const keys = clip(keyLine(state, trouble), columns).padEnd(columns);
    screen.draw([...body, ...space, look.isColoured ? painted(keys, 'reverse') : keys]);
  };
  /** A fault is shown in the last line; what was read before stays. */
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      trouble = '';
    } catch (error) {
      trouble = messageOf(error);
    }
    draw();
  };
  const read = (): Promise<void> =>
    attempt(async () => {
      data = await readTop(service, options, state.filter);
    });
  const explain = (id: string): Promise<void> =>
    attempt(async () => {
      explained = [`${id} ...`];
      const answer = await service.explain({ id, ...originOptions(options) });
      explained = explainText(answer, screen.size().columns).split('\n');
    });
  const effects: Readonly<Record<Effect, () => unknown>> = {
    quit: () => end(0),
    read,
    explain: () => explain(state.selectedId ?? ''),
  };
  const pressed = (key: string): void => {
    const ids = data.requests.map(({ requestId }) => requestId);
    const { effect, ...next } = press(state, key, ids, Math.max(0, explained.length - 5));
    state = next.state;
    if (effect !== undefined) effects[effect]();
  };
  const screen = openScreen(terminal, {
    keys: (sent) => {
      for (const key of keysOf(sent)) pressed(key);
      draw();
    },
    resized: draw,
    ended: end,
  });
  try {
    draw();
    while (!over.signal.aborted) {
      await wait(options.interval * 1000, undefined, { signal: over.signal }).catch(() => undefined);
      if (!over.signal.aborted) await read();
    }
    return status;
  } finally {
    screen.close();
  }
};

/** Without a terminal: one look as text. */
const look = (data: TopData): string =>
  frame(
    data,
    { filter: '' },
    {
      columns: process.stdout.columns ?? 80,
      rows: Number.POSITIVE_INFINITY,
      isColoured: isColoured(),
      isUnicode: isUnicode(),
      now: Date.now(),
    },
  ).join('\n');

/** A dumb terminal shows the codes that place text as text. */
export const isDrawable = (
  stdin: { readonly isTTY?: boolean },
  stdout: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): boolean => stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb';

/** What goes on, live on a terminal until somebody ends it. */
export const runTop = (
  context: CliContext,
  options: TopOptions,
  terminal: Terminal & { readonly isTerminal: boolean } = {
    stdin: process.stdin,
    stdout: process.stdout,
    isTerminal: isDrawable(process.stdin, process.stdout, process.env),
  },
): Promise<number> =>
  withService(context, options, async (service) => {
    const data = await readTop(service, options, '');
    if (!terminal.isTerminal || !isForPeople(options)) {
      await show(context, options, data, look);
      return 0;
    }
    return live(service, options, data, terminal);
  });
