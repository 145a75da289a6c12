/**
 * After a jump, the key frame before its target is shown first. It needs no other frame; the target needs all that are
 * between the two, up to two seconds of them, which takes a browser without a video chip a quarter of a second.
 */

/** No frame came for so long: the target is gone to all the same. */
const LONGEST = 400;

export class KeyFirst {
  private handle: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly video: HTMLVideoElement, private readonly shown: () => void) {}

  /** Whether a key frame is waited for. */
  get pending(): boolean {
    return this.handle !== null;
  }

  /** Goes to a key frame, and calls `shown` once it is on the screen. */
  go(seconds: number): void {
    this.cancel();
    if (typeof this.video.requestVideoFrameCallback !== "function") return;
    this.handle = this.video.requestVideoFrameCallback(() => this.finish());
    this.timer = setTimeout(() => this.finish(), LONGEST);
    this.video.currentTime = seconds;
  }

  cancel(): void {
    clearTimeout(this.timer);
    if (this.handle !== null) this.video.cancelVideoFrameCallback(this.handle);
    this.handle = null;
  }

  private finish(): void {
    this.cancel();
    this.shown();
  }
}
