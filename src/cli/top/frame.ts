import { age } from '../../domain/time-text.ts';
import { type Colour, colourOf, painted } from '../colour.ts';
import { shortIds } from '../ids.ts';
import { bar } from '../progress.ts';
import { table } from '../table.ts';
import { type RequestRow, type TopData, usdOf } from './data.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Look extends Size {
  readonly isColoured: boolean;
  /** Draws with more than ASCII. */
  readonly isUnicode: boolean;
  /** ms since the epoch */
  readonly now: number;
}

export interface Shown {
  /** The request that the cursor is on. */
  readonly selectedId?: string | undefined;
  readonly filter: string;
}

/** Cuts a line to its columns; colours take none. */
export const clip = (line: string, columns: number): string => {
  let left = columns;
  return line
    .split(/(\p{Cc}\[\d+m)/u)
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const text = part.slice(0, left);
      left -= text.length;
      return text;
    })
    .join('');
};

/** Host Factory asks every few seconds; after so long it is silent, ms. */
const silence = 120_000;
const scripts = /^(getAvailableTemplates|requestMachines|getRequestStatus|requestReturnMachines|getReturnRequests)$/;

/** How far a request has come. */
export const phaseOf = ({ status, kind, wanted, counts }: RequestRow): string => {
  if (status !== 'running') return status;
  if (kind === 'return') return 'terminating';
  if (counts.executing + counts.succeed + counts.fail < wanted) return 'launching';
  return counts.executing > 0 ? 'starting' : 'settling';
};

const phaseColours: Readonly<Record<string, Colour>> = {
  launching: 'cyan',
  starting: 'yellow',
  terminating: 'yellow',
  settling: 'cyan',
  complete: 'dim',
};

const usd = (value: number | undefined): string => (value === undefined ? 'not known' : `${value.toFixed(2)} USD`);
const listed = (parts: readonly string[], nothing: string): string => (parts.length === 0 ? nothing : parts.join(', '));

const calledLine = ({ overview: { lastCalls } }: TopData, { now, isColoured }: Look): string => {
  const [last] = lastCalls.filter(({ by }) => scripts.test(by)).toSorted((a, b) => b.at.localeCompare(a.at));
  const since = last === undefined ? silence : now - Date.parse(last.at);
  const text = last === undefined ? 'never called' : `called ${age(since)} ago: ${last.by}`;
  return `Host Factory  ${isColoured ? painted(text, since < silence ? 'green' : 'yellow') : text}`;
};

const summary = (data: TopData, look: Look): readonly string[] => {
  const { overview, machines, lastHour } = data;
  const { aws, requests, costs } = overview;
  const states = machines.filter(({ count }) => count > 0).map(({ state, count }) => `${count} ${state}`);
  return [
    calledLine(data, look),
    `AWS           ${aws.calls} calls, ${aws.errors} errors, ${aws.throttles} throttled`,
    `Machines      ${listed(states, 'none')}`,
    `Requests      ${requests.running} under way, ${requests.complete} complete, ${requests.complete_with_error} with error, ${requests.cancelled} cancelled`,
    `Spend         ${usd(lastHour)} in the last hour, ${usd(usdOf(costs))} in 24 hours`,
  ];
};

/** A heading and what of the rows there is room for. */
interface Section {
  readonly title: string;
  readonly count: number;
  /** Lines it would have at most, and at least. */
  readonly wants: number;
  readonly least: number;
  draw(rows: number): readonly string[];
}

type Template = TopData['overview']['templates'][number];

const usedOf = ({ running, pending }: Template): number => running + pending;

const capacityText = (template: Template): string => {
  const { maxNumber } = template;
  if (maxNumber < 0) return 'no limit';
  const share = usedOf(template) / Math.max(1, maxNumber);
  return `${bar(share)} ${String(Math.round(100 * share)).padStart(3)} %`;
};

const capacitySection = ({ overview }: TopData, { filter }: Shown, look: Look): Section => {
  const templates = overview.templates
    .filter(({ templateId }) => templateId.includes(filter))
    .toSorted((a, b) => Number(b.isProtected) - Number(a.isProtected) || usedOf(b) - usedOf(a));
  const rows = templates.map((template) => [
    template.templateId,
    String(template.running),
    String(template.pending),
    template.maxNumber < 0 ? '-' : String(template.maxNumber),
    capacityText(template),
    template.isProtected ? 'PROTECTED' : '',
  ]);
  const finish = (text: string, column: number): string =>
    look.isColoured && column === 5 ? painted(text, 'red') : text;
  return {
    title: 'CAPACITY',
    count: rows.length,
    wants: rows.length + 1,
    least: 4,
    draw: (room) =>
      table(['TEMPLATE', 'RUN', 'PEND', 'MAX', 'USED', ''], rows.slice(0, room - 1), {
        columns: look.columns,
        whole: [4],
        finish,
      }).split('\n'),
  };
};

