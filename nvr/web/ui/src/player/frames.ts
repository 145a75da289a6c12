/** Which frame is on the screen, by requestVideoFrameCallback where the browser has it. */

/** Until it is known: one and a half of it are within the next frame at 25 and at 30 a second. */
const USUAL = 0.03;

export class FrameWatch {
  /** Media time of the frame shown, or null. */
  mediaTime: number | null = null;
  /** Seconds from one frame to the next. */
  frame = USUAL;
  private handle = 0;
  private readonly able: boolean;
  private recent: number[] = [];

  constructor(private readonly video: HTMLVideoElement) {
    this.able = typeof video.requestVideoFrameCallback === "function";
    this.ask();
  }

  /** After a jump: the frame that was shown says nothing any more. */
  forget(): void {
    this.mediaTime = null;
    this.recent = [];
  }

  close(): void {
    if (this.able) this.video.cancelVideoFrameCallback(this.handle);
  }

  private ask(): void {
    if (this.able) this.handle = this.video.requestVideoFrameCallback((_, about) => this.saw(about.mediaTime));
  }

  private saw(media: number): void {
    const before = this.mediaTime;
    this.mediaTime = media;
    if (before !== null && media > before && media - before < 1) this.measure(media - before);
    this.ask();
  }

  /** The shortest of the last steps: frames are left out, at high speed nearly all of the time, and never added. */
  private measure(step: number): void {
    if (this.video.playbackRate > 1) return;
    this.recent.push(step);
    if (this.recent.length > 8) this.recent.shift();
    this.frame = Math.min(...this.recent);
  }
}
