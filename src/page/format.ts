const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

/** `3 min`, `2 h 10 min`: the two largest units. */
export const duration = (ms: number): string => {
  if (ms < minute) return `${Math.max(0, Math.round(ms / second))} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min`;
  if (ms < day) return `${Math.floor(ms / hour)} h ${Math.floor((ms % hour) / minute)} min`;
  return `${Math.floor(ms / day)} d ${Math.floor((ms % day) / hour)} h`;
};

export const age = (iso: string, now: number): string => duration(now - Date.parse(iso));

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const stamp = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
  hourCycle: 'h23',
});

const tick = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayTick = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** Below a chart: the hour, at midnight the day. */
export const axisTime = (ms: number): string => {
  const text = tick.format(ms);
  return text === '00:00' ? dayTick.format(ms) : text;
};

export const timeOfDay = (iso: string): string => clock.format(Date.parse(iso));
export const fullTime = (iso: string): string => stamp.format(Date.parse(iso));

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const count = (value: number): string => whole.format(value);

export const hoursText = (value: number): string => tenths.format(value);

const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });
export const usd = (value: number): string => dollars.format(value);

/** `req-1a2b3c4d`: enough for people, and every command takes it. */
export const shortId = (id: string): string => id.slice(0, 12);

export const statusNames: Readonly<Record<string, string>> = {
  running: 'running',
  complete: 'complete',
  complete_with_error: 'with error',
  cancelled: 'cancelled',
};
