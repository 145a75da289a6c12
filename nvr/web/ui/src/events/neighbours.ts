/** The events beside one, in the same filter. */

import { events as askEvents } from "../api/calls";
import type { EventId, EventPage, NvrEvent } from "../api/types";
import { serverNow } from "../clock";
import { MINUTE, parse, rfc3339 } from "../time";
import { requestOf, type Filter } from "./filter";

export interface Around {
  newer: EventId | null;
  older: EventId | null;
}

type Query = Record<string, string | string[] | number | null>;
type Ask = (query: Query) => Promise<EventPage>;

export async function neighbours(event: NvrEvent, filter: Filter, ask: Ask = askEvents, now = serverNow()): Promise<Around> {
  const query = requestOf(filter);
  const older = await ask({ ...query, to: rfc3339(parse(event.start) + 1), limit: 5 });
  const place = older.events.findIndex((one) => one.id === event.id);
  return { newer: await nearestNewer(query, event, ask, now), older: older.events[place + 1]?.id ?? null };
}

/** Newest first is the only order there is: the nearest newer one is the last before it of a window that grows. */
async function nearestNewer(query: Query, event: NvrEvent, ask: Ask, now: number): Promise<EventId | null> {
  const start = parse(event.start);
  const last = typeof query.to === "string" ? parse(query.to) : now;
  for (let room = 10 * MINUTE; start + room / 8 < last; room *= 8) {
    const window = { ...query, from: rfc3339(start), to: rfc3339(Math.min(start + room, last)) };
    const found = await lastBefore(window, event, ask);
    if (found !== null) return found;
  }
  return null;
}

async function lastBefore(query: Query, event: NvrEvent, ask: Ask): Promise<EventId | null> {
  const start = parse(event.start);
  let last: EventId | null = null;
  let before: string | null = null;
  do {
    const page: EventPage = await ask({ ...query, before, limit: 500 });
    // Behind it are older ones that went on still; one that does not fit the filter any more is not among them itself.
    const end = page.events.findIndex((one) => one.id === event.id || parse(one.start) < start);
    last = (end < 0 ? page.events : page.events.slice(0, end)).at(-1)?.id ?? last;
    before = end < 0 ? page.next : null;
  } while (before !== null);
  return last;
}
