/** The frame around every page: navigation, login and language. */

import { useEffect, useReducer, useState } from "preact/hooks";
import { ApiError } from "./api/error";
import { whenCsrfIsOld, whenLoggedOut } from "./api/client";
import { EventDetailPage } from "./events/detail";
import { EventsPage } from "./events/page";
import { ExportsPage } from "./exports/page";
import { Icon, type IconName } from "./icons";
import { language, onLanguage, t, type Key } from "./i18n";
import { LivePage } from "./live/page";
import { useRoute, type Route } from "./route";
import { account, leaveForLogin, loadAccount, onAccount } from "./session";
import { Brand, LoginPage, SetupPage } from "./settings/login";
import { SettingsPage } from "./settings/page";
import { TimelinePage } from "./timeline/page";
import { Empty, ErrorNote, Loading } from "./ui/parts";
import { ZonesPage } from "./zones/page";

const PAGES: [string, Key, IconName][] = [
  ["live", "nav.live", "live"],
  ["timeline", "nav.timeline", "timeline"],
  ["events", "nav.events", "events"],
  ["exports", "nav.exports", "exports"],
  ["settings", "nav.settings", "settings"],
];

whenLoggedOut(leaveForLogin);
whenCsrfIsOld(loadAccount);

export function App() {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => onAccount(() => again(0)), []);
  useEffect(() => onLanguage(() => again(0)), []);
  const route = useRoute();
  // A change of language makes every page anew: strings are read while they render.
  if (route.page === "login") return <LoginPage key={language()} />;
  if (route.page === "setup") return <SetupPage key={language()} link={route.arg} />;
  return <Frame key={language()} route={route} />;
}

function Frame({ route }: { route: Route }) {
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    loadAccount().catch((problem: unknown) => {
      if (!(problem instanceof ApiError && problem.status === 401)) setError(problem);
    });
  };
  useEffect(() => {
    if (!account()) load();
  }, []);
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>{t("nav.skip")}</a>
      <nav class="nav" aria-label={t("nav.main")}>
        <Brand />
        {PAGES.map(([page, key, icon]) => (
          <a key={page} href={`#/${page}`} aria-current={isAt(route, page) ? "page" : undefined}>
            <Icon name={icon} size={20} /><span>{t(key)}</span>
          </a>
        ))}
      </nav>
      <main id="main" tabIndex={-1}>
        <ErrorNote error={error} onRetry={load} />
        {account() ? <Page route={route} /> : !error && <Loading />}
      </main>
    </div>
  );
}

function isAt(route: Route, page: string): boolean {
  return route.page === page || (route.page === "zones" && page === "settings");
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "live": return <LivePage route={route} />;
    case "timeline": return <TimelinePage route={route} />;
    case "events": return route.arg ? <EventDetailPage route={route} /> : <EventsPage route={route} />;
    case "exports": return <ExportsPage />;
    case "settings": return <SettingsPage />;
    case "zones": return <ZonesPage route={route} />;
    default: return <Empty>{t("state.notFound")}</Empty>;
  }
}
