import type { ApplicationService } from '../../application/bus/application-service.ts';
import type { GetOverviewAnswer } from '../../application/queries/get-overview.ts';
import type { ListRequestsAnswer } from '../../application/queries/list-requests.ts';
import { type MachineState, machineStates } from '../../domain/machine.ts';
import type { CommonOptions } from '../context.ts';
import { originOptions } from '../run.ts';

export type RequestRow = ListRequestsAnswer['items'][number];

/** What one frame shows. */
export interface TopData {
  /** Of the last 24 hours. */
  readonly overview: GetOverviewAnswer;
  /** USD of the last hour; left out where no price is known. */
  readonly lastHour?: number;
  readonly machines: readonly { readonly state: MachineState; readonly count: number }[];
  /** Those under way, then the newest others. */
  readonly requests: readonly RequestRow[];
  readonly warnings: readonly string[];
}

export const usdOf = (costs: GetOverviewAnswer['costs']): number | undefined => {
  const known = costs.flatMap(({ usd }) => (usd === undefined ? [] : [usd]));
  return known.length === 0 ? undefined : known.reduce((sum, usd) => sum + usd, 0);
};

/** More than any terminal has lines. */
const mostRequests = 200;

/** Of our own records alone: AWS is not asked. `filter`: text that a request must contain. */
export const readTop = async (
  service: ApplicationService,
  options: CommonOptions,
  filter: string,
): Promise<TopData> => {
  const origin = originOptions(options);
  const found = { limit: mostRequests, ...(filter === '' ? {} : { query: filter }), ...origin };
  const overview = await service.getOverview(origin);
  const lastHour = usdOf((await service.getOverview({ hours: 1, ...origin })).costs);
  const open = await service.listRequests({ status: 'running', ...found });
  const newest = await service.listRequests(found);
  const machines: TopData['machines'][number][] = [];
  for (const state of machineStates) {
    const { total } = await service.listMachines({ status: state, limit: 1, ...origin });
    machines.push({ state, count: total });
  }
  return {
    overview,
    ...(lastHour === undefined ? {} : { lastHour }),
    machines,
    requests: [...open.items, ...newest.items.filter(({ status }) => status !== 'running')],
    warnings: [...new Set([...overview.warnings, ...newest.warnings])],
  };
};
