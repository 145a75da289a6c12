import { describe, expect, it } from "vitest";
import { dayOf, dayStart, dayText, HOUR, nextDay, offsetAt, offsetText, parse, rfc3339, spanText } from "../src/time";

describe("instants", () => {
  it("are read with their microseconds", () => {
    expect(parse("2026-11-28T20:24:00.123456Z")).toBeCloseTo(Date.UTC(2026, 10, 28, 20, 24) + 123.456, 3);
    expect(parse("2026-11-28T21:24:00+01:00")).toBe(Date.UTC(2026, 10, 28, 20, 24));
    expect(parse("2026-11-28t20:24:00z")).toBe(Date.UTC(2026, 10, 28, 20, 24));
  });

  it.each(["", "14:03", "2026-11-28", "yesterday"])("are not read from %j", (text) => {
    expect(parse(text)).toBeNaN();
  });

  it.each(["2026-11-28T20:24:00.000000Z", "2026-11-28T20:24:00.123456Z", "2026-02-28T23:59:59.999999Z"])("come back as they were: %s", (text) => {
    expect(rfc3339(parse(text))).toBe(text);
  });
});

describe("days", () => {
  it("have 25 hours where clocks go back", () => {
    const day = dayOf("2026-10-25");
    expect(nextDay(day) - day).toBe(25 * HOUR);
    expect(dayStart(nextDay(day) - 1)).toBe(day);
  });

  it("have 23 hours where clocks go forward", () => {
    const day = dayOf("2026-03-29");
    expect(nextDay(day) - day).toBe(23 * HOUR);
    expect(dayText(nextDay(day))).toBe("2026-03-30");
  });

  it("tell the repeated hour apart by its offset", () => {
    expect(offsetAt(parse("2026-10-25T00:30:00Z"))).toBe("+02:00");
    expect(offsetAt(parse("2026-10-25T01:30:00Z"))).toBe("+01:00");
    expect(offsetText(-210)).toBe("-03:30");
  });

  it("refuse what is none", () => expect(dayOf("2026-1-1")).toBeNaN());
});

it.each([[5, "0:05"], [65, "1:05"], [3723, "1:02:03"], [-1, "0:00"]])("a span of %d s is %s", (seconds, text) => {
  expect(spanText(seconds)).toBe(text);
});
