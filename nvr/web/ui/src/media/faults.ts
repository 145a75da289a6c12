/** How often in a row a video failed of which the browser had said that it can play it: then it cannot. */

import { spansOf } from "../ranges";

/** Seconds: who has played so much without a fault can play it. */
const PROVEN = 5;
const MOST = 2;

export class Faults {
  private inARow = 0;

  constructor(private readonly video: HTMLVideoElement) {}

  /** Whether the source that is attached has been played for a while. */
  proven(): boolean {
    return spansOf(this.video.played).reduce((sum, [start, end]) => sum + end - start, 0) > PROVEN;
  }

  /** To be called while the source is still attached; tells whether it is to be given up. */
  add(): boolean {
    if (this.proven()) this.inARow = 0;
    return ++this.inARow >= MOST;
  }
}
