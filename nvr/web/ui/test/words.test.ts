import { expect, it } from "vitest";
import { gapWords, isCut, offWords } from "../src/timeline/words";
import { parse } from "../src/time";

const at = (clock: string) => parse(`2026-11-28T${clock}Z`);
const ledger = { from: at("10:00:00"), to: at("12:00:00"), labels: [], rows: [] };
const gap = (start: string, end: string, open = false) =>
  ({ start: at(start), end: at(end), open, reason: "busy", meaning: "busy", detail: null });

it("edges of the window are not told as edges of a gap", () => {
  expect(isCut(ledger, gap("10:00:00", "10:10:00"))).toEqual({ before: true, behind: false });
  expect(isCut(ledger, gap("11:00:00", "12:00:00"))).toEqual({ before: false, behind: true });
  expect(isCut(ledger, gap("11:00:00", "12:00:00", true))).toEqual({ before: false, behind: false });
  expect(gapWords(ledger, gap("10:00:00", "12:00:00"))).toBe("no video …–…: busy");
  expect(gapWords(ledger, gap("10:00:00", "12:00:00", true))).toBe("no video since …: busy");
  expect(gapWords(ledger, gap("10:30:00", "11:00:00"))).toMatch(/11:30:00–.*12:00:00: busy/);
  expect(offWords(ledger, gap("10:00:00", "11:00:00"))).toBe("not scheduled …–12:00:00");
});
