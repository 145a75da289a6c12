/** Where the time axis has its marks. Steps of a day follow the local calendar, shorter ones the clock. */

import { DAY, HOUR, MINUTE, SECOND, dayStart, nextDay } from "../time";
import { span, type View } from "./view";

export interface Tick {
  at: number;
  /** Whether a day begins here: its date is written. */
  day: boolean;
}

const STEPS = [
  0.1 * SECOND, 0.2 * SECOND, 0.5 * SECOND, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY,
];

/** The smallest step whose labels do not run into each other. */
export function tickStep(view: View, width: number, apart = 84): number {
  const least = (span(view) / Math.max(1, width)) * apart;
  return STEPS.find((step) => step >= least) ?? STEPS[STEPS.length - 1];
}

export function ticks(view: View, step: number): Tick[] {
  if (step >= DAY) return days(view, Math.round(step / DAY));
  const out: Tick[] = [];
  // Counted from local midnight, day by day: then 06:00 is a mark on the days when clocks change too.
  for (let day = dayStart(view.from); day <= view.to; day = nextDay(day)) {
    const end = Math.min(nextDay(day), view.to + 1);
    const first = Math.max(0, Math.ceil((view.from - day) / step));
    for (let n = first; ; n++) {
      const at = wallClock(day, n * step);
      if (at >= end) break;
      if (at >= view.from) out.push({ at, day: n === 0 });
    }
  }
  return out;
}

/** Steps of hours are of the wall clock, so that a change of offset does not shift the rest of the day. */
function wallClock(day: number, ms: number): number {
  if (ms < HOUR || ms % HOUR !== 0) return day + ms;
  const date = new Date(day);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate(), ms / HOUR).getTime();
}

function days(view: View, every: number): Tick[] {
  const out: Tick[] = [];
  for (let at = dayStart(view.from); at <= view.to; at = nextDay(at, every)) {
    if (at >= view.from) out.push({ at, day: true });
  }
  return out;
}
