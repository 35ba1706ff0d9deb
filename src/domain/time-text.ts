const two = (value: number): string => String(value).padStart(2, '0');

/** A time for people, local and with its zone: `2026-11-28 10:30:00 +09:00`. `fraction` adds the milliseconds. */
export const localTime = (ms: number, { fraction = false } = {}): string => {
  const date = new Date(ms);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${day} ${time}${fraction ? `.${String(date.getMilliseconds()).padStart(3, '0')}` : ''} ${zone}`;
};

/** A length of time for people: `12s`, `4m`, `3h`, `2d`. */
export const age = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
};
