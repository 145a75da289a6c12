/** Small hooks that several pages share. */

import { useEffect, useMemo, useReducer, useRef } from "preact/hooks";
import { Loader } from "./loader";

export type Loaded<T> = Pick<Loader<T>, "value" | "error" | "reload" | "set">;

/** Loads once, and again every `every` ms while the page is visible. What was loaded for other `deps` is forgotten. */
export function useLoaded<T>(load: () => Promise<T>, deps: readonly unknown[], every = 0): Loaded<T> {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const loader = useMemo(() => new Loader(load, () => again(0)), deps);
  useEffect(() => {
    void loader.reload();
    const timer = every ? setInterval(() => !document.hidden && loader.tick(), every) : 0;
    return () => {
      loader.close();
      clearInterval(timer);
    };
  }, [loader, every]);
  return loader;
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
