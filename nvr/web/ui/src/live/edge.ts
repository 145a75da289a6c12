/** How a live picture stays near the newest moment: a pure decision on what is buffered. */

import type { Span } from "../ranges";

export interface Step {
  /** Where to jump to, or null. */
  seek: number | null;
  rate: number;
}

/** Behind by more than this is caught up by playing faster. */
export const LAG = 0.4;
/** Behind by more than this is caught up by a jump. */
export const FAR = 2;
/** Some frames stay in hand: at the very edge the picture would stand still at each delay of the network. */
const MARGIN = 0.3;

/** `first`: nothing has been shown yet. */
export function edgeStep(at: number, buffered: readonly Span[], first: boolean): Step {
  const last = buffered[buffered.length - 1];
  if (!last) return { seek: null, rate: 1 };
  const edge = Math.max(last[0], last[1] - MARGIN);
  if (first || at < last[0] - 0.05 || at > last[1] + 0.5) return { seek: edge, rate: 1 };
  const lag = last[1] - at;
  if (lag > FAR) return { seek: edge, rate: 1 };
  return { seek: null, rate: lag > LAG ? 1.1 : 1 };
}
