import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { replaceAddress } from "../src/route";

const place = { hash: "#/timeline" };
const replaceState = vi.fn((_state: unknown, _title: string, to: string) => void (place.hash = to));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.stubGlobal("location", place);
  vi.stubGlobal("history", { replaceState });
  replaceState.mockClear();
  vi.advanceTimersByTime(10_000);
});

afterEach(() => {
  vi.runAllTimers();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("the address changes once a second at most, and last to the newest", () => {
  for (const to of ["#/a", "#/b", "#/c"]) replaceAddress(to);
  expect(place.hash).toBe("#/a");
  vi.advanceTimersByTime(1000);
  expect(place.hash).toBe("#/c");
  expect(replaceState).toHaveBeenCalledTimes(2);
});

it("an address that waits is dropped where one has gone elsewhere", () => {
  replaceAddress("#/d");
  replaceAddress("#/e");
  place.hash = "#/live";
  vi.advanceTimersByTime(2000);
  expect(place.hash).toBe("#/live");
});

it("a browser that refuses does no harm", () => {
  replaceState.mockImplementationOnce(() => {
    throw new Error("SecurityError");
  });
  expect(() => replaceAddress("#/f")).not.toThrow();
});
