/** Many spans to few pixels: what is drawn never exceeds the width of the canvas. */

import { toX, type View } from "./view";

export type Run = [number, number];

interface Stretch {
  start: number;
  end: number;
}

/** Pixel runs [x, width] that the stretches cover. Each is at least `least` wide, so that nothing short vanishes. */
export function pixelRuns(items: Iterable<Stretch>, view: View, width: number, least = 1): Run[] {
  const covered = new Uint8Array(width);
  for (const { start, end } of items) {
    if (end < view.from || start > view.to) continue;
    const left = Math.max(0, Math.floor(toX(view, start, width)));
    const right = Math.min(width, Math.max(Math.ceil(toX(view, end, width)), left + least));
    if (left < right) covered.fill(1, left, right);
  }
  return runsOf(covered);
}

function runsOf(covered: Uint8Array): Run[] {
  const out: Run[] = [];
  let begun = -1;
  for (let x = 0; x <= covered.length; x++) {
    const on = x < covered.length && covered[x] === 1;
    if (on && begun < 0) begun = x;
    else if (!on && begun >= 0) {
      out.push([begun, x - begun]);
      begun = -1;
    }
  }
  return out;
}

/** For spans that are adjacent and exact, such as video: neighbours within a pixel are drawn as one. */
export function exactRuns(items: Iterable<Stretch>, view: View, width: number): Run[] {
  const out: Run[] = [];
  for (const { start, end } of items) {
    if (end < view.from || start > view.to) continue;
    const left = Math.max(0, toX(view, start, width));
    const right = Math.min(width, toX(view, end, width));
    const last = out[out.length - 1];
    if (last && left - (last[0] + last[1]) < 0.5) last[1] = Math.max(last[1], right - last[0]);
    else out.push([left, Math.max(right - left, 0.5)]);
  }
  return out;
}