const requestSection = ({ requests }: TopData, { selectedId }: Shown, look: Look): Section => {
  const short = shortIds(requests.map(({ requestId }) => requestId));
  const rows = requests.map((request) => [
    short(request.requestId),
    request.templateId ?? '(return)',
    phaseOf(request),
    String(request.wanted),
    String(request.counts.succeed),
    String(request.counts.executing),
    String(request.counts.fail),
    age(look.now - Date.parse(request.createdAt)),
  ]);
  const finish = (text: string, column: number): string =>
    look.isColoured && column === 2 ? painted(text, phaseColours[text] ?? colourOf(text)) : text;
  const draw = (room: number): readonly string[] => {
    const at = selectedId === undefined ? -1 : requests.findIndex(({ requestId }) => requestId === selectedId);
    const first = Math.max(0, Math.min(at - Math.floor((room - 1) / 2), rows.length - (room - 1)));
    const shown = rows.slice(first, first + room - 1);
    const heading = ['REQUEST', 'TEMPLATE', 'PHASE', 'WANTED', 'OK', 'WAIT', 'FAIL', 'AGE'];
    const columns = look.columns - 2;
    const lines = table(heading, shown, { columns, whole: [0, 2], finish }).split('\n');
    return lines.map((line, index) => {
      const isSelected = at >= 0 && index === at - first + 1;
      return `${isSelected ? '> ' : '  '}${isSelected && look.isColoured ? painted(line, 'bold') : line}`;
    });
  };
  return { title: 'REQUESTS', count: rows.length, wants: rows.length + 1, least: 4, draw };
};

const refusalSection = ({ overview: { refusals } }: TopData, look: Look): Section => {
  const rows = refusals.map(({ at, templateId, code, missing }) => [
    age(look.now - Date.parse(at)),
    templateId,
    String(missing),
    code,
  ]);
  return {
    title: 'REFUSED BY AWS IN 24 HOURS',
    count: rows.length,
    wants: rows.length === 0 ? 0 : rows.length + 1,
    least: 0,
    draw: (room) =>
      table(['AGE', 'TEMPLATE', 'MISSING', 'CODE'], rows.slice(0, room - 1), { columns: look.columns }).split('\n'),
  };
};

const callSection = ({ overview: { calls, lastCalls } }: TopData, look: Look): Section => {
  const lastAt = new Map(lastCalls.map(({ by, at }) => [by, at]));
  const rows = calls
    .filter(({ operation }) => scripts.test(operation))
    .map(({ operation, calls: count, median, slowest }) => {
      const last = lastAt.get(operation);
      const since = last === undefined ? '-' : age(look.now - Date.parse(last));
      return [operation, String(count), `${median} ms`, `${slowest} ms`, since];
    });
  return {
    title: 'CALLS OF HOST FACTORY',
    count: rows.length,
    wants: rows.length === 0 ? 0 : rows.length + 1,
    least: 0,
    draw: (room) =>
      table(['SCRIPT', 'CALLS', 'HALF WITHIN', '99 % WITHIN', 'LAST'], rows.slice(0, room - 1), {
        columns: look.columns,
      }).split('\n'),
  };
};

/** Lines for each section: its least, then what is left in this order of need. */
const shareOut = (sections: readonly Section[], lines: number): readonly number[] => {
  const given = sections.map(({ wants, least }) => Math.min(wants, least));
  let left = lines - given.reduce((sum, each) => sum + each, 0) - sections.filter(({ wants }) => wants > 0).length;
  // One of each in turn, so that none takes all.
  for (let isMore = true; isMore && left > 0; ) {
    isMore = false;
    sections.forEach(({ wants }, index) => {
      const has = given[index] ?? 0;
      if (left <= 0 || has >= wants) return;
      // A heading alone says nothing.
      const more = has === 0 ? 2 : 1;
      if (left < more) return;
      given[index] = has + more;
      left -= more;
      isMore = true;
    });
  }
  return given;
};

const sectionLines = ({ title, count, draw }: Section, room: number, look: Look): readonly string[] => {
  if (room === 0) return [];
  const shown = Math.min(count, room - 1);
  const name = shown < count ? `${title} (${shown} of ${count})` : title;
  const rule = `── ${name} ${'─'.repeat(Math.max(0, Math.min(look.columns, 100) - name.length - 4))}`;
  const [heading = '', ...lines] = draw(room);
  return count === 0
    ? [look.isColoured ? painted(rule, 'dim') : rule, 'none']
    : [look.isColoured ? painted(rule, 'dim') : rule, look.isColoured ? painted(heading, 'bold') : heading, ...lines];
};

const inAscii = (line: string): string => line.replaceAll('─', '-').replaceAll('…', '~');

/** All that fits, without the last line, which shows the keys. */
export const frame = (data: TopData, shown: Shown, look: Look): readonly string[] => {
  const head = summary(data, look);
  const sections = [
    requestSection(data, shown, look),
    capacitySection(data, shown, look),
    refusalSection(data, look),
    callSection(data, look),
  ];
  const room = shareOut(sections, look.rows - head.length - data.warnings.length);
  return [
    ...head,
    ...data.warnings.map((warning) => `warning: ${warning}`),
    ...sections.flatMap((section, index) => sectionLines(section, room[index] ?? 0, look)),
  ]
    .map((line) => clip(look.isUnicode ? line : inAscii(line), look.columns))
    .slice(0, look.rows);
};
