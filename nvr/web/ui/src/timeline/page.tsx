/** Playback above, the timeline below. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { cameras as askCameras } from "../api/calls";
import type { Camera } from "../api/types";
import { serverNow } from "../clock";
import { useLoaded, useTitle } from "../hooks";
import { t } from "../i18n";
import { Controls, SkipNote } from "../player/controls";
import { PlayerTile } from "../player/tile";
import { href, replaceAddress, type Route } from "../route";
import { isAdmin } from "../session";
import { rfc3339, SECOND } from "../time";
import { Empty, ErrorNote, Loading } from "../ui/parts";
import { TimelineBar } from "./bar";
import { TimelineCanvas } from "./canvas";
import { KeysDialog } from "./help";
import { isTyping, wishOf, type Wish } from "./keys";
import { Legend } from "./legend";
import { Marking } from "./marking";
import type { Scene } from "./paint";
import { MOST_WATCHED, watchedOf } from "./names";
import { startOf, useGrant, useTimeline, type TimelineState } from "./state";
import { TimelineSummary } from "./summary";
import { following } from "./view";
import { Watchers } from "./watchers";

export function TimelinePage({ route }: { route: Route }) {
  useTitle(t("tl.title"));
  const cameras = useLoaded(askCameras, [], 30 * SECOND);
  if (!cameras.value) return cameras.error ? <ErrorNote error={cameras.error} onRetry={() => void cameras.reload()} /> : <Loading />;
  if (!cameras.value.length && !route.query.has("camera")) return <Empty>{t(isAdmin() ? "live.none" : "live.noneForYou")}</Empty>;
  return <Timeline route={route} cameras={cameras.value} />;
}

function Timeline({ route, cameras }: { route: Route; cameras: Camera[] }) {
  const configured = useMemo(() => cameras.map((one) => one.camera), [cameras]);
  const [help, setHelp] = useState(false);
  const state = useTimeline(route, configured);
  useKeys(useGrant(state, () => setHelp(true)));
  useFollow(state);
  useAddress(route, state, configured);
  return (
    <div class="page timeline-page">
      <h1 class="sr-only">{t("tl.title")}</h1>
      <Watching state={state} />
      <Chart state={state} onHelp={() => setHelp(true)} />
      {help && <KeysDialog onClose={() => setHelp(false)} />}
    </div>
  );
}

function Watching({ state }: { state: TimelineState }) {
  const { player, watched } = state;
  return (
    <>
      <div class={`tiles n${Math.max(1, watched.length)}`}>
        {watched.map((camera) => <PlayerTile key={camera} player={player} camera={camera} />)}
        {!watched.length && <Empty>{t("play.none")}</Empty>}
      </div>
      <SkipNote player={player} />
      <div class="row-wrap">
        <Controls player={player} />
        <Marking marks={state.marks} at={() => player.at} cameras={watched} onMarks={state.setMarks} />
      </div>
    </>
  );
}

function Chart({ state, onHelp }: { state: TimelineState; onHelp: () => void }) {
  const { view, store, names, watched, player, marks, shown, watch } = state;
  const ledger = store.current;
  const toggle = (camera: string) =>
    watch(watched.includes(camera) ? watched.filter((one) => one !== camera) : [...watched, camera].slice(-MOST_WATCHED));
  const seek = (at: number, row: number) => {
    const camera = names[row];
    // A click into another camera's row goes to that camera; beside others, it joins them.
    if (camera && !watched.includes(camera)) watch(watched.length > 1 ? [...watched, camera].slice(-MOST_WATCHED) : [camera]);
    state.seek(at);
  };
  const scene: Scene = { view, ledger, cameras: names, watched, head: player.at, now: serverNow(), marks, shown };
  return (
    <>
      <TimelineBar view={view} at={player.at} onView={state.setView} onHelp={onHelp} onNow={() => state.seek(serverNow() - 10 * SECOND)} />
      <ErrorNote error={store.error} onRetry={() => void store.load()} />
      {ledger.to === 0 && !store.error && <p class="quiet" role="status">{t("tl.loading")}</p>}
      <TimelineCanvas scene={scene} onView={state.setView} onSeek={seek} />
      <TimelineSummary ledger={ledger} view={view} />
      <div class="row-wrap">
        <Watchers cameras={names} watched={watched} onToggle={toggle} />
        <Legend ledger={ledger} hidden={state.hidden} onToggle={state.toggleLabel} />
      </div>
    </>
  );
}

function useKeys(grant: { readonly current: (wish: Wish) => void }): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (isTyping(event.target, event.key)) return;
      const wish = wishOf(event);
      if (!wish) return;
      event.preventDefault();
      grant.current(wish);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

/** While it plays, what is shown goes along; it never jumps away from where somebody has looked to. */
function useFollow({ player, moveView }: TimelineState): void {
  const { at, playing } = player;
  const before = useRef(at);
  useEffect(() => {
    const was = before.current;
    before.current = at;
    if (!playing) return;
    moveView((view) => (was >= view.from && was <= view.to ? following(view, at) : view));
  }, [at, playing]);
}

/** The address tells where one is, so that it can be shared and the way back leads there. */
function useAddress(route: Route, { player, watched, seek, watch }: TimelineState, configured: string[]): void {
  const second = Math.floor(player.at / (2 * SECOND)) * 2 * SECOND;
  const first = useRef(true);
  useEffect(() => {
    replaceAddress(href("timeline", "", { at: rfc3339(second).replace(".000000", ""), camera: watched }));
  }, [second, watched]);
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      if (route.query.has("at")) seek(startOf(route));
      if (route.query.has("camera")) watch(watchedOf(route, configured));
    }
  }, [route]);
}
