import { expect, it } from "vitest";
import { aspectOf, WIDE } from "../src/ui/shape";
import { arrowOf, sizeOf } from "../src/zones/shapes";

it("a picture's shape is its own, and wide until it is known", () => {
  expect(aspectOf(768, 576)).toBeCloseTo(4 / 3, 9);
  expect(aspectOf(1080, 1920)).toBeCloseTo(9 / 16, 9);
  expect(aspectOf(0, 0)).toBe(WIDE);
});

it("a drawing has the picture's shape and handles of one size", () => {
  expect(sizeOf(16 / 9)).toEqual({ width: 1600, height: 900 });
  expect(sizeOf(4 / 3)).toEqual({ width: 1600, height: 1200 });
  expect(sizeOf(9 / 16)).toEqual({ width: 900, height: 1600 });
});

it.each([16 / 9, 4 / 3, 9 / 16])("the way in is at a right angle to its line in a picture of %d", (aspect) => {
  const [a, b]: [number, number][] = [[0.2, 0.3], [0.7, 0.9]];
  const { from, to } = arrowOf({ key: 0, kind: "lines", name: "", rest: {}, points: [a, b] }, aspect);
  const along = [(b[0] - a[0]) * aspect, b[1] - a[1]];
  const arrow = [(to[0] - from[0]) * aspect, to[1] - from[1]];
  expect(along[0] * arrow[0] + along[1] * arrow[1]).toBeCloseTo(0, 9);
});
