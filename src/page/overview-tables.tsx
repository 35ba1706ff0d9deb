import type { Offerings, Overview } from './api.ts';
import { count, duration, hoursText, timeOfDay, usd } from './format.ts';

export const Templates = ({
  overview,
  clear,
}: {
  readonly overview: Overview;
  readonly clear?: (id: string) => void;
}) => (
  <section class="panel">
    <h2>Templates</h2>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Template</th>
            <th>Market</th>
            <th class="number">Running</th>
            <th class="number">Most</th>
            <th>Used</th>
          </tr>
        </thead>
        <tbody>
          {overview.templates.map(({ templateId, maxNumber, priceType, running, pending, isProtected }) => (
            <tr key={templateId}>
              <td>
                {templateId}
                {isProtected && (
                  <>
                    {' '}
                    <span class="pill bad" title="Its last machines all failed: it launches nothing for a while">
                      protected
                    </span>{' '}
                    {clear !== undefined && (
                      <button type="button" class="link" onClick={() => clear(templateId)}>
                        clear
                      </button>
                    )}
                  </>
                )}
              </td>
              <td>{priceType}</td>
              <td class="number">
                {count(running)}
                {pending > 0 && <span class="faint"> +{count(pending)}</span>}
              </td>
              <td class="number">{maxNumber < 0 ? 'no limit' : count(maxNumber)}</td>
              <td>
                {maxNumber > 0 && (
                  <meter
                    min={0}
                    max={Math.max(maxNumber, running + pending)}
                    low={maxNumber * 0.9}
                    high={maxNumber}
                    optimum={0}
                    value={running + pending}
                    aria-label={`${templateId}: ${running + pending} of ${maxNumber}`}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </section>
);

/** What costs go by: prices known at launch, where AWS had been asked by then. */
const priceBasis = (costs: Overview['costs']): string => {
  const sum = (values: readonly (number | undefined)[]): number =>
    values.reduce<number>((total, value = 0) => total + value, 0);
  const all = sum(costs.map(({ usd: cost }) => cost));
  const atLaunch = sum(costs.map(({ launchPricedUsd }) => launchPricedUsd));
  if (atLaunch === 0) return 'At the latest prices (hf-aws prices refresh)';
  const share = Math.round((100 * atLaunch) / all);
  return share === 100
    ? 'At the prices known at launch'
    : `At the prices known at launch for ${share} %, else the latest`;
};

export const Costs = ({ costs }: Pick<Overview, 'costs'>) => (
  <section class="panel">
    <h2>Cost by template and market</h2>
    {costs.length === 0 ? (
      <p class="faint">No machines in this time.</p>
    ) : (
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Template</th>
              <th>Market</th>
              <th class="number">Machine hours</th>
              <th class="number">About</th>
              <th class="number">Saved by spot</th>
            </tr>
          </thead>
          <tbody>
            {costs.map(({ templateId, priceType, hours, usd: cost, savings }) => (
              <tr key={`${templateId} ${priceType}`}>
                <td>{templateId}</td>
                <td>{priceType}</td>
                <td class="number">{hoursText(hours)}</td>
                <td class="number">{cost === undefined ? <span class="faint">price not known</span> : usd(cost)}</td>
                <td class="number">{savings === undefined ? '' : usd(savings)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
    <p class="faint">{priceBasis(costs)}; what AWS bills may differ.</p>
  </section>
);

export const Refused = ({ refused, now }: Pick<Offerings, 'refused'> & { readonly now: number }) => (
  <section class="panel">
    <h2>Pools that launches keep clear of</h2>
    {refused.length === 0 ? (
      <p class="faint">None: AWS refused nothing lately.</p>
    ) : (
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Type</th>
              <th>Subnet</th>
              <th>Market</th>
              <th>AWS said</th>
              <th>For</th>
            </tr>
          </thead>
          <tbody>
            {refused.map(({ market, instanceType = 'all', subnetId = 'all', code, expiresAt }) => (
              <tr key={`${market} ${instanceType} ${subnetId}`}>
                <td>{instanceType}</td>
                <td>{subnetId}</td>
                <td>{market}</td>
                <td>{code}</td>
                <td>{duration(Date.parse(expiresAt) - now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    )}
  </section>
);

export const Calls = ({ calls, lastCalls }: Pick<Overview, 'calls' | 'lastCalls'>) => (
  <section class="panel">
    <h2>Calls of Host Factory</h2>
    {calls.length === 0 ? (
      <p class="faint">None yet.</p>
    ) : (
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Script</th>
              <th class="number">Calls</th>
              <th class="number">Half within</th>
              <th class="number">99 % within</th>
              <th>Last</th>
            </tr>
          </thead>
          <tbody>
            {calls.map(({ operation, calls: times, median, slowest }) => {
              const last = lastCalls.find(({ by }) => by === operation);
              return (
                <tr key={operation}>
                  <td>{operation}</td>
                  <td class="number">{count(times)}</td>
                  <td class="number">{count(median)} ms</td>
                  <td class="number">{count(slowest)} ms</td>
                  <td>{last === undefined ? '' : timeOfDay(last.at)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    )}
  </section>
);
