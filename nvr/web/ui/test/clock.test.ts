import { expect, it } from "vitest";
import { corrected, noteDate, serverNow } from "../src/clock";
import { staleAfter } from "../src/timeline/store";
import { DAY, HOUR, MINUTE, SECOND } from "../src/time";

it("a clock that may be right is believed", () => {
  expect(corrected(0, 100_000, 100_400, 100_450)).toBe(0);
  expect(corrected(-30, 100_000, 100_400, 100_450)).toBe(-30);
});

it("a wrong one is corrected to within half a second and what the answer took", () => {
  const truth = 3 * HOUR;
  const ahead = corrected(0, Math.floor((500_700 + truth) / 1000) * 1000, 500_600, 500_800);
  expect(Math.abs(ahead - truth)).toBeLessThanOrEqual(600);
});

it("now is the server's, by the date of an answer", () => {
  noteDate(null, Date.now());
  expect(Math.abs(serverNow() - Date.now())).toBeLessThan(5);
  noteDate(new Date(Date.now() - HOUR).toUTCString(), Date.now());
  expect(Math.abs(serverNow() - (Date.now() - HOUR))).toBeLessThanOrEqual(1000);
});

it("a longer view is asked for less often", () => {
  expect([MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY].map((length) => staleAfter({ from: 0, to: length }) / SECOND)).toEqual([5, 5, 30, 60, 60]);
});
