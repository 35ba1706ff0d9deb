import { describe, expect, it } from 'vitest';
import type { RequestRow, TopData } from '../../../src/cli/top/data.ts';
import { clip, frame, phaseOf } from '../../../src/cli/top/frame.ts';
import { atFirst, keysOf, press, type TopState } from '../../../src/cli/top/keys.ts';
import { isDrawable } from '../../../src/cli/top/top.ts';

const now = Date.parse('2026-11-28T10:00:00Z');
const at = (secondsAgo: number): string => new Date(now - secondsAgo * 1000).toISOString();

const request = (n: number, more: Partial<RequestRow> = {}): RequestRow => ({
  requestId: `req-${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`,
  kind: 'create',
  status: 'running',
  message: '',
  templateId: 'od',
  wanted: 4,
  counts: { executing: 4, succeed: 0, fail: 0 },
  createdAt: at(n),
  updatedAt: at(0),
  version: 1,
  ...more,
});

const template = (templateId: string, running: number, isProtected = false) => ({
  templateId,
  maxNumber: 20,
  providerApi: 'RunInstances',
  priceType: 'ondemand',
  running,
  pending: 0,
  isProtected,
});

const data = (requests: readonly RequestRow[], templates = [template('od', 5)]): TopData => ({
  overview: {
    at: at(0),
    from: at(86_400),
    step: 1,
    templates,
    capacity: [],
    refusals: [{ at: at(240), templateId: 'od', code: 'InsufficientInstanceCapacity', missing: 3, requestId: 'req-1' }],
    costs: [{ templateId: 'od', priceType: 'spot', hours: 3, usd: 12.5 }],
    requests: { running: 1, complete: 2, complete_with_error: 3, cancelled: 4 },
    calls: [{ operation: 'getRequestStatus', calls: 7, median: 50, slowest: 250 }],
    lastCalls: [
      { by: 'hf-aws', at: at(1) },
      { by: 'getRequestStatus', at: at(5) },
    ],
    aws: { calls: 30, errors: 2, throttles: 1 },
    warnings: [],
  },
  lastHour: 1.234,
  machines: [
    { state: 'running', count: 5 },
    { state: 'pending', count: 0 },
  ],
  requests,
  warnings: [],
});

const look = { columns: 80, rows: 23, isColoured: false, isUnicode: true, now };
const drawn = (shown: TopData, more: Partial<typeof look & TopState> = {}) =>
  frame(shown, { filter: '', ...more }, { ...look, ...more });

