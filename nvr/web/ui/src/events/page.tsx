/** The gallery of events: newest first, without end, and new ones on top as they happen. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { useTitle } from "../hooks";
import { t } from "../i18n";
import { go, href, type Route } from "../route";
import { Button, Empty, ErrorNote, Loading } from "../ui/parts";
import { EventCard } from "./card";
import { addressOf, filterOf, fits } from "./filter";
import { Filters } from "./filters";
import { listenToEvents } from "./live";
import { usePages } from "./pages";

export function EventsPage({ route }: { route: Route }) {
  useTitle(t("ev.title"));
  const key = route.query.toString();
  const filter = useMemo(() => filterOf(route.query), [key]);
  const pages = usePages(filter, key);
  const { shown } = pages;
  useEffect(() => listenToEvents(filter.camera, (event) => fits(filter, event) && pages.tell(event), pages.renew), [key]);
  const showWaiting = () => {
    pages.showWaiting();
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
