import { expect, it } from "vitest";
import { clamp, holding, lastAtOrBefore, merged, nextInside, type Span } from "../src/ranges";

const SPANS: Span[] = [[0, 10], [20, 30], [30, 40]];

it.each([[-1, null], [0, 0], [9.99, 0], [10, null], [20, 20], [30, 30], [40, null]])("what holds %d", (x, start) => {
  expect(holding(SPANS, x)?.[0] ?? null).toBe(start);
});

it.each([[-5, 0], [5, 5], [10, 20], [35, 35], [40, null]])("the next inside from %d", (x, next) => {
  expect(nextInside(SPANS, x)).toBe(next);
});

it("joins what touches", () => {
  expect(merged([[20, 30], [0, 10], [30, 40], [41, 42]])).toEqual([[0, 10], [20, 40], [41, 42]]);
  expect(merged([[0, 10], [11, 12]], 1)).toEqual([[0, 12]]);
  expect(merged([])).toEqual([]);
});

it("finds the last that begins before", () => {
  expect(lastAtOrBefore([], (x: number) => x, 3)).toBe(-1);
  expect(lastAtOrBefore([1, 2, 3], (x) => x, 2.5)).toBe(1);
});

it("clamps", () => expect([clamp(-1, 0, 2), clamp(1, 0, 2), clamp(3, 0, 2)]).toEqual([0, 1, 2]));
