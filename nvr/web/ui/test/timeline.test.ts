import { describe, expect, it } from "vitest";
import { exactRuns, pixelRuns } from "../src/timeline/bins";
import { wishOf } from "../src/timeline/keys";
import { layoutOf, rowAt } from "../src/timeline/layout";
import { gapAt, ledgerOf, marksNear, neighbour, recordedAt, rowFor } from "../src/timeline/ledger";
import { withMark } from "../src/timeline/marking";
import { ticks, tickStep } from "../src/timeline/ticks";
import { centred, following, limited, LONGEST, panned, pinched, SHORTEST, span, toTime, toX, zoomed } from "../src/timeline/view";
import { DAY, dayOf, HOUR, MINUTE, parse } from "../src/time";

const VIEW = { from: 1000, to: 2000 };

describe("the view", () => {
  it("goes from time to pixels and back", () => {
    expect(toX(VIEW, 1500, 800)).toBe(400);
    expect(toTime(VIEW, toX(VIEW, 1234, 800), 800)).toBeCloseTo(1234, 6);
  });

  it("keeps the moment below the pointer when it zooms", () => {
    const view = { from: 0, to: HOUR };
    const at = 0.3 * HOUR;
    expect(toX(zoomed(view, at, 0.5), at, 1000)).toBeCloseTo(300, 6);
  });

  it("is never shorter than a second nor longer than a week and a day", () => {
    expect(span(zoomed({ from: 0, to: 1500 }, 10, 0.001))).toBe(SHORTEST);
    expect(span(zoomed({ from: 0, to: DAY }, 10, 1000))).toBe(LONGEST);
  });

  it("keeps two moments below two fingers", () => {
    const view = { from: 0, to: HOUR };
    const next = pinched(view, 1000, [400, 600], [300, 700]);
    expect(toTime(next, 300, 1000)).toBeCloseTo(0.4 * HOUR, 3);
    expect(toTime(next, 700, 1000)).toBeCloseTo(0.6 * HOUR, 3);
    expect(pinched(view, 1000, [500, 500], [500, 501])).toBe(view);
  });

  it("follows only what leaves it", () => {
    expect(following(VIEW, 1500)).toBe(VIEW);
    expect(following(VIEW, 1990).from).toBe(1600);
    expect(following(VIEW, 9000)).toEqual(centred(VIEW, 9000));
  });

  it("does not go far into the future", () => {
    expect(limited(panned({ from: 0, to: 1000 }, 5000), 1000).to).toBe(1500);
    expect(limited({ from: -10, to: 990 }, 5000).from).toBe(0);
  });
});

describe("marks of the axis", () => {
  it("have room for their labels", () => {
    expect(tickStep({ from: 0, to: DAY }, 1000)).toBe(3 * HOUR);
    expect(tickStep({ from: 0, to: 10_000 }, 1000)).toBe(1000);
  });

  it("follow the wall clock on the day when clocks go back", () => {
    const day = dayOf("2026-10-25");
    const found = ticks({ from: day, to: day + 25 * HOUR }, 6 * HOUR).map((tick) => new Date(tick.at).getHours());
    expect(found).toEqual([0, 6, 12, 18, 0]);
  });

  it("say where days begin", () => {
    const day = dayOf("2026-11-28");
    expect(ticks({ from: day - HOUR, to: day + HOUR }, 30 * MINUTE).filter((tick) => tick.day)).toEqual([{ at: day, day: true }]);
    expect(ticks({ from: day, to: day + 7 * DAY }, DAY)).toHaveLength(8);
  });
});

describe("pixels", () => {
  it("never lose what is short", () => {
    expect(pixelRuns([{ start: 1500, end: 1500.1 }], VIEW, 100, 2)).toEqual([[50, 2]]);
  });

  it("are few however many events there are", () => {
    const many = Array.from({ length: 50_000 }, (_, n) => ({ start: 1000 + n / 50, end: 1000 + n / 50 + 1 }));
    expect(pixelRuns(many, VIEW, 300)).toEqual([[0, 300]]);
  });

  it("leave out what is not in view", () => {
    expect(pixelRuns([{ start: 0, end: 999 }, { start: 2001, end: 3000 }], VIEW, 100)).toEqual([]);
  });

  it("join spans that touch", () => {
    expect(exactRuns([{ start: 900, end: 1200 }, { start: 1200, end: 1500 }], VIEW, 100)).toEqual([[0, 50]]);
  });
});

