import { describe, expect, it } from "vitest";
import type { NvrEvent } from "../src/api/types";
import { filterOf, fits, requestOf } from "../src/events/filter";
import { NONE, withEvent, withPage, withRenewed, withWaiting } from "../src/events/list";
import { chooseStream } from "../src/live/choice";
import { arrowOf, crossesItself, fresh, itemsOf, nearestEdge, problems, withoutPoint, withPointAfter, withPointMoved, zonesOf } from "../src/zones/shapes";

const event = (id: string, more: Partial<NvrEvent> = {}): NvrEvent => ({
  id, camera: "hik1", kind: "object", label: "person", start: "2026-11-28T10:00:00Z", end: null, score: 0.9, zones: ["drive"],
  snapshot: null, thumbnail: null, locked: false, false: false, began: null, ended: null, detail: null, box: null, ...more,
});

describe("the filter", () => {
  it("takes whole local days", () => {
    const asked = requestOf(filterOf(new URLSearchParams("from=2026-10-25&to=2026-10-25")));
    expect([asked.from, asked.to]).toEqual(["2026-10-24T22:00:00.000000Z", "2026-10-25T23:00:00.000000Z"]);
  });

  it.each([
    ["", true], ["camera=hik1", true], ["camera=other", false], ["label=car", false], ["zone=drive", true], ["zone=x", false],
    ["locked=true", false], ["false=true", false], ["false=all", true], ["from=2026-11-29", false], ["to=2026-11-28", true],
  ])("%j fits: %s", (query, expected) => {
    expect(fits(filterOf(new URLSearchParams(query)), event("1"))).toBe(expected);
  });

  it("hides false ones unless asked", () => {
    expect(fits(filterOf(new URLSearchParams()), event("1", { false: true }))).toBe(false);
    expect(fits(filterOf(new URLSearchParams("false=true")), event("1", { false: true }))).toBe(true);
  });
});

describe("the list", () => {
  const first = withPage(NONE, [event("2"), event("1")], "1");

  it("has no event twice", () => {
    expect(withPage(first, [event("1"), event("0")], null).events.map((one) => one.id)).toEqual(["2", "1", "0"]);
  });

  it("puts new ones on top, changes known ones in place", () => {
    const more = withEvent(first, event("3"), false);
    expect(more.events.map((one) => one.id)).toEqual(["3", "2", "1"]);
    expect(more.fresh.has("3")).toBe(true);
    expect(withEvent(more, event("2", { end: "x" }), false).events[1].end).toBe("x");
  });

  it("lets them wait while one reads", () => {
    const held = withEvent(withEvent(first, event("3"), true), event("3", { end: "x" }), true);
    expect(held.events).toHaveLength(2);
    expect(held.waiting.map((one) => one.end)).toEqual(["x"]);
    expect(withWaiting(held).events.map((one) => one.id)).toEqual(["3", "2", "1"]);
  });
});

describe("the list after a while without news", () => {
  const at = (id: string, minute: number, more = {}) => event(id, { start: `2026-11-28T10:${String(minute).padStart(2, "0")}:00Z`, ...more });
  const before = withPage(NONE, [at("3", 30), at("2", 20), at("1", 10)], "1");
  const ids = (events: NvrEvent[]) => events.map((one) => one.id);

  it("has what was missed at its place, and what has changed", () => {
    const now = withRenewed(before, [at("5", 50), at("4", 25), at("3", 30, { end: "x" })], "3", false);
    expect(ids(now.events)).toEqual(["5", "3", "4", "2", "1"]);
    expect(now.events[1].end).toBe("x");
    expect(now.next).toBe("1");
  });

  it("lets what was missed wait while one reads", () => {
    const now = withRenewed(before, [at("5", 50), at("4", 40), at("3", 30)], "3", true);
    expect([ids(now.events), ids(now.waiting)]).toEqual([["3", "2", "1"], ["5", "4"]]);
    expect(ids(withWaiting(now).events)).toEqual(["5", "4", "3", "2", "1"]);
  });

  it("begins anew where a hole would remain", () => {
    const now = withRenewed(before, [at("9", 59), at("8", 58)], "8", false);
    expect([ids(now.events), now.next]).toEqual([["9", "8"], "8"]);
  });

  it("leaves out what is older than it goes back", () => {
    expect(withEvent(before, at("0", 5), false)).toBe(before);
    expect(ids(withEvent({ ...before, next: null }, at("0", 5), false).events)).toEqual(["3", "2", "1", "0"]);
  });
});

describe("the live stream", () => {
  const stream = (name: "main" | "sub", mime: string) => ({ stream: name, codec: mime, mime, width: 1, height: 1 });
  const able = (mime: string) => mime === "h264";

  it("is the wanted one, else one that can be played, else the wanted one by pictures", () => {
    expect(chooseStream([stream("main", "h264"), stream("sub", "h264")], "sub", able)?.stream).toBe("sub");
    expect(chooseStream([stream("main", "h264")], "sub", able)?.stream).toBe("main");
    expect(chooseStream([stream("main", "h265"), stream("sub", "h264")], "main", able)?.stream).toBe("sub");
    expect(chooseStream([stream("main", "h265"), stream("sub", "h265")], "sub", able)?.stream).toBe("sub");
    expect(chooseStream([], "sub", able)).toBeNull();
  });
});

describe("shapes", () => {
  const told = { zones: [{ name: "drive", points: [[0, 0], [1, 0], [1, 1]] as [number, number][], dwell: "3s" }], lines: [], masks: [[[0, 0], [0.5, 0], [0, 0.5]] as [number, number][]] };

  it("go back as they came", () => expect(zonesOf(itemsOf(told))).toEqual(told));

  it("know when they cross themselves", () => {
    const item = itemsOf(told)[0];
    expect(crossesItself(item)).toBe(false);
    expect(crossesItself({ ...item, points: [[0, 0], [1, 1], [1, 0], [0, 1]] })).toBe(true);
  });

  it("tell what is wrong", () => {
    const [zone] = itemsOf(told);
    const bad = [zone, { ...zone, key: -1 }, { ...zone, key: -2, name: "a b" }, { ...zone, key: -3, name: "few", points: zone.points.slice(0, 2) }];
    expect(problems(bad).map((one) => one.what)).toEqual(["twice", "unnamed", "few"]);
  });

  it("gain and lose points", () => {
    const [zone] = itemsOf(told);
    expect(withPointAfter(zone, 2).points[3]).toEqual([0.5, 0.5]);
    expect(withoutPoint(zone, 0)).toBe(zone);
    expect(withoutPoint(withPointAfter(zone, 0), 1).points).toEqual(zone.points);
    expect(withPointMoved(zone, 0, [-1, 2]).points[0]).toEqual([0, 1]);
    expect(nearestEdge(zone, [0.99, 0.5])).toBe(1);
  });

  it("get free names", () => expect(fresh("zones", ["zone1", "zone2"]).name).toBe("zone3"));

  it("have their way in to the right of who walks along", () => {
    const arrow = arrowOf({ key: 0, kind: "lines", name: "", rest: {}, points: [[0.2, 0.5], [0.8, 0.5]] }, 16 / 9);
    expect(arrow.to[0]).toBeCloseTo(0.5, 6);
    expect(arrow.to[1]).toBeGreaterThan(0.5);
  });
});
