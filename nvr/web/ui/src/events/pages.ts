/** The gallery's list: page by page backwards, and what is told while one looks. */

import { useEffect, useRef, useState } from "preact/hooks";
import { events as askEvents } from "../api/calls";
import { isAbort } from "../api/error";
import type { NvrEvent } from "../api/types";
import { requestOf, type Filter } from "./filter";
import { NONE, withEvent, withPage, withRenewed, withWaiting, type Shown } from "./list";

const PAGE = 60;

export interface Pages {
  shown: Shown;
  loading: boolean;
  error: unknown;
  more: () => void;
  /** One that was told just now. */
  tell: (event: NvrEvent) => void;
  /** Asks for those that were not told. */
  renew: () => void;
  showWaiting: () => void;
}

/** New ones do not push away what is being read. */
const reading = () => scrollY > 200;

type Take = (events: NvrEvent[], next: string | null) => void;

/** Asks for pages of the filter. Another filter aborts what was asked for the one before. */
function usePage(filter: Filter, key: string) {
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => {
    abort.current?.abort();
    abort.current = null;
  }, [key]);
  const ask = async (before: string | null, take: Take, done: () => void = () => undefined) => {
    abort.current ??= new AbortController();
    try {
      const page = await askEvents({ ...requestOf(filter), limit: PAGE, before }, abort.current.signal);
      take(page.events, page.next);
      setError(null);
    } catch (problem) {
      if (isAbort(problem)) return;
      setError(problem);
    }
    done();
    setLoading(false);
  };
  return { loading, setLoading, error, ask };
}

/** Another filter begins anew; an answer to an older one is thrown away. */
export function usePages(filter: Filter, key: string): Pages {
  const [shown, setShown] = useState<Shown>(NONE);
  const { loading, setLoading, error, ask } = usePage(filter, key);
  /** Told while a list began anew: its answer may not know them yet. */
  const early = useRef<NvrEvent[] | null>(null);
  const begin = () => {
    const told: NvrEvent[] = (early.current = []);
    setLoading(true);
    void ask(
      null,
      (events, next) => setShown(told.reduce((list, one) => withEvent(list, one, false), withPage(NONE, events, next))),
      () => (early.current = null),
    );
  };
  const renew = () => {
    // What begins anew is new enough.
    if (!early.current) void ask(null, (events, next) => setShown((now) => withRenewed(now, events, next, reading())));
  };
  const more = () => {
    if (loading) return;
    if (shown.next === null) return error ? begin() : undefined;
    setLoading(true);
    void ask(shown.next, (events, next) => setShown((now) => withPage(now, events, next)));
  };
  useEffect(begin, [key]);
  const tell = (event: NvrEvent) => {
    early.current?.push(event);
    setShown((before) => withEvent(before, event, reading()));
  };
  return { shown, loading, error, more, tell, renew, showWaiting: () => setShown(withWaiting) };
}
