import { useEffect, useRef, useState } from 'preact/hooks';
import type { Refused } from './api.ts';

export interface Loaded<A> {
  readonly value?: A;
  readonly fault?: Refused | Error;
}

/** What a call answers, asked anew whenever one of `keys` changes; the last answer is shown meanwhile. */
export const useLoaded = <A>(load: () => Promise<A>, keys: readonly unknown[]): Loaded<A> => {
  const [loaded, setLoaded] = useState<Loaded<A>>({});
  useEffect(() => {
    let isWanted = true;
    load().then(
      (value) => isWanted && setLoaded({ value }),
      (error: unknown) => {
        const fault = error instanceof Error ? error : new Error(String(error));
        if (isWanted) setLoaded((before) => ({ ...before, fault }));
      },
    );
    return () => {
      isWanted = false;
    };
  }, keys);
  return loaded;
};

/** The time, moved on so often, ms. */
export const useNow = (every: number): number => {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
};

/** A number that grows at most once in `every` ms, when something has happened. */
export const useTicks = (every: number): readonly [number, () => void] => {
  const [ticks, setTicks] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const tick = () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setTicks((before) => before + 1);
    }, every);
  };
  return [ticks, tick];
};

/** The part of the address after `#`, in its parts: `#requests/req-...`. */
export const useRoute = (): readonly [string, string | undefined] => {
  const read = (): string => location.hash.slice(1) || 'overview';
  const [route, setRoute] = useState(read());
  useEffect(() => {
    const change = () => setRoute(read());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  const [view = 'overview', id] = route.split('/');
  return [view, id];
};
