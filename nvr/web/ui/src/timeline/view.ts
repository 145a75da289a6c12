/** The part of time that is shown: pure sums between instants and pixels. */

import { clamp } from "../ranges";
import { DAY, SECOND } from "../time";

export interface View {
  readonly from: number;
  readonly to: number;
}

export const SHORTEST = SECOND;
export const LONGEST = 8 * DAY;

export function span(view: View): number {
  return view.to - view.from;
}

export function toX(view: View, at: number, width: number): number {
  return ((at - view.from) / span(view)) * width;
}

export function toTime(view: View, x: number, width: number): number {
  return view.from + (x / width) * span(view);
}

/** Zooms so that `at` stays where it is; factor 0.5 shows half as much. */
export function zoomed(view: View, at: number, factor: number): View {
  const wanted = clamp(span(view) * factor, SHORTEST, LONGEST);
  const share = (at - view.from) / span(view);
  const from = at - share * wanted;
  return { from, to: from + wanted };
}

export function panned(view: View, by: number): View {
  return { from: view.from + by, to: view.to + by };
}

/** As long as before, with `at` in the middle. */
export function centred(view: View, at: number, length = span(view)): View {
  const wanted = clamp(length, SHORTEST, LONGEST);
  return { from: at - wanted / 2, to: at + wanted / 2 };
}

/** Moves just as far as needed to show `at` with a margin; the same view when it is shown already. */
export function following(view: View, at: number, margin = 0.08): View {
  const room = span(view) * margin;
  if (at < view.from || at > view.to) return centred(view, at);
  if (at > view.to - room) return panned(view, span(view) * 0.6);
  return view;
}

/** Two fingers: the instants that were below them stay below them. */
export function pinched(view: View, width: number, before: [number, number], after: [number, number]): View {
  const a = toTime(view, before[0], width);
  const b = toTime(view, before[1], width);
  const apart = Math.abs(after[1] - after[0]);
  if (apart < 4 || a === b) return view;
  const wanted = clamp((Math.abs(b - a) / apart) * width, SHORTEST, LONGEST);
  const middle = (a + b) / 2;
  const at = (after[0] + after[1]) / 2 / width;
  const from = middle - at * wanted;
  return { from, to: from + wanted };
}

/** Nothing before 1970 and little of the future can be looked at. */
export function limited(view: View, now: number): View {
  const latest = now + span(view) * 0.5;
  if (view.to > latest) return panned(view, latest - view.to);
  return view.from < 0 ? panned(view, -view.from) : view;
}
