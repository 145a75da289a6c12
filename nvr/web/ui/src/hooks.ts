/** Small hooks that several pages share. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  value: T | null;
  error: unknown;
  reload: () => Promise<void>;
  set: (value: T) => void;
}

/** Loads once, and again every `every` ms while the page is visible. An older answer never covers a newer one. */
export function useLoaded<T>(load: () => Promise<T>, deps: readonly unknown[], every = 0): Loaded<T> {
  const [value, set] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const turn = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++turn.current;
    try {
      const fresh = await load();
      if (mine !== turn.current) return;
      set(fresh);
      setError(null);
    } catch (problem) {
      if (mine === turn.current) setError(problem);
    }
  }, deps);
  useEffect(() => {
    void reload();
    const timer = every ? setInterval(() => !document.hidden && void reload(), every) : 0;
    return () => {
      turn.current++;
      clearInterval(timer);
    };
  }, [reload, every]);
  return { value, error, reload, set };
}

/** Calls the newest version of a function from a place that was set up once. */
export function useLatest<T>(value: T): { readonly current: T } {
  const ref = useRef(value);
  ref.current = value;
  return ref;
}

export function useTitle(text: string): void {
  useEffect(() => {
    document.title = `${text} · nvr`;
  }, [text]);
}
