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

const textOf = (row: object, field: string): string =>
  String(new Map<string, unknown>(Object.entries(row)).get(field) ?? '');

/** Counts rows by some of their fields. */
const countBy = (name: string, rows: readonly string[], fields: Readonly<Record<string, string>>): Figures =>
  sumFigures(
    rows.map((row) => {
      const value: object = Object(JSON.parse(row));
      const labels = Object.entries(fields).map(([label, field]) => [label, textOf(value, field)]);
      return { [figure(name, Object.fromEntries(labels))]: 1 };
    }),
  );

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
      counters: sumFigures([...counted.map((row): unknown => JSON.parse(row)).filter(isFigures), await usage()]),
      gauges: sumFigures([
        ...lag,
        countBy('machines', machines, { state: 'status', template: 'templateId' }),
        countBy('requests', requests, { status: 'status', kind: 'kind' }),
      ]),
    };
  };
