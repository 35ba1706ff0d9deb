import { useState } from 'preact/hooks';
import { call, queryOf, type RequestPage, type RequestRow } from './api.ts';
import { Choice, Search } from './filters.tsx';
import { age, duration, shortId, statusNames } from './format.ts';
import { useNow } from './hooks.ts';
import { VirtualRows } from './virtual-rows.tsx';

const tones: Readonly<Record<string, string>> = { running: '', complete: 'good', complete_with_error: 'bad' };

/** Minutes that a lane is long, unless one request took longer: all start at its left edge. */
const laneSpan = 10 * 60_000;

/** How long it waited, and what became of its machines: good, failed, still on their way. */
const Lane = ({ row, now }: { readonly row: RequestRow; readonly now: number }) => {
  const { createdAt, settledAt, wanted, counts } = row;
  const took = (settledAt === undefined ? now : Date.parse(settledAt)) - Date.parse(createdAt);
  const wait = Math.min(60, Math.max(1, (took / laneSpan) * 60));
  const share = (machines: number): number => (wanted === 0 ? 0 : (machines / wanted) * (100 - wait));
  const parts = [
    ['lane-wait', wait],
    ['lane-good', share(counts.succeed)],
    ['lane-bad', share(counts.fail)],
    ['lane-open', share(counts.executing)],
  ] as const;
  const text = `${settledAt === undefined ? 'waiting' : 'waited'} ${duration(took)}; ${counts.succeed} of ${wanted} good, ${counts.fail} failed, ${counts.executing} on their way`;
  let x = 0;
  return (
    <svg class="lane" viewBox="0 0 100 16" preserveAspectRatio="none" role="img" aria-label={text}>
      <title>{text}</title>
      <rect class="lane-track" width="100" height="16" />
      {parts.map(([name, width]) => {
        const from = x;
        x += width;
        return <rect key={name} class={name} x={from} width={width} height="16" />;
      })}
    </svg>
  );
};

const kinds = [
  ['create', 'Requests'],
  ['return', 'Returns'],
] as const;

export const RequestsView = ({ news }: { readonly news: number }) => {
  const [status, setStatus] = useState('');
  const [template, setTemplate] = useState('');
  const [text, setText] = useState('');
  const [kind, setKind] = useState('');
  const now = useNow(5000);
  const filters = { status, template, q: text, kind };
  return (
    <section class="panel">
      <div class="row-head">
        <h2>Requests</h2>
        <div class="filters">
          <Choice label="Kind" all="Requests and returns" choices={kinds} value={kind} choose={setKind} />
          <Choice
            label="Status"
            all="Every status"
            choices={Object.entries(statusNames)}
            value={status}
            choose={setStatus}
          />
          <Search label="Template" hint="Template" value={template} seek={setTemplate} />
          <Search label="Search" hint="Search" value={text} seek={setText} />
        </div>
      </div>
      <VirtualRows<RequestRow>
        kind="requests"
        label="Requests, newest first"
        headings={['Request', 'Template', 'Status', 'Machines', 'Age', 'Waiting, then good, failed, on their way']}
        subject={queryOf(filters)}
        news={news}
        load={(offset, limit) => call<RequestPage>('GET', `/requests${queryOf({ ...filters, offset, limit })}`)}
        line={(row) => (
          <>
            <td>
              <a href={`#requests/${row.requestId}`}>{shortId(row.requestId)}</a>
            </td>
            <td>{row.templateId ?? <em class="faint">return</em>}</td>
            <td class={tones[row.status] ?? 'faint'} title={row.message}>
              {statusNames[row.status]}
            </td>
            <td>
              {row.counts.succeed} of {row.wanted}
            </td>
            <td>{age(row.createdAt, now)}</td>
            <td>
              <Lane row={row} now={now} />
            </td>
          </>
        )}
        empty="No request fits."
      />
    </section>
  );
};
