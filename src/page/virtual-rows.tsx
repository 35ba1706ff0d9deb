import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
}

interface VirtualRowsProps<T> {
  /** Also the class that gives the columns their widths. */
  readonly kind: string;
  readonly label: string;
  /** In parentheses where only those need it who do not see the table. */
  readonly headings: readonly string[];
  readonly load: (offset: number, limit: number) => Promise<Page<T>>;
  /** A list other than the one before: it begins at its top. */
  readonly subject: string;
  /** The same list, perhaps with news. */
  readonly news: number;
  /** The cells of one line. */
  readonly line: (item: T) => ComponentChildren;
  readonly empty: string;
}

const pageSize = 100;
/** Lines drawn beyond what is seen, so that scrolling does not show gaps. */
const margin = 12;
/** Pixels; the style sheet says the same. */
const rowHeight = 36;

/** A table of any length: only the lines in sight are there, only the pages in sight are asked for. */
export const VirtualRows = <T,>(props: VirtualRowsProps<T>) => {
  const { kind, label, headings, load, subject, news, line, empty } = props;
  const box = useRef<HTMLElement>(null);
  const pages = useRef(new Map<number, readonly T[]>());
  const asked = useRef(new Set<number>());
  /** Pages of which there is news since they were asked for. */
  const outdated = useRef(new Set<number>());
  /** Counts the lists shown: an answer about one before says nothing of this. */
  const turn = useRef(0);
  const [total, setTotal] = useState<number | undefined>(undefined);
  const [fault, setFault] = useState('');
  const [span, setSpan] = useState({ from: 0, to: 60 });
  const [, redraw] = useState(0);

  const fetchPage = async (page: number, isForced: boolean): Promise<void> => {
    if (asked.current.has(page)) {
      if (isForced) outdated.current.add(page);
      return;
    }
    if (!isForced && pages.current.has(page)) return;
    const mine = turn.current;
    asked.current.add(page);
    const found = await load(page * pageSize, pageSize).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (mine !== turn.current) return;
    asked.current.delete(page);
    if (typeof found === 'string') setFault(found);
    else {
      pages.current.set(page, found.items);
      setTotal(found.total);
      setFault('');
    }
    redraw((before) => before + 1);
    if (outdated.current.delete(page)) void fetchPage(page, true);
  };
  const inSight = (): readonly number[] => {
    const [first, last] = [Math.floor(span.from / pageSize), Math.floor(span.to / pageSize)];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  };
  const measure = () => {
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    const from = Math.max(0, Math.floor(scrollTop / rowHeight) - margin);
    const to = Math.ceil((scrollTop + clientHeight) / rowHeight) + margin;
    setSpan((before) => (before.from === from && before.to === to ? before : { from, to }));
  };

  useEffect(() => {
    turn.current++;
    for (const each of [pages, asked, outdated]) each.current.clear();
    box.current?.scrollTo(0, 0);
    measure();
    void fetchPage(0, true);
  }, [subject]);
  useEffect(() => {
    for (const page of pages.current.keys()) if (!inSight().includes(page)) pages.current.delete(page);
    for (const page of inSight()) void fetchPage(page, true);
  }, [news]);
  useEffect(() => {
    for (const page of inSight()) if (page === 0 || page * pageSize < (total ?? 0)) void fetchPage(page, false);
  }, [span, total]);

  const last = Math.min(span.to, total ?? 0);
  const first = Math.min(span.from, last);
  const indexes = Array.from({ length: last - first }, (_, index) => first + index);
  /** Stands for the lines that are not there. */
  const Gap = ({ lines }: { readonly lines: number }) => <tr style={{ height: `${lines * rowHeight}px` }} />;
  return (
    <>
      {fault !== '' && <p class="warning failure">{fault}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has only a keyboard scrolls it too. */}
      <section class="rows" ref={box} onScroll={measure} aria-label={label} tabIndex={0}>
        <table class={kind} aria-rowcount={total ?? -1}>
          <thead>
            <tr>
              {headings.map((heading) => (
                <th key={heading}>
                  {heading.startsWith('(') ? <span class="hidden">{heading.slice(1, -1)}</span> : heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Gap lines={first} />
            {indexes.map((index) => {
              const item = pages.current.get(Math.floor(index / pageSize))?.[index % pageSize];
              return (
                <tr key={index} aria-rowindex={index + 1}>
                  {item === undefined ? <td class="faint">…</td> : line(item)}
                </tr>
              );
            })}
            <Gap lines={Math.max(0, (total ?? 0) - last)} />
          </tbody>
        </table>
        {total === 0 && <p class="faint">{empty}</p>}
      </section>
    </>
  );
};
