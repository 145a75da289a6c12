/** Spans of video.mp4 of one camera, appended ahead of where the player is. */

import { Faults } from "../media/faults";
import { play } from "../media/play";
import { clamp } from "../ranges";
import { SECOND } from "../time";
import { isLate, Lasting, passing, RETRY, waitAtEnd } from "./again";
import type { Feed, Position } from "./feed";
import { FrameWatch } from "./frames";
import { hole, onTimeline, originFor, type Explain, type Hole } from "./hole";
import { Holes } from "./holes";
import { KeyFirst } from "./keyfirst";
import { Reel } from "./reel";
import { fetchSpan } from "./span";

/** The first answer is short, so that its picture comes at once. */
const FIRST = 4 * SECOND;
const USUAL = 10 * SECOND;
const AHEAD = 20 * SECOND;
/** A key frame that is nearer to the target is not worth two jumps. */
const NEAR = 150;

export class VideoFeed implements Feed {
  private readonly holes: Holes;
  private readonly watch: FrameWatch;
  private readonly reel: Reel;
  private readonly key: KeyFirst;
  private readonly faults: Faults;
  /** From here on is asked for next. */
  private cursor = 0;
  /** Where somebody wants to be and the video is not yet. */
  private target: number | null = null;
  private abort: AbortController | null = null;
  private fresh = true;
  private notBefore = 0;
  /** Nothing came for a moment that should be there: after this it is asked for again. */
  private readonly lost = new Lasting(3 * SECOND);
  private barren = 0;
  private error: unknown = null;

  constructor(
    readonly camera: string,
    private readonly video: HTMLVideoElement,
    explain: Explain,
    private readonly unplayable: (mime: string) => void,
    private readonly changed: () => void,
    /** The browser does not let it play; with sound or even without. */
    private readonly refused: (silent: boolean) => void,
  ) {
    this.watch = new FrameWatch(video);
    this.holes = new Holes(camera, explain, changed);
    this.reel = new Reel(video, (error) => this.fail(error), changed);
    this.key = new KeyFirst(video, () => this.aim());
    this.faults = new Faults(video);
    video.addEventListener("loadedmetadata", this.aim);
    video.addEventListener("error", this.broke);
  }

  seek(at: number): void {
    this.target = at;
    this.key.cancel();
    this.watch.forget();
    if (this.reel.isOpen && !this.error && this.reel.holds(at)) return this.aim();
    this.stop();
    this.holes.clear();
    this.error = null;
    this.fresh = true;
    this.notBefore = 0;
    this.cursor = at;
    if (this.reel.isOpen && onTimeline(this.reel.origin, at)) this.reel.clear();
    else if (!this.reel.open(originFor(at))) return this.unplayable("");
    this.aim();
    this.pump(at, 1);
  }

  retry(at: number): void {
    this.reel.drop();
    this.seek(at);
  }

  position(at: number): Position {
    if (this.error) return { kind: "failed", error: this.error };
    const found = this.holes.at(at);
    if (found) return { kind: "gap", hole: found };
    if (!this.arrived(at)) return { kind: "loading" };
    const next = this.stuckBefore(at);
    return next ? { kind: "gap", hole: next } : { kind: "video" };
  }

  pump(at: number, rate: number): void {
    this.reel.tidy();
    this.scan(at);
    const ahead = Math.max(AHEAD, rate * 8 * SECOND);
    const now = performance.now();
    if (this.error && passing(this.error) && now >= this.notBefore) this.error = null;
    if (this.abort || this.error || !this.reel.isOpen || this.reel.isFull || now < this.notBefore || this.cursor > at + ahead) return;
    // At the end of what was recorded, what came since is asked for when somebody looks.
    if (document.hidden && this.holes.at(this.cursor)?.end === null) return;
    const length = this.fresh ? FIRST : USUAL * clamp(rate / 2, 1, 8);
    void this.load(this.cursor, length);
  }

  run(playing: boolean, rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
    if (playing && this.video.paused) void play(this.video, this.refused);
    if (!playing && !this.video.paused) this.video.pause();
  }

  follow(at: number, rate: number): void {
    const apart = at - this.now();
    if (Math.abs(apart) > SECOND) this.video.currentTime = this.reel.seconds(at);
    else if (Math.abs(apart) > 80 && !this.video.paused) {
      this.video.playbackRate = clamp(rate * (apart > 0 ? 1.1 : 0.9), 0.1, 16);
    }
  }

  now(): number {
    return this.target ?? this.reel.origin + this.video.currentTime * SECOND;
  }