describe("the ledger", () => {
  const told = ledgerOf({
    from: "2026-11-28T10:00:00.000000Z", to: "2026-11-28T11:00:00.000000Z", labels: ["person", "car"],
    cameras: [{
      camera: "hik1", recorded: [[0, 600], [660, null]], gaps: [[600, 660, "unreachable", "the camera could not be reached", null]],
      off: [], events: [["b", 900, null, 1, false], ["a", 100, 110, 0, true]],
    }],
  }, parse("2026-11-28T10:30:00Z"));
  const row = rowFor(told, "hik1")!;
  const at = (seconds: number) => told.from + seconds * 1000;

  it("has absolute instants; what lasts ends now", () => {
    expect(row.recorded[1]).toEqual({ start: at(660), end: at(1800), open: true });
    expect(row.events.map((mark) => [mark.id, mark.label])).toEqual([["a", "person"], ["b", "car"]]);
  });

  it("takes what reaches to now for lasting", () => {
    const row = (end: number) => ({ camera: "a", recorded: [[0, 100]] as [number, number][], gaps: [[100, end, "busy", "busy", ""]] as [number, number, string, string, string][], off: [], events: [] });
    const ask = (to: string) => ledgerOf({ from: "2026-11-28T10:00:00Z", to, labels: [], cameras: [row(1800)] }, parse("2026-11-28T10:30:02Z"));
    expect(ask("2026-11-28T11:00:00Z").rows[0].gaps[0].open).toBe(true);
    expect(ask("2026-11-28T11:00:00Z").rows[0].recorded[0].open).toBe(false);
    expect(ask("2026-11-28T10:30:00Z").rows[0].gaps[0].open).toBe(true);
    expect(ask("2026-11-28T10:20:00Z").rows[0].gaps[0].open).toBe(false);
  });

  it("answers for a moment", () => {
    expect(gapAt(row, at(600))?.reason).toBe("unreachable");
    expect(gapAt(row, at(660))).toBeNull();
    expect(recordedAt(row, at(599))).not.toBeNull();
    expect(marksNear(row, at(112), 5000, () => true).map((mark) => mark.id)).toEqual(["a"]);
  });

  it("finds the neighbouring events", () => {
    expect(neighbour(told, ["hik1"], at(100), 1, () => true)?.id).toBe("b");
    expect(neighbour(told, ["hik1"], at(900), -1, () => true)?.id).toBe("a");
    expect(neighbour(told, ["hik1"], at(0), 1, (label) => label === "car")?.id).toBe("b");
    expect(neighbour(told, ["other"], at(0), 1, () => true)).toBeNull();
  });
});

it("rows are found by height", () => {
  const layout = layoutOf(1000, 3, false);
  expect([rowAt(layout, 5), rowAt(layout, layout.axis), rowAt(layout, layout.height + 1)]).toEqual([-1, 0, -1]);
});

it("marks stay in order", () => {
  expect(withMark([null, null], 0, 5)).toEqual([5, null]);
  expect(withMark([5, null], 1, 9)).toEqual([5, 9]);
  expect(withMark([5, null], 1, 3)).toEqual([3, 5]);
  expect(withMark([5, 9], 0, 12)).toEqual([12, null]);
  expect(withMark([null, null], 1, 3)).toEqual([null, null]);
});

it("keys become wishes, but not with ctrl", () => {
  const key = (name: string, more = {}) => wishOf({ key: name, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
  expect(key("ArrowLeft", { shiftKey: true })).toEqual({ do: "seek", seconds: -10 });
  expect(key("3")).toEqual({ do: "camera", n: 2 });
  expect(key("+", { ctrlKey: true })).toBeNull();
  expect(key("x")).toBeNull();
});
