/** What the timeline page knows while it is open, and what can be done with it. */

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { serverNow } from "../clock";
import { useLatest } from "../hooks";
import { t } from "../i18n";
import type { Explain } from "../player/hole";
import type { Player } from "../player/player";
import { usePlayer } from "../player/use";
import type { Route } from "../route";
import { HOUR, MINUTE, parse, SECOND } from "../time";
import type { Wish } from "./keys";
import { gapAt, neighbour, offAt, rowFor, type Ledger } from "./ledger";
import { withMark, type Marks } from "./marking";
import { namesOf, watchedOf } from "./names";
import { LedgerStore } from "./store";
import { centred, following, limited, panned, zoomed, type View } from "./view";
import { isCut } from "./words";

export interface TimelineState {
  view: View;
  setView: (view: View) => void;
  /** Changes the view without a limit, by what it was. */
  moveView: (change: (before: View) => View) => void;
  /** Of the rows. */
  names: string[];
  watched: string[];
  watch: (cameras: string[]) => void;
  marks: Marks;
  setMarks: (marks: Marks) => void;
  shown: (label: string) => boolean;
  hidden: ReadonlySet<string>;
  toggleLabel: (label: string) => void;
  store: LedgerStore;
  player: Player;
  seek: (at: number) => void;
}

export function startOf(route: Route): number {
  const at = parse(route.query.get("at") ?? "");
  return Number.isNaN(at) ? serverNow() - MINUTE : at;
}

/** An hour around the moment; near now the room of the future is small. */
function beginning(at: number, now: number): View {
  const around = centred({ from: 0, to: HOUR }, at, HOUR);
  const late = around.to - (now + 5 * MINUTE);
  return late > 0 ? panned(around, -late) : around;
}

/** The ledger on the page explains a gap without a request. */
function explainer(ledger: () => Ledger): Explain {
  return (camera, at) => {
    const row = rowFor(ledger(), camera);
    const gap = row && gapAt(row, at);
    const off = row && !gap && offAt(row, at);
    const found = gap ?? off;
    if (!found) return null;
    // Of a span that reaches beyond what was asked for, the server tells the whole.
    const cut = isCut(ledger(), found);
    if (cut.before || cut.behind) return null;
    const words = gap ? { reason: gap.reason, meaning: gap.meaning } : { reason: "schedule", meaning: t("tl.off") };
    return { start: found.start, end: found.open ? null : found.end, ...words, detail: found.detail, live: false, told: true };
  };
}

function useLedger(view: View): LedgerStore {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const store = useRef<LedgerStore | null>(null);
  store.current ??= new LedgerStore(() => again(0));
  useEffect(() => store.current!.show(view), [view]);
  useEffect(() => () => store.current!.close(), []);
  return store.current;
}

export function useTimeline(route: Route, configured: string[]): TimelineState {
  const [view, moveView] = useState<View>(() => beginning(startOf(route), serverNow()));
  const [watched, watch] = useState(() => watchedOf(route, configured));
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [marks, setMarks] = useState<Marks>([null, null]);
  const store = useLedger(view);
  const rows = store.current.rows;
  const names = useMemo(() => namesOf(configured, rows, watched), [configured, rows, watched]);
  const player = usePlayer(startOf(route), true, useMemo(() => explainer(() => store.current), [store]));
  return {
    view, moveView, names, watched, watch, marks, setMarks, hidden, store, player,
    setView: (next) => moveView(limited(next, serverNow())),
    shown: (label) => !hidden.has(label),
    toggleLabel: (label) => setHidden(toggled(hidden, label)),
    seek: (at) => {
      player.seek(Math.min(at, serverNow()));
      moveView((before) => following(before, at, 0));
    },
  };
}

function toggled(before: ReadonlySet<string>, label: string): Set<string> {
  const next = new Set(before);
  if (!next.delete(label)) next.add(label);
  return next;
}

/** What a key wishes for, done. */
export function useGrant(state: TimelineState, help: () => void) {
  return useLatest((wish: Wish) => {
    const { player, view, seek } = state;
    switch (wish.do) {
      case "seek": return seek(player.at + wish.seconds * SECOND);
      case "frame": return player.stepFrame(wish.direction);
      case "toggle": return player.toggle();
      case "event": {
        const found = neighbour(state.store.current, state.watched, player.at, wish.direction, state.shown);
        return found ? seek(found.start) : undefined;
      }
      case "home": return seek(view.from);
      case "end": return seek(view.to);
      case "camera": return state.names[wish.n] ? state.watch([state.names[wish.n]]) : undefined;
      case "zoom": return state.setView(zoomed(view, anchorOf(view, player.at), wish.factor));
      case "help": return help();
      default: return state.setMarks(withMark(state.marks, wish.do === "markIn" ? 0 : 1, player.at));
    }
  });
}

/** Zooming keeps the player's place where it is, as long as it is in view. */
export function anchorOf(view: View, at: number): number {
  return at >= view.from && at <= view.to ? at : (view.from + view.to) / 2;
}
