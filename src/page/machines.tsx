import { useState } from 'preact/hooks';
import { call, type MachinePage, type MachineRow, queryOf } from './api.ts';
import { Confirm } from './dialog.tsx';
import { Choice, Search } from './filters.tsx';
import { age, shortId } from './format.ts';
import { useNow } from './hooks.ts';
import { VirtualRows } from './virtual-rows.tsx';

const states = ['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped'] as const;

const isThere = ({ status }: MachineRow): boolean => status === 'running' || status === 'pending';

interface MachinesProps {
  readonly news: number;
  readonly mayReturn: boolean;
}

export const MachinesView = ({ news, mayReturn }: MachinesProps) => {
  const [status, setStatus] = useState('');
  const [template, setTemplate] = useState('');
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isAsking, setAsking] = useState(false);
  const now = useNow(10_000);
  const filters = { status, template, q: text };
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <section class="panel">
      <div class="row-head">
        <h2>Machines</h2>
        <div class="filters">
          {chosen.size > 0 && (
            <button type="button" class="danger" onClick={() => setAsking(true)}>
              Return {chosen.size}…
            </button>
          )}
          <Choice
            label="State"
            all="Every state"
            choices={states.map((state) => [state, state])}
            value={status}
            choose={setStatus}
          />
          <Search label="Template" hint="Template" value={template} seek={setTemplate} />
          <Search label="Search" hint="Id, name or address" value={text} seek={setText} />
        </div>
      </div>
      <VirtualRows<MachineRow>
        kind="machines"
        label="Machines, those of the newest request first"
        headings={['(Choose)', 'Instance', 'Name', 'State', 'Type', 'Market', 'Template', 'Age']}
        subject={queryOf(filters)}
        news={news}
        load={(offset, limit) => call<MachinePage>('GET', `/machines${queryOf({ ...filters, offset, limit })}`)}
        line={(row) => (
          <>
            <td>
              {mayReturn && isThere(row) && (
                <input
                  type="checkbox"
                  aria-label={`Choose ${row.machineId}`}
                  checked={chosen.has(row.machineId)}
                  onChange={() => toggle(row.machineId)}
                />
              )}
            </td>
            <td>
              <a href={`#machines/${row.requestId}`} title={`of request ${shortId(row.requestId)}`}>
                {row.machineId}
              </a>
            </td>
            <td title={`${row.name} ${row.privateIpAddress}`}>{row.name || <span class="faint">no name yet</span>}</td>
            <td class={row.result === 'fail' ? 'bad' : ''} title={row.message}>
              {row.status}
            </td>
            <td>{row.instanceType}</td>
            <td>{row.priceType}</td>
            <td>{row.templateId}</td>
            <td>{row.launchTime === undefined ? '' : age(row.launchTime, now)}</td>
          </>
        )}
        empty="No machine fits."
      />
      {isAsking && (
        <Confirm
          question={`Return ${chosen.size === 1 ? 'this machine' : `these ${chosen.size} machines`}?`}
          consequence={`${[...chosen].slice(0, 8).join(', ')}${chosen.size > 8 ? ' and others' : ''}: they are terminated, whatever runs on them. Host Factory is not asked first.`}
          action="Terminate"
          run={async () => {
            await call('POST', '/returns', { machines: [...chosen].map((machineId) => ({ machineId })) });
            setChosen(new Set());
          }}
          close={() => setAsking(false)}
        />
      )}
    </section>
  );
};
