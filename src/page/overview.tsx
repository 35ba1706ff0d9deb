import { useState } from 'preact/hooks';
import { call, type Offerings, type Overview, queryOf, readiness } from './api.ts';
import { CapacityChart } from './capacity-chart.tsx';
import { Confirm } from './dialog.tsx';
import { age, count, usd } from './format.ts';
import { useLoaded, useNow } from './hooks.ts';
import { Calls, Costs, Refused, Templates } from './overview-tables.tsx';

const spans = [
  [1, '1 hour'],
  [6, '6 hours'],
  [24, '24 hours'],
  [168, '7 days'],
] as const;

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly tone?: 'good' | 'warn' | 'bad' | '';
}

const Tile = ({ name, value, note, tone = '' }: TileProps) => (
  <div class="tile">
    <dt>{name}</dt>
    <dd class={`value ${tone}`}>{value}</dd>
    <dd class="note">{note}</dd>
  </div>
);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Host Factory asks every few seconds; after so long it is silent, ms. */
const silence = 120_000;
const scripts = new Set([
  'getAvailableTemplates',
  'requestMachines',
  'getRequestStatus',
  'requestReturnMachines',
  'getReturnRequests',
]);

const lastByHostFactory = ({ lastCalls }: Overview): string | undefined =>
  lastCalls
    .filter(({ by }) => scripts.has(by))
    .map(({ at }) => at)
    .sort()
    .at(-1);

interface TilesProps {
  readonly overview: Overview;
  readonly now: number;
  /** What keeps the server from its work; undefined while that is not known. */
  readonly trouble: string | undefined;
}

const Tiles = ({ overview, now, trouble }: TilesProps) => {
  const { templates, requests, costs, aws, refusals } = overview;
  const last = lastByHostFactory(overview);
  const isSilent = last === undefined || now - Date.parse(last) > silence;
  const known = costs.flatMap(({ usd: cost }) => (cost === undefined ? [] : [cost]));
  const unknown = costs.length - known.length;
  const hours = sum(costs.map((each) => each.hours));
  const refused = sum(refusals.map(({ missing }) => missing));
  return (
    <dl class="tiles">
      <Tile
        name="Machines running"
        value={count(sum(templates.map(({ running }) => running)))}
        note={`${count(sum(templates.map(({ pending }) => pending)))} starting`}
      />
      <Tile
        name="Requests under way"
        value={count(requests.running)}
        note={`${count(requests.complete)} complete, ${count(requests.complete_with_error)} with error`}
      />
      <Tile
        name="Host Factory last called"
        value={last === undefined ? 'never' : `${age(last, now)} ago`}
        note={isSilent ? 'It asks every few seconds when it runs' : 'by its scripts'}
        tone={isSilent ? 'warn' : 'good'}
      />
      <Tile
        name="Store, templates, AWS"
        value={trouble === undefined ? '…' : trouble === '' ? 'ready' : 'not ready'}
        note={trouble || 'tried every few seconds'}
        tone={trouble === '' ? 'good' : trouble === undefined ? '' : 'bad'}
      />
      <Tile
        name="Refused in this time"
        value={count(refused)}
        note={`machines, in ${refusals.length} refusals`}
        tone={refused > 0 ? 'warn' : ''}
      />
      <Tile
        name="About, in this time"
        value={usd(sum(known))}
        note={`${count(hours)} machine hours${unknown > 0 ? `; the price of ${unknown} is not known` : ''}`}
      />
      <Tile
        name="Calls to AWS"
        value={count(aws.calls)}
        note={`${count(aws.errors)} failed, ${count(aws.throttles)} throttled`}
        tone={aws.errors > aws.calls / 10 ? 'bad' : ''}
      />
    </dl>
  );
};

interface OverviewProps {
  readonly news: number;
  /** Whether who looks may clear protections. */
  readonly mayClear: boolean;
}

export const OverviewView = ({ news, mayClear }: OverviewProps) => {
  const [hours, setHours] = useState(24);
  const [clearing, setClearing] = useState<string | undefined>(undefined);
  const [cleared, setCleared] = useState(0);
  const now = useNow(1000);
  // Without news too: machines grow older, and Host Factory may have fallen silent.
  const turn = Math.floor(now / 10_000);
  const keys = [hours, news, turn, cleared];
  const overview = useLoaded(() => call<Overview>('GET', `/overview${queryOf({ hours })}`), keys);
  const health = useLoaded(readiness, [turn]);
  const offerings = useLoaded(() => call<Offerings>('GET', '/offerings'), keys);
  const { value } = overview;
  if (value === undefined)
    return overview.fault === undefined ? (
      <p class="faint">Loading…</p>
    ) : (
      <p class="warning failure" role="alert">
        {overview.fault.message}
      </p>
    );
  return (
    <>
      {overview.fault !== undefined && (
        <p class="warning failure" role="alert">
          This is not up to date: {overview.fault.message}
        </p>
      )}
      {value.warnings.map((warning) => (
        <p key={warning} class="warning">
          {warning}
        </p>
      ))}
      <Tiles overview={value} now={now} trouble={health.value} />
      <section class="panel">
        <div class="row-head">
          <h2>Machines over time</h2>
          <label>
            <span class="hidden">How far to look back</span>
            <select value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
              {spans.map(([each, name]) => (
                <option key={each} value={each}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
        <CapacityChart overview={value} />
      </section>
      <div class="columns">
        <div>
          <Templates overview={value} {...(mayClear ? { clear: setClearing } : {})} />
          <Costs costs={value.costs} />
        </div>
        <div>
          <Calls calls={value.calls} lastCalls={value.lastCalls} />
          <Refused refused={offerings.value?.refused ?? []} now={now} />
        </div>
      </div>
      {clearing !== undefined && (
        <Confirm
          question={`Let ${clearing} launch again?`}
          consequence="Its last machines all failed, and it launches nothing for a while. Once that is cleared the next request asks AWS again."
          action="Clear the protection"
          run={async () => {
            await call('DELETE', `/offerings${queryOf({ template: clearing })}`);
            setCleared((before) => before + 1);
          }}
          close={() => setClearing(undefined)}
        />
      )}
    </>
  );
};
