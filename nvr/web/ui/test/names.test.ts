import { expect, it } from "vitest";
import { parseRoute } from "../src/route";
import { namesOf, watchedOf } from "../src/timeline/names";

it("an old link shows the camera that it names, or none", () => {
  expect(watchedOf(parseRoute("#/timeline?camera=gone"), ["gate", "yard"])).toEqual(["gone"]);
  expect(watchedOf(parseRoute("#/timeline?camera=gone&camera=yard&camera=gone"), ["gate", "yard"])).toEqual(["gone", "yard"]);
  expect(watchedOf(parseRoute("#/timeline"), ["gate", "yard"])).toEqual(["gate"]);
  expect(watchedOf(parseRoute("#/timeline"), [])).toEqual([]);
});

it("cameras of former days have rows, after the configured ones", () => {
  expect(namesOf(["gate"], [{ camera: "old" }, { camera: "gate" }], ["gone", "old"])).toEqual(["gate", "old", "gone"]);
});
