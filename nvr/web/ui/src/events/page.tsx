/** The gallery of events: newest first, without end, and new ones on top as they happen. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { events as askEvents } from "../api/calls";
import { isAbort } from "../api/error";
import { useTitle } from "../hooks";
import { t } from "../i18n";
import { go, href, type Route } from "../route";
import { Button, Empty, ErrorNote, Loading } from "../ui/parts";
import { EventCard } from "./card";
import { addressOf, filterOf, fits, requestOf, type Filter } from "./filter";
import { Filters } from "./filters";
import { NONE, withEvent, withPage, withWaiting, type Shown } from "./list";
import { listenToEvents } from "./live";

const PAGE = 60;

interface Pages {
  shown: Shown;
  loading: boolean;
  error: unknown;
  more: () => void;
  change: (how: (before: Shown) => Shown) => void;
}

/** Another filter begins anew; an answer to an older one is thrown away. */
function usePages(filter: Filter, key: string): Pages {
  const [shown, setShown] = useState<Shown>(NONE);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const abort = useRef<AbortController | null>(null);
  const load = async (before: string | null, anew: boolean) => {
    abort.current?.abort();
    const mine = (abort.current = new AbortController());
    setLoading(true);
    try {
      const page = await askEvents({ ...requestOf(filter), limit: PAGE, before }, mine.signal);
      setShown((now) => withPage(anew ? NONE : now, page.events, page.next));
      setError(null);
    } catch (problem) {
      if (isAbort(problem)) return;
      setError(problem);
    }
    setLoading(false);
  };
  useEffect(() => {
    void load(null, true);
    return () => abort.current?.abort();
  }, [key]);
  const more = () => {
    if (!loading && shown.next !== null) void load(shown.next, false);
    else if (!loading && error) void load(null, true);
  };
  return { shown, loading, error, more, change: setShown };
}

export function EventsPage({ route }: { route: Route }) {
  useTitle(t("ev.title"));
  const key = route.query.toString();
  const filter = useMemo(() => filterOf(route.query), [key]);
  const pages = usePages(filter, key);
  const { shown } = pages;
  useEffect(() => listenToEvents(filter.camera, (event) => {
    if (fits(filter, event)) pages.change((before) => withEvent(before, event, scrollY > 200));
  }), [key]);
  const showWaiting = () => {
    pages.change(withWaiting);
    scrollTo({ top: 0 });
  };
  const end = useNearEnd(pages.more, shown.events.length);
  return (
    <div class="page">
      <h1 class="sr-only">{t("ev.title")}</h1>
      <Filters filter={filter} onChange={(next) => go(href("events", "", addressOf(next)))} />
      <ErrorNote error={pages.error} onRetry={pages.more} />
      {shown.waiting.length > 0 && <div class="floating"><Button kind="main" label={t("ev.new", { n: shown.waiting.length })} onClick={showWaiting} /></div>}
      <div class="cards" data-testid="events">
        {shown.events.map((event) => <EventCard key={event.id} event={event} fresh={shown.fresh.has(event.id)} query={addressOf(filter)} />)}
      </div>
      {pages.loading && <Loading />}
      {!pages.loading && !pages.error && !shown.events.length && <Empty>{t("ev.none")}</Empty>}
      <div ref={end} class="end">
        {shown.next !== null && !pages.loading && <Button label={t("act.more")} onClick={pages.more} />}
      </div>
    </div>
  );
}

/** Calls when the end of the list comes near. */
function useNearEnd(more: () => void, length: number) {
  const end = useRef<HTMLDivElement>(null);
  const latest = useRef(more);
  latest.current = more;
  useEffect(() => {
    if (!length) return;
    const watch = new IntersectionObserver(([entry]) => entry.isIntersecting && latest.current(), { rootMargin: "600px" });
    watch.observe(end.current!);
    return () => watch.disconnect();
  }, [length]);
  return end;
}