describe('what top shows', () => {
  it('is who called last, machines, requests, spend, capacity, refusals and calls', () => {
    const text = drawn(data([request(65)])).join('\n');
    for (const part of [
      /^Host Factory +called 5s ago: getRequestStatus$/m,
      /^AWS +30 calls, 2 errors, 1 throttled$/m,
      /^Machines +5 running$/m,
      /^Requests +1 under way, 2 complete, 3 with error, 4 cancelled$/m,
      /^Spend +1\.23 USD in the last hour, 12\.50 USD in 24 hours$/m,
      /^ {2}00000065 +od +starting +4 +0 +4 +0 +65s$/m,
      /^od +5 +0 +20 +\[#####\.{15}\] +25 %$/m,
      /^4m +od +3 +InsufficientInstanceCapacity$/m,
      /^getRequestStatus +7 +50 ms +250 ms +5s$/m,
    ])
      expect(text).toMatch(part);
  });

  it('fits the terminal, whatever its size, and keeps requests and capacity in sight', () => {
    const many = Array.from({ length: 300 }, (_, n) => request(n, { templateId: `template-${'x'.repeat(n % 90)}` }));
    const templates = Array.from({ length: 60 }, (_, n) => template(`template-${n}-${'y'.repeat(70)}`, n));
    for (const columns of [20, 40, 80, 200])
      for (const rows of [3, 10, 23, 60]) {
        const lines = drawn(data(many, templates), { columns, rows, selectedId: many[150]?.requestId });
        expect([columns, rows, lines.length <= rows]).toEqual([columns, rows, true]);
        expect([columns, rows, lines.filter((line) => line.length > columns)]).toEqual([columns, rows, []]);
        if (rows >= 23) {
          expect(lines.filter((line) => line.startsWith('──'))).toHaveLength(4);
          expect(lines.filter((line) => line.startsWith('> '))).toHaveLength(1);
        }
      }
  });

  it('is ASCII where the locale has no more', () => {
    const text = drawn(data([], [template('y'.repeat(90), 1)]), { columns: 60, isUnicode: false }).join('\n');
    expect(text).toMatch(/^-- CAPACITY -+$/m);
    expect(text).toMatch(/y~ /);
    expect(text).toMatch(/^[\n -~]*$/);
  });

  it('puts a protected template before all others', () => {
    const templates = [template('busy', 19), template('idle', 0), template('dying', 0, true)];
    const lines = drawn(data([], templates));
    const first = lines.findIndex((line) => line.startsWith('TEMPLATE')) + 1;
    expect(lines[first]).toMatch(/^dying .*PROTECTED$/);
    expect(lines[first + 1]).toMatch(/^busy /);
  });

  it.each([
    [{ counts: { executing: 1, succeed: 0, fail: 0 } }, 'launching'],
    [{ counts: { executing: 1, succeed: 3, fail: 0 } }, 'starting'],
    [{ counts: { executing: 0, succeed: 3, fail: 1 } }, 'settling'],
    [{ kind: 'return' }, 'terminating'],
    [{ status: 'complete_with_error' }, 'complete_with_error'],
  ] as const)('tells the phase of a request: %j', (more, phase) => {
    expect(phaseOf(request(1, more))).toBe(phase);
  });

  it('counts no columns for colours where it cuts', () => {
    expect(clip('\u001b[31mabcdef\u001b[0mgh', 4)).toBe('\u001b[31mabcd\u001b[0m');
  });
});

describe('the keys of top', () => {
  const ids = ['a', 'b', 'c'];
  const pressing = (keys: string, from: TopState = atFirst) => {
    let pressed: ReturnType<typeof press> = { state: from };
    for (const key of keysOf(keys)) pressed = press(pressed.state, key, ids, 5);
    return pressed;
  };

  it('are told apart, also those of several characters', () => {
    expect(keysOf('j\u001b[A\u001bOB\u001b[5~\rq')).toEqual(['j', '\u001b[A', '\u001bOB', '\u001b[5~', '\r', 'q']);
    expect(keysOf('\u001b')).toEqual(['\u001b']);
  });

  it('select a request, and no further than the last', () => {
    expect(pressing('j').state.selectedId).toBe('a');
    expect(pressing('jj').state.selectedId).toBe('b');
    expect(pressing('jj\u001b[A').state.selectedId).toBe('a');
    expect(pressing('jjjjjjj').state.selectedId).toBe('c');
    expect(pressing('G').state.selectedId).toBe('c');
    expect(pressing('Gg').state.selectedId).toBe('a');
  });

  it('explain what is selected, scroll in it, and go back', () => {
    expect(pressing('jj\r')).toMatchObject({ state: { view: 'explain', selectedId: 'b' }, effect: 'explain' });
    expect(pressing('jj\rjjj').state).toMatchObject({ view: 'explain', scroll: 3 });
    expect(pressing('jj\rjjjjjjjjj').state.scroll).toBe(5);
    expect(pressing('jj\rq')).toMatchObject({ state: { view: 'main', selectedId: 'b' } });
    expect(press(atFirst, '\r', [], 0)).toEqual({ state: atFirst });
  });

  it('filter by a text, in which q is a letter', () => {
    expect(pressing('fqx\u007f?').state).toMatchObject({ view: 'main', typed: 'q?', filter: '' });
    expect(pressing('fqx\u007f\r')).toMatchObject({ state: { filter: 'q' }, effect: 'read' });
    expect(pressing('fq\r').state.typed).toBeUndefined();
    expect(pressing('fq\u001b').state).toMatchObject({ filter: '' });
    expect(pressing('fq\r\u001b')).toMatchObject({ state: { filter: '' }, effect: 'read' });
  });

  it('end with q, Ctrl-C or Ctrl-D, the latter two wherever one is', () => {
    expect(pressing('q').effect).toBe('quit');
    for (const keys of ['\u0004', 'fab\u0004', '\u0003', '?\u0003', 'fab\u0003', 'j\r\u0003'])
      expect(pressing(keys).effect).toBe('quit');
  });
});

it('a terminal that cannot place text, and a pipe, get one look', () => {
  const [there, gone] = [{ isTTY: true }, {}];
  expect(isDrawable(there, there, { TERM: 'xterm' })).toBe(true);
  expect(isDrawable(there, there, {})).toBe(true);
  expect(isDrawable(there, there, { TERM: 'dumb' })).toBe(false);
  expect(isDrawable(gone, there, { TERM: 'xterm' })).toBe(false);
  expect(isDrawable(there, gone, { TERM: 'xterm' })).toBe(false);
});
