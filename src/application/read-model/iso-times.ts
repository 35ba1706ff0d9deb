import type { MachineView, RequestView } from './views.ts';

/** A time as answers tell it, ISO 8601 in UTC; records and projections keep milliseconds. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();

/** A request with its times in ISO 8601. */
export const requestWithIsoTimes = <R extends Pick<RequestView, 'createdAt' | 'settledAt'>>(request: R) => {
  const { createdAt, settledAt, ...rest } = request;
  return {
    ...rest,
    createdAt: isoTime(createdAt),
    ...(settledAt === undefined ? {} : { settledAt: isoTime(settledAt) }),
  };
};

/** The same for a machine; EC2 may never have shown its launch time. */
export const machineWithIsoTimes = <M extends Pick<MachineView, 'launchTime'>>(machine: M) => {
  const { launchTime, ...rest } = machine;
  return { ...rest, ...(launchTime === 0 ? {} : { launchTime: isoTime(launchTime * 1000) }) };
};

/** Fields of events that hold a time, with their unit in ms. */
const eventTimes: Readonly<Record<string, number>> = {
  at: 1,
  intendedAt: 1,
  sentAt: 1,
  createdAt: 1,
  expiresAt: 1,
  missedSince: 1,
  launchTime: 1000,
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const shownValue = (name: string, value: unknown): unknown => {
  const unit = eventTimes[name];
  if (typeof value === 'number' && unit !== undefined) return isoTime(value * unit);
  if (Array.isArray(value)) return value.map((each: unknown) => shownValue('', each));
  return isObject(value) ? withIsoTimes(value) : value;
};

/** All times of an event, however deep. */
export const withIsoTimes = (event: object): object =>
  Object.fromEntries(Object.entries(event).map(([name, value]) => [name, shownValue(name, value)]));