  shown(): number | null {
    if (this.target !== null || this.video.seeking || this.watch.mediaTime === null) return null;
    return this.reel.origin + this.watch.mediaTime * SECOND;
  }

  frame(): number {
    return this.watch.frame * SECOND;
  }

  mute(on: boolean): void {
    this.video.muted = on;
  }

  close(): void {
    this.key.cancel();
    this.stop();
    this.reel.drop();
    this.watch.close();
    this.video.removeEventListener("loadedmetadata", this.aim);
    this.video.removeEventListener("error", this.broke);
  }

  private stop(): void {
    this.abort?.abort();
    this.abort = null;
  }

  private fail(error: unknown): void {
    this.error = error;
    this.notBefore = performance.now() + 2 * RETRY;
    this.changed();
  }

  private readonly broke = (): void => {
    const { error } = this.video;
    if (!this.reel.isOpen || !error) return;
    if (this.faults.add()) return this.unplayable(this.reel.mime);
    this.stop();
    this.reel.drop();
    this.fail(new Error(error.message || "the video could not be decoded"));
  };

  /** Puts the video where it shall be; once it is loaded there, it has arrived. */
  private readonly aim = (): void => {
    if (this.target === null || !this.reel.isOpen || this.key.pending) return;
    this.watch.forget();
    this.video.currentTime = this.reel.seconds(this.target);
    if (this.video.readyState >= 1 && this.reel.holds(this.target)) this.target = null;
  };

  private arrived(at: number): boolean {
    if (this.key.pending || !this.reel.holds(at)) return false;
    if (this.target === at && this.video.readyState >= 1) {
      this.target = null;
      const x = this.reel.seconds(at);
      if (Math.abs(this.video.currentTime - x) > 0.001) this.video.currentTime = x;
    }
    return true;
  }

  /** The hole right behind what plays, once the video stands at the end before it. */
  private stuckBefore(at: number): Hole | null {
    const next = this.holes.after(at);
    if (!next) return null;
    const close = next.start - at < 60 || (this.video.readyState <= 2 && !this.video.seeking);
    return close ? next : null;
  }

  private async load(from: number, length: number): Promise<void> {
    const abort = (this.abort = new AbortController());
    const sink = {
      begin: async (mime: string, start: number) => {
        await this.reel.prepare(mime, abort.signal);
        this.holes.forgetEnds();
        const sought = this.fresh && !abort.signal.aborted && this.target === from;
        if (sought && from - start > NEAR) this.key.go(this.reel.seconds(start) + 0.001);
      },
      data: (chunk: BufferSource) => abort.signal.aborted || this.reel.append(chunk),
    };
    const result = await fetchSpan(this.camera, from, from + length, this.reel.origin, sink, abort.signal);
    if (abort.signal.aborted || this.abort !== abort) return;
    this.abort = null;
    if (result.kind === "unplayable") return this.unplayable(result.mime);
    if (result.kind === "failed") {
      this.reel.breakOff();
      return this.fail(result.error);
    }
    this.fresh = false;
    if (result.kind === "video") this.took(from, result.start, result.end);
    else this.missing(from, result.next);
    this.changed();
  }

  private took(from: number, start: number, end: number): void {
    if (start > from + 250) void this.holes.note(hole(from, start), this.target !== null);
    if (end > from + 1) {
      this.barren = 0;
      this.cursor = end;
    } else this.grope(from);
  }

  /** An answer that brought nothing new: the next question is a little later, and later still, or it would be the same. */
  private grope(from: number): void {
    this.cursor = from + Math.min(SECOND, 5 * 2 ** this.barren++);
    this.notBefore = performance.now() + (isLate(from) ? RETRY : 100);
  }

  private missing(from: number, next: number | null): void {
    if (next !== null && next <= from) return this.grope(from);
    if (next !== null) {
      void this.holes.note(hole(from, next), this.target !== null);
      this.cursor = next;
      return;
    }
    const found = hole(from, null);
    found.live = isLate(from);
    this.notBefore = performance.now() + waitAtEnd(from);
    this.holes.forgetEnds();
    void this.holes.note(found, this.target !== null);
  }

  /** Finds what no answer tells: holes inside an answer, and moments that it should have held and did not. */
  private scan(at: number): void {
    if (!this.reel.isIdle) return;
    this.holes.noteBetween(this.reel.spans());
    const lost = !this.abort && this.cursor > at + SECOND && !this.holes.at(at) && !this.reel.holds(at);
    if (this.lost.tooLong(lost)) this.cursor = at;
  }
}
