/** The holes that a feed has met, each explained as soon as the reason is known. */

import type { Span } from "../ranges";
import { SECOND } from "../time";
import { explained, hole, holeAt, type Explain, type Hole } from "./hole";

/** A hole shorter than this is jumped over without a word: cameras stutter. */
export const BRIEF = SECOND;

export class Holes {
  private list: Hole[] = [];

  constructor(
    private readonly camera: string,
    private readonly explain: Explain,
    private readonly changed: () => void,
  ) {}

  clear(): void {
    this.list = [];
  }

  /** Recording has come further: an end that was met before is none any more. */
  forgetEnds(): void {
    this.list = this.list.filter((one) => one.end !== null);
  }

  at(instant: number): Hole | null {
    return holeAt(this.list, instant);
  }

  /** The hole that begins within a second after an instant. */
  after(instant: number): Hole | null {
    return this.list.find((one) => one.start > instant && one.start - instant < SECOND) ?? null;
  }

  /** Holes inside an answer: only what is loaded tells of them. */
  noteBetween(spans: readonly Span[]): void {
    for (let n = 1; n < spans.length; n++) {
      const [end, start] = [spans[n - 1][1], spans[n][0]];
      if (!this.at((end + start) / 2)) void this.note(hole(end, start), false);
    }
  }

  /** `landed`: somebody went into it; then it is told from where it really begins, else from where video ended. */
  async note(found: Hole, landed: boolean): Promise<void> {
    if (this.list.some((one) => one.start === found.start)) return;
    this.list.push(found);
    if (found.end !== null && found.end - found.start < BRIEF) return;
    const full = await explained(this.camera, found, this.explain);
    const place = this.list.indexOf(found);
    if (place < 0) return;
    this.list[place] = landed ? full : { ...full, start: found.start };
    this.changed();
  }
}
