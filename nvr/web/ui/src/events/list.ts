/** The events that are shown: pages from the server and what is told while one looks. Pure. */

import type { EventId, NvrEvent } from "../api/types";

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

/** An event was told: known ones are replaced where they are, new ones go to the top or wait. */
export function withEvent(shown: Shown, event: NvrEvent, hold: boolean): Shown {
  const replaced = (list: NvrEvent[]) => list.map((one) => (one.id === event.id ? { ...one, ...event } : one));
  if (shown.events.some((one) => one.id === event.id)) return { ...shown, events: replaced(shown.events) };
  if (shown.waiting.some((one) => one.id === event.id)) return { ...shown, waiting: replaced(shown.waiting) };
  if (hold) return { ...shown, waiting: [event, ...shown.waiting] };
  return { ...shown, events: [event, ...shown.events], fresh: new Set([...shown.fresh, event.id]) };
}

export function withWaiting(shown: Shown): Shown {
  const fresh = new Set([...shown.fresh, ...shown.waiting.map((one) => one.id)]);
  return { ...shown, events: [...shown.waiting, ...shown.events], waiting: [], fresh };
}
