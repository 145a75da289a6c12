import { describe, expect, it } from "vitest";
import { address, below } from "../src/api/client";
import { errorFrom } from "../src/api/error";
import { labelColour, reasonClass } from "../src/colours";
import { fill, type Key } from "../src/i18n";
import { en } from "../src/i18n/en";
import { zh } from "../src/i18n/zh";
import { REASONS_ZH } from "../src/i18n/words";
import { href, parseRoute } from "../src/route";

describe("errors", () => {
  it("are ours", () => {
    const error = errorFrom(404, '{"error": {"code": "nothing_recorded", "message": "none", "next": "2026-11-28T20:00:00Z"}}');
    expect([error.status, error.code, error.message, error.next]).toEqual([404, "nothing_recorded", "none", "2026-11-28T20:00:00Z"]);
  });

  it("may have `next` beside them", () => {
    expect(errorFrom(404, '{"error": {"code": "nothing_recorded", "message": "none"}, "next": "x"}').next).toBe("x");
    expect(errorFrom(404, '{"error": {"code": "nothing_recorded", "message": "none"}, "next": null}').next).toBeNull();
  });

  it("may be of a proxy", () => {
    expect(errorFrom(502, "<html>Bad gateway</html>").code).toBe("http_502");
    expect(errorFrom(500, "null").message).toBe("HTTP 500");
  });

  it("say when to come back", () => {
    expect(errorFrom(429, '{"error": {"code": "slow", "message": "wait"}}', "30").retryAfter).toBe(30);
    expect(errorFrom(429, "", "Wed, 21 Oct").retryAfter).toBeNull();
  });
});

it("addresses repeat lists and leave out nothings", () => {
  expect(address("events", { camera: ["a", "b c"], label: null, limit: 5, zone: "" })).toBe("/api/v1/events?camera=a&camera=b+c&limit=5");
  expect(below("events/1/snapshot.jpg")).toBe("/api/v1/events/1/snapshot.jpg");
  expect(below("/events/1/snapshot.jpg")).toBe("/api/v1/events/1/snapshot.jpg");
  expect(below("/api/v1/events/1")).toBe("/api/v1/events/1");
});

describe("routes", () => {
  it("are read", () => {
    const route = parseRoute("#/timeline?at=2026-11-28T20:00:00Z&camera=a&camera=b");
    expect([route.page, route.arg, route.query.get("at"), route.query.getAll("camera")]).toEqual(["timeline", "", "2026-11-28T20:00:00Z", ["a", "b"]]);
    expect(parseRoute("").page).toBe("live");
    expect(parseRoute("#/live/caf%C3%A9").arg).toBe("café");
    expect(parseRoute("#/live/%zz").arg).toBe("%zz");
  });

  it("come back as they were written", () => {
    const text = href("events", "a/b", { label: ["x&y"], kind: "" });
    const route = parseRoute(text);
    expect([route.arg, route.query.get("label"), route.query.has("kind")]).toEqual(["a/b", "x&y", false]);
  });
});

describe("languages", () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

  it.each(Object.keys(en) as Key[])("%s has its values in both", (key) => {
    expect(zh[key]).not.toBe("");
    expect(names(zh[key])).toEqual(names(en[key]));
  });

  it("have the same keys", () => expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort()));

  it("fill in", () => expect(fill("{a} and {b} and {c}", { a: 1, b: "{a}" })).toBe("1 and {a} and {c}"));
});

it("labels keep their colours, reasons their classes", () => {
  expect(labelColour("zebra")).toBe(labelColour("zebra"));
  expect(labelColour("person")).not.toBe(labelColour("car"));
  expect(reasonClass("disk-full")).toBe("disk");
  expect(reasonClass("something new")).toBe("other");
  for (const reason of Object.keys(REASONS_ZH)) {
    if (!["schedule", "off", "unknown"].includes(reason)) expect(reasonClass(reason)).not.toBe("other");
  }
});
