import { expect, it } from "vitest";
import type { EventPage, NvrEvent } from "../src/api/types";
import { filterOf } from "../src/events/filter";
import { neighbours } from "../src/events/neighbours";
import { DAY, parse, rfc3339 } from "../src/time";

const NOW = parse("2026-11-28T10:00:00Z");
const event = (id: number, days: number) => ({ id, start: rfc3339(NOW - days * DAY) }) as NvrEvent;

/** What a server with these events, newest first, answers. */
function serverOf(all: NvrEvent[], most: number) {
  return async (query: Record<string, unknown>): Promise<EventPage> => {
    const from = query.from === "3650d" ? 0 : parse(query.from as string);
    const to = query.to ? parse(query.to as string) : NOW;
    if (to <= from) throw new Error("to is not after from");
    const first = query.before ? all.findIndex((one) => String(one.id) === query.before) + 1 : 0;
    const found = all.slice(first).filter((one) => parse(one.start) >= from && parse(one.start) < to);
    const page = found.slice(0, most);
    return { events: page, next: found.length > most ? String(page.at(-1)!.id) : null };
  };
}

const any = filterOf(new URLSearchParams());

it("are found however far away", async () => {
  const all = [event(3, 1), event(2, 40), event(1, 500)];
  const server = serverOf(all, 10);
  expect(await neighbours(all[1], any, server, NOW)).toEqual({ newer: 3, older: 1 });
  expect(await neighbours(all[0], any, server, NOW)).toEqual({ newer: null, older: 2 });
  expect(await neighbours(all[2], any, server, NOW)).toEqual({ newer: 2, older: null });
});

it("are the nearest where there are more than a page of them", async () => {
  const all = [...Array.from({ length: 9 }, (_, n) => event(20 - n, 1 + n / 100)), event(1, 30)];
  expect((await neighbours(all[9], any, serverOf(all, 4), NOW)).newer).toBe(12);
});

it("are told apart where they began together", async () => {
  const all = [event(3, 1), event(2, 1), event(1, 1)];
  expect(await neighbours(all[1], any, serverOf(all, 10), NOW)).toEqual({ newer: 3, older: 1 });
});

it("stay within the days of the filter", async () => {
  const all = [event(3, 1), event(2, 5), event(1, 9)];
  const filter = filterOf(new URLSearchParams("to=2026-11-23"));
  expect(await neighbours(all[1], filter, serverOf(all, 10), NOW)).toEqual({ newer: null, older: 1 });
});
