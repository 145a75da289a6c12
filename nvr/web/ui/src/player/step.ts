/** To the next frame, however long one lasts: ever further, until another frame than before is shown. */

import { SECOND } from "../time";

const FURTHEST = 10 * SECOND;

export class FrameStep {
  private from: number | null = null;
  private reach = 0;

  /** `reach`: how far from a frame's begin was gone. */
  begin(from: number, reach: number): void {
    this.from = from;
    this.reach = reach;
  }

  stop(): void {
    this.from = null;
  }

  /** Where to go now, or null; `shown` is null as long as the browser does not tell which frame it shows. */
  further(shown: number | null): number | null {
    if (this.from === null || shown === null) return null;
    // Twice as far as a place within this frame is never beyond the next one.
    this.reach *= 2;
    if (shown === this.from && this.reach < FURTHEST) return this.from + this.reach;
    this.from = null;
    return null;
  }
}
