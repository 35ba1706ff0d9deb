import type { Handler, Message, Operation } from '../bus.ts';
import { figure, sumFigures } from '../figures.ts';
import type { Figures, ReadModel } from '../ports.ts';

export interface GetMetrics extends Message {
  readonly type: 'GetMetrics';
}

export interface GetMetricsAnswer {
  /** Figures that only grow. */
  readonly counters: Figures;
  /** Figures of this moment. */
  readonly gauges: Figures;
}

export interface GetMetricsPorts {
  readonly readModel: Pick<ReadModel, 'read' | 'status'>;
  /** What all processes counted so far. */
  readonly usage: () => Promise<Figures>;
}

const isFigures = (value: unknown): value is Figures =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'number');

/** Sums rows of figures. Most are the same as many others: each text is parsed once. */
const sumRows = (rows: readonly string[]): Figures => {
  const times = new Map<string, number>();
  for (const row of rows) times.set(row, (times.get(row) ?? 0) + 1);
  return sumFigures(
    [...times].map(([row, count]) => {
      const value: unknown = JSON.parse(row);
      const figures = isFigures(value) ? value : {};
      return Object.fromEntries(Object.entries(figures).map(([name, each]) => [name, each * count]));
    }),
  );
};

/** Counts rows by some of their fields, which are told by the text: see listing.ts. */
const countBy = (name: string, rows: readonly string[], fields: Readonly<Record<string, string>>): Figures => {
  const counts = new Map<string, number>();
  const forms = Object.entries(fields).map(
    ([label, field]) => [label, new RegExp(`"${field}":"([^"\\\\]*)"`)] as const,
  );
  for (const row of rows) {
    const labels = forms.map(([label, form]) => [label, form.exec(row)?.[1] ?? '']);
    const key = figure(name, Object.fromEntries(labels));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
};

/** Figures about requests, machines, operations and AWS calls, over all processes that ever ran on this work folder. */
export const getMetricsHandler =
  ({ readModel, usage }: GetMetricsPorts): Handler<Operation<GetMetrics, GetMetricsAnswer>> =>
  async () => {
    const lag = (await readModel.status()).map(({ name, behind }) => ({
      [figure('projection_lag_streams', { projection: name })]: behind,
    }));
    const { rows: counted } = await readModel.read('counters');
    const { rows: machines } = await readModel.read('machines');
    const { rows: requests } = await readModel.read('requests');
    return {
      counters: sumFigures([sumRows(counted), await usage()]),
      gauges: sumFigures([
        ...lag,
        countBy('machines', machines, { state: 'status', template: 'templateId' }),
        countBy('requests', requests, { status: 'status', kind: 'kind' }),
      ]),
    };
  };
