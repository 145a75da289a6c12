/** The events that are shown: pages from the server and what is told while one looks. Pure. */

import type { EventId, NvrEvent } from "../api/types";
import { parse } from "../time";

export interface Shown {
  events: NvrEvent[];
  /** For the next page; null at the end. */
  next: string | null;
  /** Those that came while one looked. */
  fresh: ReadonlySet<EventId>;
  /** Those that wait until one has scrolled up. */
  waiting: NvrEvent[];
}

export const NONE: Shown = { events: [], next: null, fresh: new Set(), waiting: [] };

export function withPage(shown: Shown, events: NvrEvent[], next: string | null): Shown {
  const known = new Set(shown.events.map((one) => one.id));
  return { ...shown, events: [...shown.events, ...events.filter((one) => !known.has(one.id))], next };
}

/** The first page, asked for anew after a while without news. Where it does not reach back to what is shown, it is all. */
export function withRenewed(shown: Shown, events: NvrEvent[], next: string | null, hold: boolean): Shown {
  const known = new Set([...shown.events, ...shown.waiting].map((one) => one.id));
  if (next !== null && !events.some((one) => known.has(one.id))) return withPage(NONE, events, next);
  return events.reduceRight((now, one) => withEvent(now, one, hold), shown);
}

/** Newest first; what is told late may have begun earlier than what was told before. */
function placed(list: readonly NvrEvent[], event: NvrEvent): NvrEvent[] {
  const start = parse(event.start);
  const place = list.findIndex((one) => parse(one.start) <= start);
  return place < 0 ? [...list, event] : [...list.slice(0, place), event, ...list.slice(place)];
}

/** An event was told: known ones are replaced where they are, new ones go to their place or wait. */
export function withEvent(shown: Shown, event: NvrEvent, hold: boolean): Shown {
  const replaced = (list: NvrEvent[]) => list.map((one) => (one.id === event.id ? { ...one, ...event } : one));
  if (shown.events.some((one) => one.id === event.id)) return { ...shown, events: replaced(shown.events) };
  if (shown.waiting.some((one) => one.id === event.id)) return { ...shown, waiting: replaced(shown.waiting) };
  // What is older than what is shown comes with its page.
  const last = shown.events[shown.events.length - 1];
  if (shown.next !== null && last && parse(event.start) < parse(last.start)) return shown;
  if (hold) return { ...shown, waiting: placed(shown.waiting, event) };
  return { ...shown, events: placed(shown.events, event), fresh: new Set([...shown.fresh, event.id]) };
}

export function withWaiting(shown: Shown): Shown {
  const fresh = new Set([...shown.fresh, ...shown.waiting.map((one) => one.id)]);
  return { ...shown, events: shown.waiting.reduceRight(placed, shown.events), waiting: [], fresh };
}
