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

/** Another filter begins anew; an answer to an older one is thrown away. */
export function usePages(filter: Filter, key: string): Pages {
  const [shown, setShown] = useState<Shown>(NONE);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const abort = useRef(new AbortController());
  /** Told while a list began anew: its answer may not know them yet. */
  const early = useRef<NvrEvent[] | null>(null);
  const ask = async (before: string | null, take: (events: NvrEvent[], next: string | null) => void) => {
    try {
      const page = await askEvents({ ...requestOf(filter), limit: PAGE, before }, abort.current.signal);
      take(page.events, page.next);
      setError(null);
    } catch (problem) {
      if (isAbort(problem)) return;
      setError(problem);
    }
    early.current = null;
    setLoading(false);
  };
  const begin = () => {
    early.current = [];
    setLoading(true);
    void ask(null, (events, next) => {
      const told = early.current ?? [];
      setShown(told.reduce((list, one) => withEvent(list, one, false), withPage(NONE, events, next)));
    });
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
  useEffect(() => {
    abort.current = new AbortController();
    begin();
    return () => abort.current.abort();
  }, [key]);
  const tell = (event: NvrEvent) => {
    early.current?.push(event);
    setShown((before) => withEvent(before, event, reading()));
  };
  return { shown, loading, error, more, tell, renew, showWaiting: () => setShown(withWaiting) };
}
